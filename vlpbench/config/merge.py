"""Layers of settings become the whole settings of a cell: defaults filled in, parts of the backbone put together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from vlpbench.config.keys import SECTIONS, Layer
from vlpbench.config.known import Known, backbone_parts
from vlpbench.config.settings import CellSettings, Protocol
from vlpbench.config.sums import format_sum, parse_sum
from vlpbench.config.typed import WrongValue, fields_of, make, plain

__all__ = ["KeyedError", "merge", "settings_of"]


class KeyedError(WrongValue):
    """Settings that do not fit together; `key` is where to look."""

    def __init__(self, key: str, wrong: WrongValue) -> None:
        super().__init__(str(wrong), wrong.remedy)
        self.key = key


def merge(layers: Iterable[Layer]) -> dict[str, Any]:
    """One layer that says what all of them say, later ones winning; `stem`, `trunk`, `size` go into `backbone`."""
    whole: dict[str, Any] = {"backbone": CellSettings.backbone}
    for layer in layers:
        for key, value in layer.items():
            if key not in ("stem", "trunk", "size"):
                _put(whole, key, value)
        parts = backbone_parts(whole["backbone"])
        names = ("stem", "trunk", "size")
        whole["backbone"] = "/".join(layer.get(name, part) for name, part in zip(names, parts, strict=True))
    return whole


def _put(whole: dict[str, Any], key: str, value: Any) -> None:
    """Set one key; a key below a setting that is a table changes one entry of that table."""
    path = key.split(".")
    depth = 3 if path[0] in ("protocol", "objective", "data") else 2
    top, rest = ".".join(path[:depth]), path[depth:]
    for part in reversed(rest):
        value = {part: value}
    whole[top] = _overlaid(whole.get(top), value) if rest else value


def _overlaid(old: Any, new: Any) -> Any:
    if not (isinstance(old, Mapping) and isinstance(new, Mapping)):
        return new
    return {**old, **{key: _overlaid(old.get(key), value) for key, value in new.items()}}


def settings_of(whole: Layer, seed: int, known: Known) -> CellSettings:
    """The settings of one cell from merged, checked keys. What it does not use is left out, so it cannot matter.

    Raises KeyedError where an objective's or a data set's own settings do not fit together.
    """
    terms = parse_sum(whole.get("objective", CellSettings.objective), known.objectives)
    data = whole.get("data", CellSettings.data)
    tasks = tuple(whole.get("tasks", CellSettings.tasks))
    protocol = {task: _protocol(whole, task, data) for task in tasks}
    names = dict.fromkeys([data, *(one.data for one in protocol.values())])
    top = {key: value for key, value in whole.items() if key in fields_of(CellSettings) and "." not in key}
    sections = {name: _made(f"{name}", cls, _under(whole, name)) for name, cls in SECTIONS.items()}
    chosen = {
        "objective": format_sum(terms), "data": data, "tasks": tasks, "seed": seed, "protocol": protocol,
        "objectives": {name: _objective(whole, name, known) for _, name in terms},
        "sources": {name: source(whole, name, known) for name in names},
    }
    return CellSettings(**{**top, **sections, **chosen})


def _under(whole: Layer, table: str) -> dict[str, Any]:
    """The keys of one table, without its name."""
    start = f"{table}."
    return {key[len(start) :]: value for key, value in whole.items() if key.startswith(start)}


def _made(key: str, cls: type, values: Mapping[str, Any]) -> Any:
    try:
        return make(cls, values)
    except WrongValue as wrong:
        raise KeyedError(key, wrong) from wrong


def _protocol(whole: Layer, task: str, data: str) -> Protocol:
    """A task's readout; what `[protocol.captioning]` says holds for `captioning@zero-shot` too."""
    values = {**_under(whole, f"protocol.{task.partition('@')[0]}"), **_under(whole, f"protocol.{task}")}
    values["data"] = values.get("data") or data
    made = _made(f"protocol.{task}", Protocol, values)
    assert isinstance(made, Protocol)
    return made


def _objective(whole: Layer, name: str, known: Known) -> Mapping[str, Any]:
    key = f"objective.{name}"
    filled: Mapping[str, Any] = plain(_made(key, known.objectives[name], _under(whole, key)))
    return filled


def source(whole: Layer, name: str, known: Known) -> Mapping[str, Any]:
    """The settings of one data set, `kind` first; the kind is the name itself where the file does not say it."""
    key = f"data.{name}"
    values = _under(whole, key)
    kind = values.pop("kind", name)
    try:
        known.one("data set", kind, known.kinds)
    except WrongValue as wrong:
        remedy = f"{wrong.remedy}; or describe it in a table [data.{name}]"
        raise KeyedError("data", WrongValue(str(wrong), remedy)) from wrong
    return {"kind": kind, **plain(_made(key, known.kinds[kind], values))}
