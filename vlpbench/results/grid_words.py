"""A record's settings in the words of a grid file: dotted keys and values, all but the seed and where files are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vlpbench.config.known import backbone_parts

__all__ = ["dotted", "in_grid_words"]

_TABLES = {"objectives": "objective", "sources": "data"}
"""Tables that a grid file calls otherwise than a record does."""

_ELSEWHERE = frozenset({"seed", "init"})
"""Settings that are told in other words: the seed is the cell's, of `init` the files' contents decide.

Where the files of data sets are (`folder`) decides nothing either, and is left out.
"""


def in_grid_words(settings: Mapping[str, Any]) -> dict[str, Any]:
    """`{"optim": {"lr": 0.1}}` as `{"optim.lr": 0.1}`, for all of a record's settings; lists stay whole."""
    trunk = backbone_parts(settings["backbone"])[1] if "wiring" in settings else ""
    names = {**_TABLES, "wiring": f"trunk.{trunk}"}
    found: dict[str, Any] = {}
    for name, value in settings.items():  # `data` and `sources` have one name here, so table by table
        if name not in _ELSEWHERE:
            found |= dotted({names.get(name, name): value})
    return {key: value for key, value in found.items() if not (key.startswith("data.") and key.endswith(".folder"))}


def dotted(table: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    """Dotted key -> value of a nested table, whatever its words; `before` stands in front of every key."""
    found: dict[str, Any] = {}
    for name, value in table.items():
        found |= dotted(value, f"{before}{name}.") if isinstance(value, Mapping) else {f"{before}{name}": value}
    return found
