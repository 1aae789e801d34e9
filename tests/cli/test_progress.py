"""What a run says on stderr."""

from __future__ import annotations

from pathlib import Path

import pytest

from vlpbench.cli.progress import Progress
from vlpbench.runner.events import Event


def test_one_line_an_event_and_a_count_of_ends(capsys: pytest.CaptureFixture[str]) -> None:
    names = {"a": "prefix-lm, seed 0", "b": "none, seed 0"}
    progress = Progress(names, {"a": {"pretrain": 100.0}, "b": {"vqa": 100.0}})
    progress.heard(Event("preparing", "", "data set digits", 1, 2))
    progress.heard(Event("started", "a"))
    progress.heard(Event("progress", "a", "pretrain", 10, 100, {"loss": 1.5}))
    progress.heard(Event("progress", "a", "pretrain", 20, 100, {"loss": 1.4}))
    progress.heard(Event("done", "a"))
    progress.heard(Event("failed", "b", "the loss is not finite at step 3"))
    progress.heard(Event("done", "not of this run"))
    progress.close({"done": 1, "failed": 1}, Path("results/demo"))
    out, err = capsys.readouterr()
    lines = err.splitlines()
    assert out == "" and len(lines) == 5
    assert "preparing: data set digits" in lines[0] and "prefix-lm, seed 0: pretrain" in lines[1]
    assert "[1/2] prefix-lm, seed 0: done (50% done" in lines[2]
    assert "[2/2] none, seed 0: FAILED: the loss is not finite at step 3 (100% done" in lines[3]
    assert lines[4].endswith("1 done, 1 failed; records in results/demo")


def test_a_long_silence_is_broken_by_how_far_things_are(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    progress = Progress({"a": "prefix-lm, seed 0"}, {"a": {"pretrain": 100.0}})
    progress.heard(Event("progress", "a", "pretrain", 10, 100, {"loss": 1.5}))
    monkeypatch.setattr("vlpbench.cli.progress.QUIET", -1.0)
    progress.heard(Event("progress", "a", "pretrain", 30, 100, {"loss": 0.25}))
    last = capsys.readouterr().err.splitlines()[-1]
    assert "prefix-lm, seed 0: pretrain 30% loss 0.250 (30% done" in last
