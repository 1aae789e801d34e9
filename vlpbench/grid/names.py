"""What a row of the table is called, and where in a cell's settings a key of the grid file stands."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from vlpbench.config.keys import PARTS
from vlpbench.config.known import backbone_parts
from vlpbench.config.merge import canonical_data, portion_of
from vlpbench.config.settings import CellSettings
from vlpbench.config.sums import format_sum, parse_sum
from vlpbench.config.typed import plain as plain_of

__all__ = ["is_match", "row_name"]

_SPEAKING = ("objective", "backbone", *PARTS, "data", "recipe")
"""Settings whose value says what it is."""

_ABSENT = object()


def row_name(name: str, changes: Mapping[str, Any], axes: Mapping[str, Any], settings: CellSettings) -> str:
    """The row's own name, or one made of what it changes, with its place on the axes behind it."""
    labels = [name] if name else _labels(changes, changes)
    labels += _labels(axes, [*axes, *(() if name else changes)])
    return ", ".join(labels) or settings.objective


def _labels(values: Mapping[str, Any], beside: Collection[str]) -> list[str]:
    last = [key.rpartition(".")[2] for key in beside]
    found = []
    for key, value in values.items():
        short = key.rpartition(".")[2]
        word = short if last.count(short) == 1 else key
        found.append(_text(value) if key in _SPEAKING else f"{word}={_text(value)}")
    return found


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "+".join(map(_text, value)) if isinstance(value, list | tuple) else str(value)


def is_match(rule: Mapping[str, Any], row: str, settings: CellSettings) -> bool:
    """Whether all that an `exclude` rule says holds for a cell."""
    plain = plain_of(settings)
    return all(_value(key, row, settings, plain) == _canonical(key, value) for key, value in rule.items())


def _canonical(key: str, value: Any) -> Any:
    if key == "objective":
        return format_sum(parse_sum(value))
    return canonical_data(value) if key in ("data", "texts") else value


def _value(key: str, row: str, settings: CellSettings, plain: Any) -> Any:
    if key == "row":
        return row
    if key in PARTS:
        return dict(zip(PARTS, backbone_parts(settings.backbone), strict=True))[key]
    head, *rest = key.split(".")
    if head == "trunk":
        plain = {"trunk": {backbone_parts(settings.backbone)[1]: plain["wiring"]}}
    if head == "data" and rest[1:] and rest[0] in settings.sources:
        plain = {"sources": {rest[0]: {**plain["sources"][rest[0]], **plain_of(portion_of(plain["sources"][rest[0]]))}}}
    place = {"objective": "objectives", "data": "sources"}.get(head, head) if rest else head
    for part in (place, *rest):
        if not isinstance(plain, Mapping):
            return _ABSENT
        plain = plain.get(part, _ABSENT)
    return plain
