"""Figures as files: PDF, SVG and PNG whose bytes depend on the figure alone, and SVG as text for a page."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vlpbench.errors import UserError, nearest
from vlpbench.files import written_whole
from vlpbench.results.plots.style import alternative, house_style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["FORMATS", "form_of", "svg", "write"]

FORMATS = ("pdf", "svg", "png")
"""What a plot can be written as, by the file's suffix."""

_NO_DATES: dict[str, dict[str, Any]] = {
    "pdf": {"CreationDate": None, "Creator": "vlpbench", "Producer": "matplotlib"},
    "svg": {"Date": None, "Creator": "vlpbench"},
    "png": {"Software": "vlpbench"},
}


def form_of(path: Path) -> str:
    """The format that a file's suffix names; UserError with the nearest right one."""
    form = path.suffix.lower().removeprefix(".")
    if form not in FORMATS:
        near = nearest(form, FORMATS) or "pdf"
        cause = f"no plot can be written as {path.suffix!r}" if form else "the file's name has no suffix"
        remedy = f"did you mean {path.with_suffix('.' + near).name}? known: {', '.join(FORMATS)}"
        raise UserError(cause, f"--out {path}", remedy)
    return form


def write(figure: Figure, path: Path) -> None:
    """Write a figure, whole or not at all, in the format that the name ends in; UserError for another ending."""
    form = form_of(path)
    content = _bytes(figure, form)
    with written_whole(path) as temporary:
        temporary.write_bytes(content)


def svg(figure: Figure) -> str:
    """The figure as an SVG document; its letters stay letters, and its title says what it shows."""
    return _bytes(figure, "svg").decode()


def _bytes(figure: Figure, form: str) -> bytes:
    there = io.BytesIO()
    with house_style():
        figure.savefig(there, format=form, dpi=200, metadata={**_NO_DATES[form], "Title": alternative(figure)})
    return there.getvalue()
