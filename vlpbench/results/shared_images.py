"""Notes on images that were both learnt from and tested on, as the record's `overlap` counts them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from vlpbench.results.listed import listed

__all__ = ["overlap_notes"]


def overlap_notes(told: Iterable[tuple[str, Mapping[str, Any], Mapping[str, Any]]]) -> list[str]:
    """A line for each finding, one for all sets without; rows are named where they differ (row, settings, scores)."""
    found: dict[str, dict[str, dict[str, None]]] = {}
    clean: dict[tuple[str, str], dict[str, None]] = {}
    for row, settings, scores in told:
        split, sets = settings.get("split", "test"), scores.get("overlap", {})
        for name, one in sets.items():
            if one["exact"] + one["near"]:
                found.setdefault(name, {}).setdefault(_sentence(name, split, one), {})[row] = None
        without = " or ".join(name for name, one in sets.items() if not one["exact"] + one["near"])
        if without:
            clean.setdefault((split, without), {})[row] = None
    both = any(name in names.split(" or ") for _, names in clean for name in found)  # of one set, two things are said
    lines = [_in_rows(said, rows, both or len(ways) > 1) for ways in found.values() for said, rows in ways.items()]
    return lines + [
        _in_rows(f"no {split} image of {names} was found in what was trained on", rows, both or len(clean) > 1)
        for (split, names), rows in clean.items()
    ]


def _in_rows(said: str, rows: Iterable[str], named: bool) -> str:
    return said + (f" (rows: {listed(rows)})" if named else "")


def _sentence(name: str, split: str, one: Mapping[str, Any]) -> str:
    shared = one["exact"] + one["near"]
    kinds = f"{one['exact']:,} the same file, {one['near']:,} near {'copy' if one['near'] == 1 else 'copies'}"
    first = f"; first: {' = '.join(one['first'][0])}" if one.get("first") else ""
    verb = "is" if shared == 1 else "are"
    return f"{shared:,} of {one['of']:,} {split} images of {name} {verb} also in what was trained on ({kinds}{first})"
