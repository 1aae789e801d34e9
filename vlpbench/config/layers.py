"""Settings of a cell back as dotted keys, in the order in which they are documented."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from vlpbench.config.keys import SECTIONS
from vlpbench.config.known import backbone_parts
from vlpbench.config.settings import CellSettings
from vlpbench.config.typed import fields_of, plain

__all__ = ["layer_of"]


def layer_of(settings: CellSettings) -> dict[str, Any]:
    """Every setting of a cell by its dotted key, plain, in the order of `CellSettings`."""
    whole = plain(settings)
    tables = {
        "objectives": "objective", "sources": "data", "protocol": "protocol",
        "wiring": f"trunk.{backbone_parts(settings.backbone)[1]}",
    }
    found: dict[str, Any] = {}
    for name in fields_of(CellSettings):
        if name in tables or name in SECTIONS:
            deepest = 1 if name in SECTIONS or name == "wiring" else 2
            found.update(_dotted(tables.get(name, name), whole[name], deepest))
        else:
            found[name] = whole[name]
    return found


def _dotted(before: str, table: Mapping[str, Any], depth: int) -> Iterator[tuple[str, Any]]:
    for name, value in table.items():
        key = f"{before}.{name}"
        if depth > 1:
            yield from _dotted(key, value, depth - 1)
        elif value and (key == "tune.tries" or (before.startswith("data.") and name == "text_noise")):
            yield from _dotted(key, value, 1)
        else:
            yield key, value
