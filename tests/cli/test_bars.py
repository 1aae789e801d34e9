"""The moving part of progress, on a made terminal."""

from __future__ import annotations

import io

import pytest
from rich.cells import cell_len
from rich.console import Console

from vlpbench.cli.bars import Bars, Line, Picture, cut

LONG = "SimVLM small (encoder-decoder, PrefixLM, conv3, pairs + text), seed 3"
FULL = Line(LONG, "pretrain", 12_000, 36_000, 2.345678, 12.34, 7_800, 3 * 2**29)


def _shown(picture: Picture, width: int, height: int = 40) -> list[str]:
    console = Console(file=io.StringIO(), force_terminal=True, width=width, height=height, color_system=None)
    with console.capture() as found:
        console.print(Bars(lambda: picture, console))
    return found.get().splitlines()


def test_at_140_columns_all_is_there() -> None:
    cell, whole, counts = _shown(Picture([FULL], 0.38, "2 h 10 min left, until 16:42", "4 of 12 done, 1 running"), 140)
    said = " ".join(cell.split())
    assert said.startswith("SimVLM small (encoder-decoder,") and "text), seed 3 pretrain ━━━━╌╌" in said
    assert said.endswith("12000/36000 loss 2.346 12.3/s 2 h 10 min 1.5 GiB")
    assert whole.rstrip().endswith("38%  2 h 10 min left, until 16:42") and whole.count("━") == 23
    assert counts.rstrip() == "4 of 12 done, 1 running"


@pytest.mark.parametrize("width", [1, 20, 40, 60, 80, 100])
def test_nothing_is_wider_than_the_terminal(width: int) -> None:
    waits = Line("rows", "waits for pretrain of another process, which may take long", waits=True)
    cells = [FULL, waits, Line("b", "vqa: predict", left=5)] * 3
    lines = _shown(Picture(cells, 0.5, "1:00 left, until 12:00", "0 of 9 done"), width)
    assert len(lines) == 11 and all(cell_len(line) <= width for line in lines)


def test_at_80_columns_both_ends_of_a_name_and_every_number_stay() -> None:
    line = _shown(Picture([FULL], 0, "", ""), 80)[0]
    assert line.startswith("SimVLM") and "…" in line and "seed 3   pretrain" in line
    assert "12000/36000" in line and "2 h 10 min" in line


def test_columns_stand_under_each_other() -> None:
    other = Line("b", "vqa", 1, 10, 123.4, 0.02, 3)
    lines = _shown(Picture([FULL, other]), 160)
    assert lines[0].startswith(f"{LONG}  pretrain  ━")
    assert lines[0].index("/36000") == lines[1].index("/10") - 3  # both end at the same column
    assert "50 s each" in lines[1] and "loss 123 " in lines[1]


def test_more_cells_than_the_terminal_is_high_are_counted() -> None:
    lines = _shown(Picture([FULL] * 20, 0.1, "", "0 of 20 done"), 80, height=10)
    assert len(lines) == 9 and lines[6].strip() == "and 14 more"


def test_cut_leaves_out_the_middle() -> None:
    assert cut("short", 5) == "short"
    assert cut("a long name, seed 7", 11) == "a lon…eed 7"
    assert cut("abc", 1) == "…" and cut("abc", 2, "~") == "a~"
    assert cell_len(cut("日本語の行, seed 1", 10)) <= 10


def test_the_view_goes_and_lines_stay() -> None:
    out = io.StringIO()
    console = Console(file=out, force_terminal=True, width=100, color_system=None)
    bars = Bars(lambda: Picture([FULL], 0.5, "", "1 running"), console)
    bars.close()  # not begun: nothing to take away
    assert out.getvalue() == ""
    bars.begin()
    bars.begin()
    bars.line("  0:05  none, [seed] 0: vqa")
    bars.close()
    bars.close()
    shown = out.getvalue()
    assert "none, [seed] 0: vqa" in shown and "12000/36000" in shown
    assert shown.count("\x1b[?25l") == shown.count("\x1b[?25h") == 1  # the cursor hides once and comes back
    bars.line("after")
    assert out.getvalue().endswith("after\n")


def test_a_terminal_without_unicode_gets_plain_letters() -> None:
    raw = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    console = Console(file=raw, force_terminal=True, width=80, color_system=None)
    console.print(Bars(lambda: Picture([FULL], 0.5, "", "1 running"), console))
    raw.flush()
    shown = raw.buffer.getvalue().decode("ascii")  # type: ignore[attr-defined]
    assert "~" in shown and "#" in shown and "1 running" in shown
