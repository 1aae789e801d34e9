"""A record's settings in the words of a grid file: dotted keys and values, all but the seed and where files are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from vlpbench.config.known import backbone_parts

__all__ = ["in_grid_words"]

_TABLES = {"objectives": "objective", "sources": "data"}
"""Tables that a grid file calls otherwise than a record does."""

_ELSEWHERE = frozenset({"seed", "init"})
"""Settings that are told in other words: the seed is the cell's, of `init` the files' contents decide."""


def in_grid_words(settings: Mapping[str, Any]) -> dict[str, Any]:
    """`{"optim": {"lr": 0.1}}` as `{"optim.lr": 0.1}`, for all of a record's settings; lists stay whole."""
    return dict(_flat(settings))


def _flat(settings: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in settings.items():
        if name == "wiring":
            yield from _dotted(f"trunk.{backbone_parts(settings['backbone'])[1]}", value)
        elif name not in _ELSEWHERE:
            yield from _dotted(_TABLES.get(name, name), value)


def _dotted(key: str, value: Any) -> Iterator[tuple[str, Any]]:
    if not isinstance(value, Mapping):
        yield key, value
        return
    for name, below in value.items():
        if not (key.startswith("data.") and name == "folder"):  # where files are decides nothing
            yield from _dotted(f"{key}.{name}", below)
