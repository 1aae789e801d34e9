"""The contract of an objective, checked from outside: by vlpbench's own kit, and as a plugin."""

from __future__ import annotations

import json
import subprocess
import sys

from vlpbench_example import ExampleObjective

from vlpbench.testing import parametrize_objective_checks


@parametrize_objective_checks([ExampleObjective])
def test_it_keeps_the_contract(objective, check):
    check(objective)


def test_vlpbench_finds_it():
    command = [sys.executable, "-m", "vlpbench", "plugins", "list", "--json"]
    listed = subprocess.run(command, capture_output=True, text=True, check=False)
    assert listed.returncode == 0, listed.stderr
    assert ["objective example-objective"] in [plugin["brings"] for plugin in json.loads(listed.stdout)["plugins"]]
