"""`vlpbench grid retry` and `clean`: what they forget and remove, and what they leave."""

from __future__ import annotations

from typing import Any

from vlpbench.runner.cell import folder_of


def test_retry_forgets_failures_and_says_so(ground: Any, say: Any) -> None:
    text = say("retry", "small.toml")
    assert "bad, seed 0: forgotten that it failed: ArithmeticError: three" in text
    assert "vlpbench run grid small.toml runs it again" in text
    assert folder_of(ground.cells["bad"], ground.results).state() == "pending"
    assert "nothing is forgotten" in say("retry", "small.toml")


def test_retry_of_named_cells_leaves_what_has_not_failed(ground: Any, say: Any) -> None:
    text = say("retry", "small.toml", "good", "running", "more", "impossible", code=4)
    for words in ("good, seed 0: is done, and stays so", "running, seed 0: runs now: process", "has not been run",
                  "can't run: n/a"):
        assert words in text
    assert folder_of(ground.cells["good"], ground.results).state() == "done"
    (folder_of(ground.cells["good"], ground.results).path / "scores.json").write_text("{}")
    assert "was damaged: scores.json is not as it was written" in say("retry", "small.toml", "good", "bad")


def test_clean_lists_and_removes_only_when_told(ground: Any, say: Any) -> None:
    (record,) = [path for path in (ground.results / "cells").iterdir() if path.name.startswith("changed")]
    stage = ground.results / "stages" / "pretrain-0000000000000000"
    stage.mkdir(parents=True)
    (stage / "weights.safetensors").write_bytes(b"x" * 2048)
    text = say("clean", "small.toml")
    assert "records of cells that the grid no longer has: 1" in text and f"cells/{record.name}" in text
    assert "stages that no cell of the grid refers to: 1, 2 KiB" in text and "2 things" in text
    assert record.is_dir() and stage.is_dir()
    assert "stages are not looked at: which are of use only the grid itself tells" in say("clean", "results/small")
    text = say("clean", "small.toml", "--yes")
    assert "removed 2 things" in text and not record.exists() and not stage.exists()
    assert folder_of(ground.cells["good"], ground.results).state() == "done"
    assert "nothing to clean" in say("clean", "small.toml", "--yes")


def test_clean_keeps_what_the_last_run_asked_for(ground: Any, say: Any) -> None:
    good = folder_of(ground.cells["good"], ground.results)
    text = say("clean", "small.toml", "-S", "text.length=20", "--yes")
    assert f"cells/{good.path.name}  (stays: the last run asked for it" in text
    assert "stages are not looked at: the last run asked for other cells" in text
    assert good.state() == "done"
    (ground.results / "grid.json").unlink()
    assert "has no grid.json" in say("clean", "results/small", "--yes", code=2)
