"""BibTeX of what results used: the framework, objectives, backbones, data sets, metrics and statistics."""

from __future__ import annotations

from vlpbench.results.citations.bibtex import Entry, known_entries, parse
from vlpbench.results.citations.collected import Citation, citations, every_citation, framework
from vlpbench.results.citations.text import citations_text

__all__ = [
    "Citation", "Entry", "citations", "citations_text", "every_citation", "framework", "known_entries", "parse",
]
