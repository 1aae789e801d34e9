"""What a dry run, printed commands and the options say of seeds that train together."""

from __future__ import annotations

from typing import Any

import pytest
import torch

import vlpbench.cli.plan_groups as plan_groups
from vlpbench.cli.main import main
from vlpbench.cli.plan_groups import group_lines
from vlpbench.device import Device
from vlpbench.grid import open_grid
from vlpbench.runner.packing import Packing
from vlpbench.runner.plan import plan_grid
from vlpbench.runner.rules import Rules

SEEDS = ("seeds=[0, 1, 2]",)


@pytest.fixture
def lines(ground: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """(rules) -> the lines of the small grid with three seeds, as if there were two GPUs."""
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(Device, "choose", classmethod(lambda cls, wish="auto": cls("cuda" if wish == "auto" else wish)))
    monkeypatch.setattr(Device, "name", "a GPU")
    monkeypatch.setattr(Device, "cores", staticmethod(lambda: 16))
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1")

    def say(**rules: Any) -> list[str]:
        grid, registry = open_grid("small.toml", SEEDS)
        return list(group_lines(plan_grid(grid, registry, ground.results.parent), registry, Rules(**rules)))

    return say


def test_nothing_is_said_where_nothing_is_packed(lines: Any) -> None:
    assert lines(device="cpu") == lines(pack=False) == []


def test_seeds_together_and_the_number_of_processes(lines: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan_groups, "kept_packing", lambda *_: None)
    *rows, last = lines()
    assert "more, seeds 0-2: together, as one model in one process" in rows
    assert "good, seeds 1-2: together, as one model in one process" in rows, "of seed 0 there is a record"
    assert "share a GPU is measured when it runs (the largest of 5 small ones is " in last
    monkeypatch.setattr(plan_groups, "kept_packing", lambda *_: Packing(2, {1: 1.0, 2: 2.0}))
    assert "5 processes, 2 at once on each GPU, as was measured before" in lines()[-1]
    assert lines(each=4)[-1] == "5 processes, 4 at once on each GPU, as --slots-per-gpu says"


def test_why_seeds_go_alone(lines: Any, ground: Any) -> None:
    file = ground.results.parent.parent / "small.toml"
    file.write_text(file.read_text() + '[[rows]]\nname = "cut"\n"budget.micro_batch" = 4\n')
    (line,) = [line for line in lines() if line.startswith("cut")]
    assert line.startswith("cut, seeds 0-2: alone, budget.micro_batch is set")


def test_a_dry_run_and_printed_commands_on_a_cpu(ground: Any, say: Any, capsys: Any) -> None:
    more = ("--device", "cpu", "-S", SEEDS[0])
    text = say("run", "grid", "small.toml", "--dry-run", "--pack", *more)
    assert "more, seeds 0-2: together" in text and " processes, " in text
    assert "together" not in say("run", "grid", "small.toml", "--dry-run", *more)
    results = ("--results", str(ground.results.parent))
    assert main(["run", "grid", "small.toml", "--print-commands", "--pack", *results, *more]) == 0
    printed = capsys.readouterr().out.splitlines()
    assert all(line.endswith("--device cpu --pack") for line in printed)
    ids = [[word for word in line.split() if len(word) == 12 and word.isalnum()] for line in printed]
    assert max(map(len, ids)) == 3 and f"{len(printed)} processes, " in text
    cells = [one for line in ids for one in line]
    assert len(set(cells)) == len(cells) == text.count("  to run  ") + 1, "and the one that another run has"
