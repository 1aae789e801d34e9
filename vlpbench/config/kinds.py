"""Which kind each data set is said to be of: it decides what keys the set may have."""

from __future__ import annotations

from typing import Any

from vlpbench.config.keys import flatten

__all__ = ["kinds_in"]


def kinds_in(*tables: Any) -> dict[str, str]:
    """Name -> kind of the data sets in tables of settings, nested or dotted; of the kinds on an axis the first.

    Later tables win; what is no table, or no kind, is skipped.
    """
    found: dict[str, str] = {}
    for table in tables:
        for key, value in flatten(table) if isinstance(table, dict) else ():
            path, value = key.split("."), value[0] if isinstance(value, list) and value else value
            if len(path) == 3 and path[0] == "data" and path[2] == "kind" and isinstance(value, str):
                found[path[1]] = value
    return found
