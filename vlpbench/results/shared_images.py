"""Notes on images that were both pretrained on and tested on, as the record's `overlap` counts them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

__all__ = ["overlap_notes"]


def overlap_notes(told: Iterable[tuple[str, Mapping[str, Any], Mapping[str, Any]]]) -> list[str]:
    """One line for each data set and finding, with the rows where rows differ (row, settings, scores of each cell)."""
    found: dict[str, dict[str, dict[str, None]]] = {}
    for row, settings, scores in told:
        for name, one in scores.get("overlap", {}).items():
            said = _sentence(name, settings.get("split", "test"), one)
            found.setdefault(name, {}).setdefault(said, {})[row] = None
    return [
        said + (f" (rows: {', '.join(rows)})" if len(ways) > 1 else "")
        for ways in found.values()
        for said, rows in ways.items()
    ]


def _sentence(name: str, split: str, one: Mapping[str, Any]) -> str:
    shared = one["exact"] + one["near"]
    if not shared:
        return f"no {split} image of {name} was found in the pretraining data"
    kinds = f"{one['exact']:,} the same file, {one['near']:,} near {'copy' if one['near'] == 1 else 'copies'}"
    first = f"; first: {' = '.join(one['first'][0])}" if one.get("first") else ""
    verb = "is" if shared == 1 else "are"
    return f"{shared:,} of {one['of']:,} {split} images of {name} {verb} also in the pretraining data ({kinds}{first})"
