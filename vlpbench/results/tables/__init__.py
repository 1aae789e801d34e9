"""Tables for papers: what is asked for, the table as data, and one file a format it is written in."""

from __future__ import annotations

from vlpbench.results.tables.asked import Asked
from vlpbench.results.tables.build import build, long
from vlpbench.results.tables.entry_text import frame
from vlpbench.results.tables.html import html
from vlpbench.results.tables.latex import latex
from vlpbench.results.tables.markdown import markdown
from vlpbench.results.tables.model import Column, Entry, Line, Table
from vlpbench.results.tables.styled import styler

__all__ = [
    "Asked", "Column", "Entry", "Line", "Table", "build", "frame", "html", "latex", "long", "markdown", "styler",
]
