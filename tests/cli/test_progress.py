"""What a run says on stderr."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest

from vlpbench.cli import progress as module
from vlpbench.cli.progress import Progress
from vlpbench.cli.work import Work
from vlpbench.runner.events import Event

NAMES = {"a": "prefix-lm, seed 0", "b": "none, seed 0"}
WORK = Work.of({"a": {"pretrain": 100.0}, "b": {"vqa": 100.0}})


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def _terminal(monkeypatch: pytest.MonkeyPatch, kind: str = "xterm") -> Terminal:
    """Standard error as a terminal; not a fixture, as pytest takes standard error back when a test begins."""
    made = Terminal()
    monkeypatch.setenv("TERM", kind)
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setattr(sys, "stderr", made)
    return made


def _told(capsys: pytest.CaptureFixture[str]) -> list[str]:
    out, err = capsys.readouterr()
    assert out == ""
    return [line[8:] for line in err.splitlines()]


def test_one_line_an_event_and_a_count_of_ends(capsys: pytest.CaptureFixture[str]) -> None:
    progress = Progress(NAMES, WORK)
    for event in (
        Event("preparing", "", "data set digits", 1, 2),
        Event("preparing", "", "data set digits", 2, 2),
        Event("started", "a"),
        Event("progress", "a", "pretrain", 10, 100, {"loss": 1.5}),
        Event("progress", "a", "pretrain", 20, 100, {"loss": 1.4}),
        Event("warning", "", "the code of prefix-lm has changed"),
        Event("done", "a"),
        Event("failed", "b", "the loss is not finite at step 3"),
        Event("done", "not of this run"),
    ):
        progress.heard(event)
    progress.close({"failed": 1, "done": 1}, Path("results/demo"))
    assert _told(capsys) == [
        "preparing: data set digits",
        "prefix-lm, seed 0: started",
        "prefix-lm, seed 0: pretrain",
        "warning: the code of prefix-lm has changed",
        "[1/2] prefix-lm, seed 0: done (50% done)",
        "[2/2] none, seed 0: FAILED: the loss is not finite at step 3 (100% done, about 0:00 left)",
        "1 done, 1 failed; records in results/demo",
    ]


def test_waiting_trying_again_and_stopping_are_said(capsys: pytest.CaptureFixture[str]) -> None:
    progress = Progress(NAMES, WORK)
    for event in (
        Event("waiting", "b", "run by process 12"),
        Event("started", "a"),
        Event("progress", "a", "waits for pretrain of process 12"),
        Event("progress", "a", "pretrain", 1, 10),
        Event("retried", "a", "RuntimeError: no\nmemory"),
        Event("started", "a"),
        Event("taken", "b", "done by another run"),
        Event("stopping", "", "Ctrl-C again ends them now"),
        Event("stopped", "a"),
        Event("timeout", "a", "it took longer than its 5 s"),
    ):
        progress.heard(event)
    lines = _told(capsys)
    assert lines[:6] == [
        "none, seed 0: run by process 12",
        "prefix-lm, seed 0: started",
        "prefix-lm, seed 0: waits for pretrain of process 12",
        "prefix-lm, seed 0: pretrain",
        "prefix-lm, seed 0: tried again: RuntimeError: no memory",
        "prefix-lm, seed 0: started",
    ]
    assert lines[6].startswith("[1/2] none, seed 0: another run has it: done by another run (")
    assert lines[7:9] == ["stopping: Ctrl-C again ends them now", "prefix-lm, seed 0: stopped"]
    assert lines[9].startswith("[2/2] prefix-lm, seed 0: TIMEOUT: it took longer") and lines[9].endswith("stopping)")


def test_a_thousand_finished_cells_are_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    names = {str(number): f"row {number}" for number in range(1001)}
    progress = Progress(names, Work.of({}))
    for number in range(1000):
        progress.heard(Event("reused", str(number)))
    progress.heard(Event("skipped", "1000", "n/a: needs decode"))
    progress.close({"done": 1000, "can't run": 1}, Path("results/x"))
    lines = _told(capsys)
    assert lines[0] == "[1000/1001] 1000 cells were done before"
    assert lines[1].startswith("[1001/1001] row 1000: can't run: n/a: needs decode")
    assert lines[2] == "1000 done, 1 can't run; records in results/x"
    again = Progress({"a": "x"}, Work.of({}))
    again.heard(Event("reused", "a"))
    again.close({"done": 1}, Path("r"))
    assert _told(capsys) == ["[1/1] 1 cell was done before", "1 done; records in r"]


def test_a_long_silence_is_broken_by_how_far_things_are(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    progress = Progress({"a": "prefix-lm, seed 0"}, Work.of({"a": {"pretrain": 100.0}}))
    progress.heard(Event("progress", "a", "pretrain", 10, 100, {"loss": 1.5}))
    progress.heard(Event("progress", "a", "pretrain", 20, 100, {"loss": 1.5}))
    monkeypatch.setattr(module, "QUIET", -1.0)
    progress.heard(Event("progress", "a", "pretrain", 30, 100, {"loss": 0.25}))
    lines = _told(capsys)
    assert len(lines) == 2 and lines[1].startswith("30% done: prefix-lm, seed 0: pretrain 30/100 loss 0.250")


def test_what_a_plugin_shouts_stays_on_one_short_line(capsys: pytest.CaptureFixture[str]) -> None:
    progress = Progress(NAMES, WORK)
    progress.heard(Event("failed", "a", "\x1b[2J[red]oh\r\n" + "y" * 5_000_000))
    (line,) = _told(capsys)
    assert "FAILED: [2J[red]oh yyy" in line and "yyy ... (" in line and len(line) < 600


def test_the_view_tells_of_each_cell_and_of_all(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = _terminal(monkeypatch)
    progress = Progress({**NAMES, "c": "conv2, seed 0", "d": "conv2, seed 1"}, WORK)
    for event in (
        Event("preparing", "", "data set digits", 1, 2),
        Event("skipped", "d", "n/a"),
        Event("started", "a"),
        Event("started", "b"),
        Event("progress", "a", "pretrain", 10, 100, {"loss": 1.5}, 2**30),
        Event("progress", "a", "pretrain", 20, 100),
        Event("progress", "b", "waits for pretrain of process 12"),
    ):
        progress.heard(event)
    picture = progress.picture()
    first, second = picture.lines
    assert (first.name, first.stage, first.done, first.of, first.loss) == (NAMES["a"], "pretrain", 20, 100, 1.5)
    assert first.speed is not None and first.held == 2**30 and not first.waits
    assert second.waits and second.stage == "waits for pretrain of process 12"
    assert picture.counts == "0 of 4 done, 1 can't run, 1 running, 2 waiting"
    progress.heard(Event("failed", "a", "why"))
    progress.heard(Event("started", "c"))
    assert [line.name for line in progress.picture().lines] == ["conv2, seed 0", NAMES["b"]]  # it has the free place
    progress.heard(Event("stopping", "", "soon"))
    assert progress.picture().left == "stopping"
    progress.close({"failed": 1}, Path("results/x"))
    shown = terminal.getvalue()
    assert "prefix-lm, seed 0: FAILED: why" in shown and shown.endswith("1 failed; records in results/x\n")
    assert "none, seed 0: started" not in shown  # the view shows it


def test_an_interrupt_leaves_the_terminal_clean(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = _terminal(monkeypatch)

    def run() -> None:
        with Progress(NAMES, WORK) as progress:
            progress.heard(Event("started", "a"))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run()
    shown = terminal.getvalue()
    assert shown.count("\x1b[?25l") == shown.count("\x1b[?25h") == 1


def test_a_dumb_terminal_gets_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = _terminal(monkeypatch, "dumb")
    progress = Progress(NAMES, WORK)
    progress.heard(Event("started", "a"))
    assert progress.bars is None and terminal.getvalue() == "  0:00  prefix-lm, seed 0: started\n"
