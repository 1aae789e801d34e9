"""The contract of a stem, checked from outside: by vlpbench's own kit, and as a plugin."""

from __future__ import annotations

import json
import subprocess
import sys

from vlpbench_example import ExampleStem

from vlpbench.testing import parametrize_backbone_checks


@parametrize_backbone_checks([ExampleStem])
def test_it_keeps_the_contract(backbone, check):
    check(backbone)


def test_vlpbench_finds_it():
    command = [sys.executable, "-m", "vlpbench", "plugins", "list", "--json"]
    listed = subprocess.run(command, capture_output=True, text=True, check=False)
    assert listed.returncode == 0, listed.stderr
    assert ["stem example-stem"] in [plugin["brings"] for plugin in json.loads(listed.stdout)["plugins"]]
