"""Derived blocks in a page: what stands between `<!-- derived: WORDS -->` and `<!-- end -->`, on GitHub not to be seen.

A block that begins its line is a table, a list or a picture with lines of its own; any other is a number within a
sentence: `the mean is <!-- derived: value "SimVLM small" vqa accuracy mean -->67.4<!-- end --> points`. A marker of a
number must not begin a line, since a comment there ends the paragraph. What stands in fences is left alone.
"""

from __future__ import annotations

import re
import shlex
from pathlib import Path

from quantities import BLOCKS, Source, quantity

from vlpbench.errors import UserError

__all__ = ["refreshed"]

MARKER = re.compile(r"<!-- derived: (?P<words>[^\n]*?) -->(?P<held>.*?)<!-- end -->", re.DOTALL)
LONELY = re.compile(r"<!-- (?:derived: [^\n]*?|end) -->")
FENCE = re.compile(r"^```.*?^```[^\n]*$", re.MULTILINE | re.DOTALL)
BEGINS = re.compile(r"[ \t]*(?:[-*+>] |\d+\. )?[ \t]*")


def refreshed(text: str, source: Source, page: Path, *, is_shared: bool = False) -> str:
    """A page with what its blocks should hold. UserError names the line of a block that cannot be had.

    In a page that all grids share, each block begins with the name of its grid, and those of others are left.
    """
    fences = [found.span() for found in FENCE.finditer(text)]
    parts, done = [], 0
    for found in MARKER.finditer(text):
        if any(start <= found.start() < end for start, end in fences):
            continue
        between = text[done : found.start()]
        _check_lonely(between, text, done, page, fences)
        parts += [between, _block(found, text, source, page, is_shared)]
        done = found.end()
    _check_lonely(text[done:], text, done, page, fences)
    return "".join([*parts, text[done:]])


def _block(found: re.Match[str], text: str, source: Source, page: Path, is_shared: bool) -> str:
    """One block, marker and all."""
    place = _place(page, text, found.start())
    try:
        words = shlex.split(found["words"])
    except ValueError as error:
        raise UserError(f"the words of a block cannot be read: {error}", place, "close each quotation mark") from None
    if is_shared:
        grid, *words = words or [""]
        if grid != source.name:
            return found[0]
    if LONELY.search(found["held"]):
        raise UserError("a block begins before another ends", place, "put <!-- end --> behind what is derived")
    try:
        held = quantity(source, words, page.parent)
    except UserError as error:
        raise UserError(error.cause, f"{place}: {found['words']}", error.remedy) from None
    before = text[text.rfind("\n", 0, found.start()) + 1 : found.start()]
    if words[0] in BLOCKS:
        return f"<!-- derived: {found['words']} -->\n\n{held}\n\n<!-- end -->"
    if BEGINS.fullmatch(before):
        raise UserError("a number's marker begins a line, where a comment ends the paragraph", place,
                        "put a word of the sentence before it")
    return f"<!-- derived: {found['words']} -->{held}<!-- end -->"


def _check_lonely(between: str, text: str, start: int, page: Path, fences: list[tuple[int, int]]) -> None:
    for found in LONELY.finditer(between):
        at = start + found.start()
        if not any(begin <= at < end for begin, end in fences):
            raise UserError("a marker without its other half", _place(page, text, at),
                            "a block is <!-- derived: WORDS -->...<!-- end -->")


def _place(page: Path, text: str, at: int) -> str:
    return f"{page}:{text.count(chr(10), 0, at) + 1}"
