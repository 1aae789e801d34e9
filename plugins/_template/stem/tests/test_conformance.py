"""The contract of a stem, checked from outside: by vlpbench's own kit, by known answers, and as a plugin."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
import torch
from vlpbench_example import ExampleStem

from vlpbench.testing import BackboneSubject, parametrize_backbone_checks


@parametrize_backbone_checks([ExampleStem])
def test_it_keeps_the_contract(backbone, check):
    check(backbone)


@pytest.fixture(scope="module")
def stem():
    """Built for pictures of 32 x 32 pixels: four rows of four tokens."""
    return BackboneSubject(stem=ExampleStem).build(frozenset({"image_tokens"})).stem


@pytest.mark.parametrize(("row", "column", "token"), [(0, 0, 0), (7, 8, 1), (31, 7, 12), (31, 31, 15)])
def test_a_pixel_is_seen_by_the_token_of_its_patch_alone(stem, row, column, token):
    pictures = torch.zeros(2, 3, 32, 32)
    pictures[1, :, row, column] = 1.0
    plain, spotted = stem(pictures)
    assert stem.grid == (4, 4)
    assert [at for at in range(16) if not torch.allclose(plain[at], spotted[at])] == [token]


def test_vlpbench_finds_it():
    command = [sys.executable, "-m", "vlpbench", "plugins", "list", "--json"]
    listed = subprocess.run(command, capture_output=True, text=True, check=False)
    assert listed.returncode == 0, listed.stderr
    assert ["stem example-stem"] in [plugin["brings"] for plugin in json.loads(listed.stdout)["plugins"]]
