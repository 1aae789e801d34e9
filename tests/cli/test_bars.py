"""The moving part of progress, on a made terminal."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from vlpbench.cli import bars
from vlpbench.cli.bars import Bars


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    out = io.StringIO()
    made = Console(file=out, force_terminal=True, width=100, color_system=None)
    monkeypatch.setattr(bars, "Console", lambda **_: made)
    return out


def test_bars_move_and_go_and_lines_stay(screen: io.StringIO) -> None:
    moving = Bars()
    moving.show("a", "prefix-lm, seed 0", 0.25, "pretrain 25% loss 1.500")
    moving.line("  0:05  none, seed 0: [vqa]")
    moving.show("a", "prefix-lm, seed 0", 0.5, "pretrain 50% loss 1.000")
    moving.progress.refresh()
    assert [task.completed for task in moving.progress.tasks] == [0.5]
    moving.drop("a")
    moving.drop("never there")
    assert not moving.progress.tasks
    moving.close()
    shown = screen.getvalue()
    assert "none, seed 0: [vqa]" in shown and "pretrain 50% loss 1.000" in shown
