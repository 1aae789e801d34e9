"""What a dry run prints of cells that have been run before, run now, or can go on."""

from __future__ import annotations

from typing import Any

from vlpbench.files import write_json
from vlpbench.runner.stages import stages_of


def test_a_dry_run_says_what_it_finds(ground: Any, say: Any, line_of: Any) -> None:
    text = say("run", "grid", "small.toml", "--dry-run")
    lines = {row: line_of(text, cell.id) for row, cell in ground.cells.items()}
    assert "  done       good " in lines["good"] and lines["good"].endswith("seed 0")
    assert lines["bad"].endswith("ArithmeticError: three; --retry-failed runs it again")
    assert "  running    running " in lines["running"] and "pretrain step 3 of 4" in lines["running"]
    assert "  stale: optim.lr was 0.75, is 0.5" in text and "  pretrain is run by process" in text
    assert "6 cells: 2 to run, 1 running, 1 done, 1 failed, 1 can't run; results in results/small; 1 record" in text
    again = say("run", "grid", "small.toml", "--dry-run", "--retry-failed")
    assert "  to retry   bad " in again and "it failed: ArithmeticError: three" in again
    assert "6 cells: 2 to run, 1 to retry, 1 running" in again


def test_a_dry_run_goes_on_from_checkpoints(ground: Any, say: Any) -> None:
    stage = next(iter(stages_of(ground.cells["changed"], ground.results, ground.registry))).folder
    write_json(stage.checkpoint / "checkpoint.json", {"step": 2})
    said = say("run", "grid", "small.toml", "--dry-run")
    assert "stale: optim.lr was 0.75, is 0.5; pretrain goes on at step 2 of 4" in said
    stage.weights.write_bytes(b"x")
    stage.close({})
    assert "; reuses pretrain" in say("run", "grid", "small.toml", "--dry-run")
