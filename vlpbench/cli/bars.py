"""The part of a run's progress that moves, on a terminal: a line for each cell that runs, and two for the whole."""

from __future__ import annotations

import atexit
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rich.cells import cell_len, set_cell_size
from rich.console import Console, ConsoleOptions, RenderResult
from rich.live import Live
from rich.text import Text

from vlpbench.cli.durations import roughly

__all__ = ["Bars", "Line", "Picture", "cut"]

WIDEST_BAR, SHORT_BAR, NARROWEST_BAR, NARROWEST_NAME = 30, 12, 6, 16
GAP = 2
"""Blanks between two columns."""


@dataclass(frozen=True)
class Line:
    """A cell that runs."""

    name: str
    """Its row and seed."""
    stage: str = ""
    """What it does, or a sentence that says why it waits."""
    done: int = 0
    """Steps done, of `of`."""
    of: int = 0
    """Steps in all; 0 is not known."""
    loss: float | None = None
    """The last loss."""
    speed: float | None = None
    """Steps a second."""
    left: float | None = None
    """Seconds left in the cell."""
    held: int = 0
    """Bytes of memory."""
    waits: bool = False
    """Whether `stage` is a sentence, and nothing is counted."""

    def words(self) -> list[str]:
        """Steps, loss, speed, time left, memory; empty for what is not known."""
        return [
            f"{self.done}/{self.of}" if self.of else "",
            "" if self.loss is None else f"loss {self.loss:.{3 if abs(self.loss) < 100 else 0}f}",
            "" if self.speed is None else _speed(self.speed),
            "" if self.left is None else roughly(self.left),
            f"{self.held / 2**30:.1f} GiB" if self.held else "",
        ]


@dataclass(frozen=True)
class Picture:
    """All that is shown at one moment."""

    lines: Sequence[Line] = ()
    """The cells that run."""
    share: float = 0.0
    """How much of the whole is done, 0 to 1."""
    left: str = ""
    """How long the whole takes still."""
    counts: str = ""
    """How many cells are done, run, wait."""


class Bars:
    """Draws a picture below the lines that are printed, twice a second; it goes when the run ends, however it ends."""

    def __init__(self, picture: Callable[[], Picture], console: Console | None = None) -> None:
        self.picture = picture
        self.console = console or Console(stderr=True, highlight=False)
        self.live = Live(
            get_renderable=lambda: self, console=self.console, refresh_per_second=2, transient=True,
            vertical_overflow="crop",
        )

    def begin(self) -> None:
        """Draw from now on."""
        if not self.live.is_started:
            self.live.start()
            atexit.register(self.close)  # an error that nobody catches must not leave a terminal without its cursor

    def line(self, text: str) -> None:
        """Print a line above."""
        self.console.print(Text(text), soft_wrap=True)

    def close(self) -> None:
        """Take all away, and give the cursor back."""
        atexit.unregister(self.close)
        if self.live.is_started:
            self.live.stop()

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        now, width = self.picture(), options.max_width
        room = max(1, console.size.height - 4)
        shown, hidden = now.lines[:room], len(now.lines) - room
        pen = _Pen(options.ascii_only, console.color_system is not None)
        rows = _cells(shown, width, pen) if shown else []
        if hidden > 0:
            rows.append(Text(f"and {hidden} more", style="dim"))
        if now.counts:
            said = f"{now.share:4.0%}  {now.left}".rstrip()
            bar = pen.bar(now.share, max(NARROWEST_BAR, min(60, width - len(said) - 1)))
            rows += [Text.assemble(bar, said), Text(now.counts)]
        for row in rows:
            row.truncate(width)
            yield row


@dataclass(frozen=True)
class _Pen:
    """What a terminal can draw."""

    ascii_only: bool
    colours: bool

    @property
    def mark(self) -> str:
        """Stands for what was cut out."""
        return "~" if self.ascii_only else "…"

    def bar(self, share: float, width: int) -> Text:
        """A bar, filled from the left."""
        full, empty = ("#", "-") if self.ascii_only else ("━", "━" if self.colours else "╌")
        filled = round(min(1.0, max(0.0, share)) * width)
        return Text.assemble((full * filled, "cyan"), (empty * (width - filled), "bright_black"))


def _cells(lines: Sequence[Line], width: int, pen: _Pen) -> list[Text]:
    """A line each. The names get what the words leave, the bar what the names leave; the least needed words may go."""
    said = [line.words() for line in lines]
    stage = min(18, max((cell_len(line.stage) for line in lines if not line.waits), default=0))
    for columns in ((0, 1, 2, 3, 4), (0, 1, 2, 3), (0, 1, 3), (0, 3)):
        widths = {n: most for n in columns if (most := max(len(words[n]) for words in said))}
        rest = width - sum(widths.values()) - GAP * len(widths) - stage - GAP
        if rest >= NARROWEST_NAME:
            break
    room = rest - GAP - SHORT_BAR if rest >= 3 * SHORT_BAR else rest  # of a wide terminal the bar gets its share
    name = max(1, min(max(cell_len(line.name) for line in lines), room))
    bar = min(WIDEST_BAR, rest - name - GAP)
    rows = []
    for line, words in zip(lines, said, strict=True):
        row = Text(_wide(cut(line.name, name, pen.mark), name + GAP), style="dim" if line.waits else "")
        if line.waits:
            rows.append(row.append(cut(line.stage, max(1, width - name - GAP), pen.mark)))
            continue
        row.append(_wide(cut(line.stage, stage, pen.mark), stage))
        if bar >= NARROWEST_BAR:
            row.append(" " * GAP).append_text(pen.bar(line.done / line.of if line.of else 0.0, bar))
        for n, most in widths.items():
            row.append(" " * GAP + words[n].rjust(most))
        rows.append(row)
    return rows


def _wide(text: str, width: int) -> str:
    return set_cell_size(text, width)


def _speed(speed: float) -> str:
    """Steps a second with about three digits; slow ones the other way round."""
    if speed < 0.1:
        return f"{1 / speed:.0f} s each"
    return f"{speed:.{2 if speed < 10 else 1 if speed < 100 else 0}f}/s"


def cut(text: str, width: int, mark: str = "…") -> str:
    """The text, with its middle left out where it is wider than that: names differ at both ends."""
    if cell_len(text) <= width:
        return text
    tail = (width - 1) // 2
    end = set_cell_size(text[::-1], tail)[::-1].lstrip() if tail else ""
    return set_cell_size(text, max(0, width - 1 - tail)).rstrip() + mark + end
