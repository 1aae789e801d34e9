"""BibTeX read as far as citing needs it: entries with their keys and fields, braces balanced."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from vlpbench.errors import UserError

__all__ = ["Entry", "known_entries", "parse"]

_HEAD = re.compile(r"@(\w+)\s*\{\s*([^\s,{}]+)\s*,")
_FIELD = re.compile(r"\s*,?\s*(\w+)\s*=\s*")


@dataclass(frozen=True)
class Entry:
    """One entry."""

    kind: str
    """ "article", "inproceedings", "misc", ..."""
    key: str
    """What a paper cites it by."""
    fields: Mapping[str, str]
    """Field, in small letters -> its text without the outer braces or quotes."""
    text: str
    """As it stands in the file."""


@functools.cache
def known_entries() -> Mapping[str, Entry]:
    """Our own list by key."""
    path = Path(__file__).with_name("citations.bib")
    return {one.key: one for one in parse(path.read_text(encoding="utf-8"), path.name)}


def parse(text: str, place: str = "") -> list[Entry]:
    """All entries in order; UserError for one that has no key, whose braces do not close, or whose key came before.

    Text between entries is a comment.
    """
    found: dict[str, Entry] = {}
    at = text.find("@")
    while at >= 0:
        head = _HEAD.match(text, at)
        if head is None:
            line = text[at : at + 40].splitlines()[0]
            raise UserError(f"no BibTeX entry: {line!r}", place, "write @article{key, author = {...}, ...}")
        kind, key = head[1].lower(), head[2]
        end = _closed(text, text.index("{", at), key, place)
        if key in found:
            raise UserError(f"two BibTeX entries have the key {key!r}", place, "rename one")
        found[key] = Entry(kind, key, dict(_fields(text[head.end() : end], key, place)), text[at : end + 1])
        at = text.find("@", end)
    return list(found.values())


def _closed(text: str, start: int, key: str, place: str) -> int:
    """Where the brace at `start` closes."""
    depth = 0
    for at in range(start, len(text)):
        if text[at] in "{}" and text[at - 1] != "\\":
            depth += 1 if text[at] == "{" else -1
            if depth == 0:
                return at
    raise UserError(f"the braces of the BibTeX entry {key!r} do not close", place, "close them")


def _fields(body: str, key: str, place: str) -> Iterator[tuple[str, str]]:
    at = 0
    while body[at:].strip(" \t\r\n,"):
        name = _FIELD.match(body, at)
        if name is None:
            raise UserError(f"the BibTeX entry {key!r} has something else than name = {{text}}: "
                            f"{body[at:].strip()[:40]!r}", place, "put a comma between fields")
        value, at = _value(body, name.end(), key, place)
        yield name[1].lower(), " ".join(value.split())


def _value(body: str, start: int, key: str, place: str) -> tuple[str, int]:
    """A field's text and where it ends: in braces, in quotes, or bare."""
    if body[start : start + 1] == "{":
        end = _closed(body, start, key, place)
        return body[start + 1 : end], end + 1
    if body[start : start + 1] == '"':
        end = body.find('"', start + 1)
        if end < 0:
            raise UserError(f"a quote in the BibTeX entry {key!r} does not close", place, "close it")
        return body[start + 1 : end], end + 1
    bare = re.compile(r"[^,\s}]*").match(body, start)
    assert bare is not None  # it matches nothing, too
    return bare[0], bare.end()
