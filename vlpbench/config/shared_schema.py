"""Parts of a JSON schema that stand in many places are written once, under `$defs`."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

__all__ = ["shared"]

_MAPS = ("properties", "patternProperties", "$defs")
_LISTS = ("anyOf", "allOf", "prefixItems")
_ONES = ("items", "additionalProperties", "propertyNames", "if", "then", "not")
_LEAST = 60
"""Characters below which a part is not worth a name."""


def shared(schema: dict[str, Any]) -> dict[str, Any]:
    """The same schema, each repeated part replaced by a `$ref`; parts are called after their first place."""
    counts: Counter[str] = Counter()
    names: dict[str, str] = {}
    taken: set[str] = set()

    def count(way: str, part: dict[str, Any]) -> None:
        text = json.dumps(part, sort_keys=True)
        counts[text] += 1
        if counts[text] == 1:
            names[text] = way if way not in taken else f"{way}-{len(taken)}"
            taken.add(names[text])
            for step, below in _parts(part):
                count(f"{way}.{step}" if way else step, below)

    count("", schema)
    defs: dict[str, Any] = {}

    def written(part: dict[str, Any]) -> dict[str, Any]:
        text = json.dumps(part, sort_keys=True)
        if counts[text] < 2 or len(text) < _LEAST or "$ref" in part:
            return _mapped(part, written)
        name = names[text]
        if name not in defs:
            defs[name] = None  # a place in the order of first use
            defs[name] = _mapped(part, written)
        return {"$ref": f"#/$defs/{name}"}

    whole = _mapped(schema, written)
    return {**whole, "$defs": dict(sorted({**whole.get("$defs", {}), **defs}.items()))}


def _parts(schema: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The schemas directly inside a schema, each with a word for its place."""
    for key, value in schema.items():
        if key in _MAPS:
            yield from ((_plain(name), one) for name, one in value.items())
        elif key in _LISTS:
            yield from ((str(number), one) for number, one in enumerate(value, 1))
        elif key in _ONES and isinstance(value, dict):
            yield key, value


def _plain(name: str) -> str:
    """A name that needs no escapes in a reference."""
    return "".join(letter if letter.isalnum() or letter in "-_." else "" for letter in name)


def _mapped(schema: dict[str, Any], change: Callable[[dict[str, Any]], dict[str, Any]]) -> dict[str, Any]:
    """A schema whose inner schemas are changed."""
    found: dict[str, Any] = {}
    for key, value in schema.items():
        if key in _MAPS:
            found[key] = {name: change(one) for name, one in value.items()}
        elif key in _LISTS:
            found[key] = [change(one) for one in value]
        elif key in _ONES and isinstance(value, dict):
            found[key] = change(value)
        else:
            found[key] = value
    return found
