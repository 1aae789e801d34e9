"""A checklist as text: Markdown, LaTeX to paste, JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from typing import Literal

from vlpbench.results.checklist.item import Item
from vlpbench.results.tables.latex_text import escaped_prose

__all__ = ["checklist_text"]

_WORDS = {"answered": "from the records", "in part": "from the records, in part", "not from records": "yours to answer"}


def checklist_text(items: Sequence[Item], form: Literal["md", "latex", "json"] = "md") -> str:
    """The items as "md", "latex" (a description list, no package needed) or "json". No newline at the end."""
    if form == "json":
        return json.dumps([{**asdict(one), "answered": one.answered} for one in items], indent=1, ensure_ascii=False)
    return "\n".join(_latex(items) if form == "latex" else _markdown(items))


def _markdown(items: Iterable[Item]) -> Iterator[str]:
    venue = ""
    for one in items:
        if one.venue != venue:
            yield f"{chr(10) if venue else ''}# {one.venue}"
            venue = one.venue
        yield f"\n## {_head(one)} ({_WORDS[one.answered]})\n"
        yield from (f"- {line}" for line in one.says)
        yield from (f"- **you must**: {line}" for line in one.must)


def _latex(items: Iterable[Item]) -> Iterator[str]:
    """Lists in a list; lines break where they must, for the sake of commands and versions."""
    yield r"\begin{description}\sloppy"
    for one in items:
        label = f"{one.venue} {one.number}".strip()
        yield rf"\item[{escaped_prose(label)}] \emph{{{escaped_prose(one.asks)}}} ({_WORDS[one.answered]})"
        yield r"\begin{itemize}"
        yield from (rf"  \item {escaped_prose(line)}" for line in one.says)
        yield from (rf"  \item \textbf{{You must:}} {escaped_prose(line)}" for line in one.must)
        yield r"\end{itemize}"
    yield r"\end{description}"


def _head(one: Item) -> str:
    return f"{one.number}. {one.asks}" if one.number else one.asks
