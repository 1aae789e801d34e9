"""A field of numbers: shaded, written out with their intervals, and where there is none hatched, saying why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vlpbench.results.plots.style import GREY, blank, inches, wrapped

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["Place", "matrix"]

_SPACE = {"column": 17, "page": 30}
"""Characters of a line's name."""


@dataclass(frozen=True)
class Place:
    """One place of the field."""

    value: float = float("nan")
    """The number, in the unit of print."""
    half: float = float("nan")
    """Half of its interval; NaN for none."""
    instead: str = ""
    """Where there is no number: why."""


def matrix(
    lines: Sequence[str], columns: Sequence[str], places: Sequence[Sequence[Place]], width: str,
    bold: Sequence[int] = (), is_lower_better: bool = False, split: int = 0,
) -> Figure:
    """Draw places[line][column]; darker is better. Lines of `bold` have their names in bold.

    `split`: a rule stands before this column.
    """
    longest = _SPACE.get(width, 30)
    names = [wrapped(name, longest) for name in lines]
    heads = [wrapped(name, 32, 1) for name in columns]
    left = 0.058 * max(len(part) for name in names for part in name.split("\n")) + 0.1
    room = (inches(width) - left) / len(columns)
    if _is_upright(heads, room):  # in two lines they may still lie
        folded = [head.replace("/", "/\n", 1) for head in heads]
        heads = heads if _is_upright(folded, room) else folded
    is_upright = _is_upright(heads, room)
    above = 0.06 * max(map(len, heads)) + 0.05 if is_upright else 0.27
    figure = blank(width, above + 0.3 * len(names) + 0.45)
    axes = figure.subplots()
    ends = [place.value for line in places for place in line if place.value == place.value]
    low, high = (min(ends), max(ends)) if ends else (0.0, 1.0)
    for y, line in enumerate(places):
        if line[0].instead and len({place.instead for place in line}) == 1:
            _draw_reason(axes, (-0.5, y), len(line), line[0].instead, room)  # once is enough
            continue
        for x, place in enumerate(line):
            if place.instead:
                _draw_reason(axes, (x - 0.5, y), 1, place.instead, room)
            else:
                _draw_number(axes, (x, y), place, _shade(place.value, low, high, is_lower_better), room)
    if split:
        axes.axvline(split - 0.5, color="black", linewidth=1.0)
    axes.set_xlim(-0.5, len(columns) - 0.5)
    axes.set_ylim(len(lines) - 0.5, -0.5)
    axes.xaxis.tick_top()
    axes.set_xticks(range(len(columns)), heads, parse_math=False, rotation=90 if is_upright else 0)
    axes.set_yticks(range(len(lines)), names, parse_math=False, linespacing=0.9)
    for at in bold:
        axes.get_yticklabels()[at].set_fontweight("bold")
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    return figure


def _is_upright(heads: Sequence[str], room: float) -> bool:
    """Whether heads must stand upright where each has so many inches."""
    return 0.055 * max(len(line) for head in heads for line in head.split("\n")) + 0.06 > room


def _shade(value: float, low: float, high: float, is_lower_better: bool) -> float:
    """0 (white) to 0.6 (black writing on it still has a contrast of 6); the middle where all are one."""
    if high <= low:
        return 0.3
    part = (value - low) / (high - low)
    return 0.03 + 0.57 * (1 - part if is_lower_better else part)


def _draw_reason(axes: Axes, start: tuple[float, float], places: int, reason: str, room: float) -> None:
    """So many places without a number, side by side from `start` (left edge, line), each `room` inches wide."""
    from matplotlib.patches import Rectangle

    left, y = start
    axes.add_patch(
        Rectangle((left, y - 0.5), places, 1, facecolor="white", edgecolor="#d0d0d0", hatch="////", linewidth=0)
    )
    text = wrapped(reason, max(4, int(places * room / 0.052)), 3)
    axes.text(left + places / 2, y, text, ha="center", va="center", fontsize=5, style="italic", color=GREY,
              parse_math=False, linespacing=0.9, bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.4},
              in_layout=False)


def _draw_number(axes: Axes, at: tuple[int, int], place: Place, shade: float, room: float) -> None:
    """One place, `room` inches wide: its number, and half of its interval where there is room.

    Numbers lie within the axes, and the layout need not measure hundreds of them.
    """
    import matplotlib
    from matplotlib.patches import Rectangle

    x, y = at
    colour = matplotlib.colormaps["Blues"](shade)
    axes.add_patch(Rectangle((x - 0.5, y - 0.5), 1, 1, facecolor=colour, edgecolor="white", linewidth=0.8))
    has_half = place.half == place.half and room >= 0.3
    number = f"{place.value:.1f}" if room >= 0.27 else f"{place.value:.0f}"
    axes.text(x, y - (0.14 if has_half else 0), number, ha="center", va="center", fontsize=6.5, in_layout=False)
    if has_half:
        axes.text(x, y + 0.24, f"±{place.half:.1f}", ha="center", va="center", fontsize=5, in_layout=False)
