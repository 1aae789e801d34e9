"""How all plots look: widths of a paper, inks that differ in grey, text that is text, and nothing global."""

from __future__ import annotations

import functools
import textwrap
import unicodedata
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, ParamSpec

from vlpbench.errors import unknown

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = [
    "FAINT", "GREY", "INKS", "WIDTHS", "Ink", "Width", "alternative", "blank", "clean", "finished", "house_style",
    "in_style", "inches", "legend_above", "name_rows", "wrapped",
]

Width = Literal["column", "page"]

WIDTHS: Mapping[str, float] = {"column": 3.3, "page": 6.75}
"""Inches: one column of a two-column paper, and both."""

GREY, FAINT = "#555555", "#bbbbbb"
"""For what stands beside the numbers: notes, floors, frames."""

_NOTE = 6.0
"""Points: the size of notes."""


@dataclass(frozen=True)
class Ink:
    """What a line or a set of points is drawn in; no two share any part."""

    colour: str
    """Of Okabe and Ito's palette, darkest first."""
    dash: Any
    """Line style, as matplotlib takes it."""
    marker: str
    """Shape of a point."""


INKS: tuple[Ink, ...] = (
    Ink("#000000", "-", "o"),
    Ink("#0072B2", (0, (5, 1.5)), "s"),
    Ink("#D55E00", (0, (1.2, 1.2)), "^"),
    Ink("#CC79A7", (0, (6, 1.5, 1.2, 1.5)), "D"),
    Ink("#E69F00", (0, (3, 1, 1, 1, 1, 1)), "v"),
)
"""Black, blue, vermillion, reddish purple, orange (jfly.uni-koeln.de/color): each lighter than the one before.

The palette's green, sky blue and yellow are left out: two are as light as a neighbour, one is too light for a line.
"""

_STYLE: dict[str, Any] = {
    "font.family": ["sans-serif"], "font.sans-serif": ["DejaVu Sans", "Verdana", "Arial", "Helvetica"],
    "font.size": 7, "axes.titlesize": 7, "axes.labelsize": 7, "xtick.labelsize": 6.5, "ytick.labelsize": 7,
    "legend.fontsize": 6.5, "legend.frameon": False, "legend.handlelength": 2.6,
    "axes.linewidth": 0.6, "axes.edgecolor": GREY, "axes.spines.top": False, "axes.spines.right": False,
    "axes.axisbelow": True, "axes.formatter.useoffset": False, "axes.grid": False,
    "xtick.major.width": 0.6, "ytick.major.width": 0.6, "xtick.major.size": 2.5, "ytick.major.size": 2.5,
    "xtick.color": GREY, "ytick.color": GREY, "xtick.labelcolor": "black", "ytick.labelcolor": "black",
    "lines.linewidth": 1.1, "lines.markersize": 3.5, "grid.color": "#e6e6e6", "grid.linewidth": 0.5,
    "figure.facecolor": "white", "savefig.facecolor": "white", "figure.dpi": 100,
    "figure.constrained_layout.h_pad": 0.03, "figure.constrained_layout.w_pad": 0.03,
    "text.parse_math": False, "text.usetex": False,
    "pdf.fonttype": 42, "ps.fonttype": 42, "svg.fonttype": "none", "svg.hashsalt": "vlpbench",
}
_P = ParamSpec("_P")


@contextmanager
def house_style() -> Iterator[None]:
    """matplotlib's own defaults with ours over them, whatever the user's settings say; undone at the end.

    A letter that the font lacks is drawn as a box (an SVG keeps it as text): no reason for a warning a letter.
    """
    import matplotlib.style

    with matplotlib.style.context(["default", _STYLE]), warnings.catch_warnings():
        warnings.filterwarnings("ignore", r"Glyph \d+ .* missing from", UserWarning)
        yield


def in_style(plot: Callable[_P, Figure]) -> Callable[_P, Figure]:
    """Draw in the house's style."""

    @functools.wraps(plot)
    def drawn(*args: _P.args, **options: _P.kwargs) -> Figure:
        with house_style():
            return plot(*args, **options)

    return drawn


def inches(width: str) -> float:
    """A width by name; UserError for one that there is not."""
    if width not in WIDTHS:
        raise unknown("width", width, WIDTHS, "--width")
    return WIDTHS[width]


def blank(width: str, height: float) -> Figure:
    """An empty figure of its own, `height` inches high: no window, and nothing that pyplot would remember."""
    from matplotlib.figure import Figure

    return Figure(figsize=(inches(width), height), layout="constrained")


def finished(figure: Figure, alternative: str, note: str = "") -> Figure:
    """The same figure with a note under it and a line that says what a reader of the text alone must know.

    Each line of the note begins anew in the picture.
    """
    if note:
        width = figure.get_figwidth()
        most = int(width * 20.5)  # a letter of 6 points is a twentieth of an inch wide
        lines = "\n".join(textwrap.fill(clean(part), most) for part in note.strip().split("\n"))
        figure.supxlabel(lines, x=0.01, ha="left", fontsize=_NOTE, color=GREY, linespacing=1.15)
    figure.set_label(clean(alternative))
    return figure


def alternative(figure: Figure) -> str:
    """One line instead of the picture."""
    return str(figure.get_label())


def clean(text: str) -> str:
    """Text without characters that XML cannot hold or that would end a line."""
    spaced = (" " if char.isspace() else char for char in text)
    return "".join("\ufffd" if unicodedata.category(char) in ("Cc", "Cs", "Cn") else char for char in spaced)


def wrapped(name: str, longest: int, lines: int = 2) -> str:
    """A name in at most so many lines of so many characters; what is longer loses its middle."""
    room = longest * lines
    name = clean(name).strip()
    if len(name) > room:
        name = f"{name[: room // 2 - 1]}…{name[-(room // 2 - 1) :]}"
    found = [part.strip() for part in textwrap.wrap(name, longest, break_long_words=True)]
    if len(found) > lines:  # breaking at spaces took a line too many
        found = [name[at : at + longest].strip() for at in range(0, len(name), longest)]
    return "\n".join(found)


def legend_above(figure: Figure, axes: Axes) -> None:
    """What the lines of `axes` are, above all panels, in as many columns as fit."""
    handles, names = axes.get_legend_handles_labels()
    if not handles:
        return
    room = figure.get_figwidth() / (0.055 * max(map(len, names)) + 0.45)  # inches: of a letter, of a handle
    figure.legend(handles, names, loc="outside upper left", ncols=max(1, min(len(names), int(room))),
                  borderaxespad=0.1, labelspacing=0.2, columnspacing=1.2)


def name_rows(axes: Axes, names: list[str], bold: set[int] | None = None) -> None:
    """Write rows' names along the vertical axis, first on top; places in `bold` are set in bold."""
    axes.set_yticks(range(len(names)), names, parse_math=False, linespacing=0.9)
    for at, label in enumerate(axes.get_yticklabels()):
        if at in (bold or ()):
            label.set_fontweight("bold")
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)
