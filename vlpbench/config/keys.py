"""The settings of a grid file, each under one dotted key, the same in tables, axes, rows and overrides."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import is_dataclass
from typing import Any

from vlpbench.config.known import Known, terms
from vlpbench.config.limits import within
from vlpbench.config.problems import guess
from vlpbench.config.settings import (
    Budget,
    CellSettings,
    ImageSettings,
    Init,
    Optim,
    Portion,
    Protocol,
    TextSettings,
    Tune,
)
from vlpbench.config.task_name import protocol_names
from vlpbench.config.typed import WrongValue, described, fields_of, plain, shown, typed
from vlpbench.errors import nearest

__all__ = ["NAMED", "PARTS", "SECTIONS", "TOP", "Layer", "can_be_tried", "checked", "flatten"]

Layer = Mapping[str, Any]
"""Settings by dotted key (`optim.lr`); later layers of a cell win over earlier ones."""

SECTIONS: Mapping[str, type] = {
    "budget": Budget, "optim": Optim, "image": ImageSettings, "text": TextSettings, "init": Init, "tune": Tune,
}
"""Tables of settings with one level of keys."""

NAMED = ("protocol", "objective", "trunk", "data")
"""Tables of settings with two levels of keys: whose, and which."""

PARTS = ("stem", "trunk", "size")
"""Settings that are parts of `backbone`."""

_TYPES = fields_of(CellSettings)
_FILLED = {"protocol", "objectives", "wiring", "sources", "seed"}
TOP = (*(name for name in _TYPES if name not in {*SECTIONS, *_FILLED}), *PARTS, "recipe")
"""Settings without a table: `objective`, `backbone`, ..., the parts of `backbone`, and `recipe`."""

_ALL = frozenset({*TOP, *SECTIONS, *NAMED})
_TRIES = ("tune", "tries")
_NEVER_TRIED = frozenset({
    "seed", "seeds", "tasks", "split", "blind", "on_bad_sample", "recipe", "data", "texts", "init", "tune",
    "budget.samples", "budget.texts",
})
"""Settings that say what is compared, and tables of such."""
_TRIED = "try settings such as optim.lr, text.length, objective.NAME.key, protocol.TASK.lr"


def flatten(table: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Dotted key and value of each setting in a table; below the level of settings, tables are values."""
    return _flatten(table, ())


