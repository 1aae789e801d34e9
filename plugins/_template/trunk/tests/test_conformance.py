"""The contract of a trunk, checked from outside: by vlpbench's own kit, by known answers, and as a plugin."""

from __future__ import annotations

import json
import subprocess
import sys

import torch
from vlpbench_example import ExampleTrunk

from vlpbench.testing import BackboneSubject, parametrize_backbone_checks


@parametrize_backbone_checks([ExampleTrunk])
def test_it_keeps_the_contract(backbone, check):
    check(backbone)


@torch.no_grad()
def test_with_layers_that_add_nothing_a_text_is_its_words_and_places():
    subject = BackboneSubject(ExampleTrunk)
    backbone = subject.build(frozenset({"text_tokens"}))
    for block in backbone.blocks:
        for weight in block.parameters():
            weight.zero_()  # a layer adds to what comes in; with weights of zero it adds nothing
    tokens, mask = subject.words()
    words = backbone.word_vectors(tokens) + backbone.word_positions(tokens.shape[1])
    assert torch.allclose(backbone.text_tokens(backbone.read(tokens, mask)), backbone.norm(words), atol=1e-6)


def test_vlpbench_finds_it():
    command = [sys.executable, "-m", "vlpbench", "plugins", "list", "--json"]
    listed = subprocess.run(command, capture_output=True, text=True, check=False)
    assert listed.returncode == 0, listed.stderr
    assert ["trunk example-trunk"] in [plugin["brings"] for plugin in json.loads(listed.stdout)["plugins"]]
