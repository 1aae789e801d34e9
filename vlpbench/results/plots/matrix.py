"""A field of numbers: shaded, written out with their intervals, and where there is none hatched, saying why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vlpbench.results.plots.style import GREY, blank, wrapped

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
    bold: Sequence[int] = (), is_lower_better: bool = False,
) -> Figure:
    """Draw places[line][column]; darker is better. Lines of `bold` have their names in bold."""
    longest = _SPACE.get(width, 30)
    names = [wrapped(name, longest) for name in lines]
    heads = [wrapped(name, 22, 1) for name in columns]
    left = 0.058 * max(len(part) for name in names for part in name.split("\n")) + 0.1
    is_upright = _is_upright(heads, (3.3 if width == "column" else 6.75) - left)
    above = 0.15 if not is_upright else 0.06 * max(map(len, heads)) + 0.05
    figure = blank(width, above + 0.3 * len(names) + 0.45)
    axes = figure.subplots()
    across = (figure.get_figwidth() - left) / len(columns)
    ends = [place.value for line in places for place in line if place.value == place.value]
    low, high = (min(ends), max(ends)) if ends else (0.0, 1.0)
    for y, line in enumerate(places):
        for x, place in enumerate(line):
            _draw_place(axes, (x, y), place, _shade(place.value, low, high, is_lower_better), across)
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
    """Whether heads must stand upright to fit into so many inches."""
    return 0.058 * max(map(len, heads)) + 0.06 > room / len(heads)


def _shade(value: float, low: float, high: float, is_lower_better: bool) -> float:
    """0 (white) to 0.72 (dark enough to see, light enough to write on); the middle where all are one."""
    if high <= low:
        return 0.35
    part = (value - low) / (high - low)
    return 0.04 + 0.68 * (1 - part if is_lower_better else part)


def _draw_place(axes: Axes, at: tuple[int, int], place: Place, shade: float, across: float) -> None:
    """One place, `across` inches wide: its number and half-interval as far as there is room, or why there is none."""
    import matplotlib
    from matplotlib.patches import Rectangle

    x, y = at
    corner = (x - 0.5, y - 0.5)
    if place.value != place.value:
        axes.add_patch(Rectangle(corner, 1, 1, facecolor="white", edgecolor="#d0d0d0", hatch="////", linewidth=0))
        text = wrapped(place.instead, max(4, int(across / 0.052)), 3)
        axes.text(x, y, text, ha="center", va="center", fontsize=5, style="italic", color=GREY, parse_math=False,
                  linespacing=0.9, bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.4})
        return
    colour = matplotlib.colormaps["Blues"](shade)
    axes.add_patch(Rectangle(corner, 1, 1, facecolor=colour, edgecolor="white", linewidth=0.8))
    ink = "white" if shade > 0.58 else "black"
    has_half = place.half == place.half and across >= 0.3
    number = f"{place.value:.1f}" if across >= 0.27 else f"{place.value:.0f}"
    axes.text(x, y - (0.14 if has_half else 0), number, ha="center", va="center", fontsize=6.5, color=ink)
    if has_half:
        axes.text(x, y + 0.24, f"±{place.half:.1f}", ha="center", va="center", fontsize=5, color=ink)
