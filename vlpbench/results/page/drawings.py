"""The plots of a page, each as a picture that the page carries itself."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vlpbench.errors import UserError
from vlpbench.results.plots import PLOTS, all_plots, alternative, draw, svg

if TYPE_CHECKING:
    from vlpbench.results.frame import Results

__all__ = ["Drawing", "drawings"]

_TALL = 1.6
"""Height over width from which a plot is tall."""

_MOST_BYTES = 1_200_000
"""How long all plots of a page may be as text, so that a page without a gallery stays under 2 MB."""


@dataclass(frozen=True)
class Drawing:
    """One plot."""

    name: str
    """Its kind, and the task where there is one for each."""
    sentence: str
    """What it shows."""
    words: str
    """The same for those who do not see it, with numbers."""
    source: str
    """The SVG as a data: address; a picture runs nothing and fetches nothing."""
    is_tall: bool
    """Whether it is much higher than wide: made to fit a screen, its letters could not be read."""


def drawings(results: Results, heard: Callable[[str], None]) -> tuple[list[Drawing], list[tuple[str, str]]]:
    """All that can be drawn, and (name, reason) of what cannot. `heard` is told each name before it is drawn."""
    can, cannot = all_plots(results)
    found, reasons, left = [], list(cannot.items()), _MOST_BYTES
    for kind, options in can:
        name = ", ".join([kind, *map(str, options.values())])
        heard(f"plot: {name}")
        try:
            figure = draw(results, kind, **options)
        except UserError as error:  # one task of several may lack what the plot needs
            reasons.append((name, error.cause))
            continue
        picture = base64.b64encode(svg(figure).encode()).decode()
        if len(picture) > left:
            reasons.append((name, f"it would make the page too large: vlpbench report plot --kind {kind} draws it"))
            continue
        left -= len(picture)
        source = f"data:image/svg+xml;base64,{picture}"
        sentence, is_tall = f"{name}: {PLOTS[kind].sentence}", figure.get_figheight() > _TALL * figure.get_figwidth()
        found.append(Drawing(name, sentence, alternative(figure), source, is_tall))
    return found, reasons
