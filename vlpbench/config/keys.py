"""The settings of a grid file, each under one dotted key, the same in tables, axes, rows and overrides."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from vlpbench.config.known import Known
from vlpbench.config.limits import within
from vlpbench.config.problems import guess
from vlpbench.config.settings import Budget, CellSettings, ImageSettings, Optim, Protocol, TextSettings
from vlpbench.config.typed import WrongValue, described, fields_of, plain, typed
from vlpbench.errors import nearest

__all__ = ["SECTIONS", "TOP", "Layer", "checked", "flatten"]

Layer = Mapping[str, Any]
"""Settings by dotted key (`optim.lr`); later layers of a cell win over earlier ones."""

SECTIONS: Mapping[str, type] = {"budget": Budget, "optim": Optim, "image": ImageSettings, "text": TextSettings}
"""Tables of settings with one level of keys."""

_NAMED = ("protocol", "objective", "data")
_PARTS = ("stem", "trunk", "size")
_TYPES = fields_of(CellSettings)
TOP = (*(name for name in _TYPES if name not in {*SECTIONS, "protocol", "objectives", "sources", "seed"}), *_PARTS)
"""Settings without a table: `objective`, `backbone`, ..., and `stem`, `trunk`, `size` as parts of `backbone`."""


def flatten(table: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Dotted key and value of each setting in a table; below the level of settings, tables are values."""
    return _flatten(table, ())


def _flatten(table: Mapping[str, Any], before: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
    for name, value in table.items():
        path = (*before, *name.split("."))
        deepest = 3 if path[0] in _NAMED else 2
        if isinstance(value, dict) and value and len(path) < deepest:
            yield from _flatten(value, path)
        else:
            yield ".".join(path), value


def checked(key: str, value: Any, known: Known | None, kinds: Mapping[str, str]) -> Any:
    """The plain value of one setting; WrongValue if there is no such setting or it cannot have this value.

    `known` None leaves out what only plugins can tell; `kinds` is the kind of each data set named in the file.
    """
    path = key.split(".")
    if len(path) == 1:
        return _top(key, value, known)
    if path[0] in SECTIONS:
        return _field(SECTIONS[path[0]], path, 1, value)
    if path[0] == "protocol":
        _task(path[1], known)
        return _field(Protocol, path, 2, value)
    if path[0] in ("objective", "data"):
        return _plugged(path, value, known, kinds)
    near = nearest(path[0], {*SECTIONS, *_NAMED})
    remedy = f"did you mean {'.'.join([near, *path[1:]])!r}?" if near else guess("", {*TOP, *SECTIONS, *_NAMED})
    raise WrongValue(f"unknown setting {key!r}", remedy)


def _top(key: str, value: Any, known: Known | None) -> Any:
    if key == "seed":
        raise WrongValue("seeds are said once for all rows", 'write "seeds = [0, 1]" at the top of the file')
    if key in (*SECTIONS, *_NAMED) and value == {}:
        return value
    if key in (*SECTIONS, *_NAMED) and key not in TOP:
        raise WrongValue("must be a table of settings")
    if key not in TOP:
        raise WrongValue(f"unknown setting {key!r}", guess(key, {*TOP, *SECTIONS, *_NAMED}))
    found = typed(str if key in _PARTS else _TYPES[key], value)
    if known is not None:
        _known_name(key, found, known)
    return plain(found)


def _known_name(key: str, value: Any, known: Known) -> None:
    if key == "objective":
        known.objective(value)
    elif key == "backbone":
        known.backbone(value)
    elif key in _PARTS:
        known.part(key, value)
    elif key == "tasks":
        for task in value:
            _task(task, known)
        if len(set(value)) < len(value) or not value:
            raise WrongValue("must name each task once" if value else "names no task", guess("", known.tasks))


def _task(name: str, known: Known | None) -> None:
    if known is not None:
        known.one("task", name, known.tasks)


def _plugged(path: list[str], value: Any, known: Known | None, kinds: Mapping[str, str]) -> Any:
    """A setting of an objective or of a data set; its config class says what there is."""
    if known is None:
        return value
    what, name = path[0], path[1]
    if what == "objective":
        known.one("objective", name, known.objectives)
        cls = known.objectives[name]
    else:
        kind = value if path[2:] == ["kind"] else kinds.get(name, name)
        if not isinstance(kind, str):
            raise WrongValue(f"must be {described(str)}, not {kind!r}")
        known.one("kind of data set", kind, known.kinds)
        if path[2:] == ["kind"]:
            return value
        cls = known.kinds[kind]
    if len(path) == 2:
        if value != {}:
            raise WrongValue("must be a table of settings")
        return value
    return _field(cls, path, 2, value)


def _field(cls: type, path: list[str], at: int, value: Any) -> Any:
    """One field of a config class; deeper keys reach into a field that is a table."""
    fields = fields_of(cls)
    if len(path) <= at:
        raise WrongValue("must be a table of settings")
    if path[at] not in fields:
        raise WrongValue(f"unknown key {path[at]!r} of {'.'.join(path[:at])}", _near_key(path[:at], path[at], fields))
    for part in reversed(path[at + 1 :]):
        value = {part: value}
    found = plain(typed(fields[path[at]], value))
    within(f"{path[0]}.{path[at]}", found)
    for part in path[at + 1 :]:
        found = found[part]
    return found


def _near_key(before: list[str], name: str, fields: Mapping[str, Any]) -> str:
    """The nearest key with its whole way, since a user may be on any line; all keys if none is near."""
    said = guess(name, fields)
    return said.replace("'", f"'{'.'.join(before)}.", 1) if said.startswith("did you mean") else said or "it has none"
