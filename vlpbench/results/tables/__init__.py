"""Tables for papers: what is asked for, the table as data, and one file a format it is written in."""

from __future__ import annotations

from vlpbench.results.tables.asked import Asked
from vlpbench.results.tables.build import build, long
from vlpbench.results.tables.model import Column, Entry, Line, Table

__all__ = ["Asked", "Column", "Entry", "Line", "Table", "build", "long"]