def _flatten(table: Mapping[str, Any], before: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
    for name, value in table.items():
        path = (*before, *name.split("."))
        if path[:2] == _TRIES and isinstance(value, dict) and value:
            for key, values in _flatten(value, path[2:]):
                yield ".".join((*_TRIES, key)), values
        elif isinstance(value, dict) and value and len(path) < _depth(path):
            yield from _flatten(value, path)
        else:
            yield ".".join(path), value


def _depth(path: tuple[str, ...]) -> int:
    """How many parts the key of a setting has; a value below it is a table of its own."""
    if path[0] == "data" and path[2:3] == ("text_noise",):
        return 4
    return 3 if path[0] in NAMED else 2


def checked(key: str, value: Any, known: Known | None, kinds: Mapping[str, str]) -> Any:
    """The plain value of one setting; WrongValue if there is no such setting or it cannot have this value.

    `known` None leaves out what only plugins can tell; `kinds` is the kind of each data set named in the file.
    """
    path = key.split(".")
    if len(path) == 1:
        return _top(key, value, known)
    if tuple(path[:2]) == _TRIES and len(path) > 2:
        return _tries(".".join(path[2:]), value, known, kinds)
    if key == "tune.task" and isinstance(value, str):
        _task(value, known)
    if path[0] in SECTIONS:
        return _field(SECTIONS[path[0]], path, 1, value)
    if path[0] == "protocol":
        if known is not None:
            known.one("task", path[1], protocol_names(known.tasks))
        return _field(Protocol, path, 2, value)
    if path[0] in NAMED:
        return _plugged(path, value, known, kinds)
    if path[0] == "base":
        raise WrongValue(f"unknown setting {key!r}", f"write {'.'.join(path[1:])!r}: it holds for all rows as it is")
    near = nearest(path[0], {*SECTIONS, *NAMED})
    remedy = f"did you mean {'.'.join([near, *path[1:]])!r}?" if near else guess("", _ALL)
    raise WrongValue(f"unknown setting {key!r}", remedy)


def _top(key: str, value: Any, known: Known | None) -> Any:
    if key in ("seed", "seeds"):
        raise WrongValue("seeds are said once for all rows", 'write "seeds = [0, 1]" at the top of the file')
    if key in (*SECTIONS, *NAMED) and value == {}:
        return value
    if key in (*SECTIONS, *NAMED) and key not in TOP:
        raise WrongValue("must be a table of settings")
    if key not in TOP:
        raise WrongValue(f"unknown setting {key!r}", guess(key, _ALL))
    found = typed(_TYPES.get(key, str), value)
    if key in ("data", "texts"):
        terms(found, "data set")
    if known is not None:
        _known_name(key, found, known)
    return plain(found)


def _known_name(key: str, value: Any, known: Known) -> None:
    if key == "objective":
        known.objective(value)
    elif key == "backbone":
        known.backbone(value)
    elif key in PARTS:
        known.part(key, value)
    elif key == "recipe":
        known.one("recipe", value, known.recipes)
    elif key == "tasks":
        for task in value:
            _task(task, known)
        if len(set(value)) < len(value) or not value:
            raise WrongValue("must name each task once" if value else "names no task", guess("", known.tasks))


def _task(name: str, known: Known | None) -> None:
    if known is not None:
        known.one("task", name, known.tasks)


def can_be_tried(key: str) -> bool:
    """Whether `[tune.tries]` may name a setting: one that says how a row is trained, not what is compared."""
    path = key.split(".")
    is_readouts = path[0] == "protocol" and path[2:] in (["data"], ["samples"])
    return not (key in _NEVER_TRIED or path[0] in _NEVER_TRIED or is_readouts)


def _tries(key: str, value: Any, known: Known | None, kinds: Mapping[str, str]) -> list[Any]:
    """The values that `[tune.tries]` says for one setting, each checked as if a row said it."""
    if not can_be_tried(key):
        raise WrongValue(f"{key!r} cannot be tried: it says what is compared, not how a row is trained", _TRIED)
    if not isinstance(value, list) or not value:
        remedy = "leave it out, or say what to try" if value == [] else f"put it in brackets: [{shown(value)}]"
        raise WrongValue("must be a list of values to try", remedy)
    return [checked(key, one, known, kinds) for one in value]


def _plugged(path: list[str], value: Any, known: Known | None, kinds: Mapping[str, str]) -> Any:
    """A setting of an objective, a trunk or a data set; its config class says what there is."""
    if path[0] == "data" and path[2:] and path[2] in fields_of(Portion):
        return _field(Portion, path, 2, value)
    if known is None:
        return value
    cls = _class(path, value, known, kinds)
    if len(path) == 2:
        if value != {}:
            raise WrongValue("must be a table of settings")
        return value
    if cls is None:
        return value
    return _field(cls, path, 2, value)


def _class(path: list[str], value: Any, known: Known, kinds: Mapping[str, str]) -> type | None:
    """The config class of what a key is about; None where the key says the kind of a data set, which has none yet."""
    what, name = path[0], path[1]
    if what != "data":
        classes = known.objectives if what == "objective" else known.trunks
        known.one(what, name, classes)
        return classes[name]
    is_kind = path[2:] == ["kind"]
    kind = value if is_kind else kinds.get(name, name)
    if not isinstance(kind, str):
        raise WrongValue(f"must be {described(str)}, not {kind!r}")
    known.one("kind of data set", kind, known.kinds)
    return None if is_kind else known.kinds[kind]


def _field(cls: type, path: list[str], at: int, value: Any) -> Any:
    """One field of a config class; deeper keys reach into a field that is a table."""
    fields = fields_of(cls)
    if len(path) <= at and value == {}:
        return value
    if len(path) <= at:
        raise WrongValue("must be a table of settings")
    if path[at] not in fields:
        names = {*fields, *fields_of(Portion)} if path[0] == "data" and at == 2 else fields
        raise WrongValue(f"unknown key {path[at]!r} of {'.'.join(path[:at])}", _near_key(path[:at], path[at], names))
    if is_dataclass(fields[path[at]]):
        return _field(fields[path[at]], path, at + 1, value)
    for part in reversed(path[at + 1 :]):
        value = {part: value}
    found = plain(typed(fields[path[at]], value))
    within(".".join([path[0], *path[1 if path[0] in SECTIONS else 2 : at + 1]]), found)
    if path == ["text", "trained_on"] and found:
        _spoken(found)
    for part in path[at + 1 :]:
        found = found[part]
    return found


def _spoken(text: str) -> None:
    """Raise WrongValue unless `text` names data sets, without weights: a tokenizer reads each text once."""
    for weight, name in terms(text, "data set"):
        if name == "none":
            raise WrongValue("'none' has no texts to learn pieces from", "leave it out: then all sets of the cell are")
        if weight != 1:
            raise WrongValue(f"a tokenizer reads each text once, so {name!r} has no weight", f"write {name!r} alone")


def _near_key(before: list[str], name: str, fields: Iterable[str]) -> str:
    """The nearest key with its whole way, since a user may be on any line; all keys if none is near."""
    said = guess(name, fields)
    return said.replace("'", f"'{'.'.join(before)}.", 1) if said.startswith("did you mean") else said or "it has none"
