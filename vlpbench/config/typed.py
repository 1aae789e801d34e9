"""One value against one type: strict (true is no number, "64" is no number), with errors in plain words."""

from __future__ import annotations

import dataclasses
import json
import math
import types
import typing
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import TypeAdapter, ValidationError

from vlpbench.errors import UserError, nearest

__all__ = ["WrongValue", "described", "fields_of", "make", "plain", "shown", "typed"]

_WORDS: Mapping[Any, str] = {
    int: "a whole number", float: "a number", bool: "true or false", str: "a text in quotes", type(None): "nothing",
}


_PLAIN = frozenset({bool, int, float, str})


class WrongValue(ValueError):
    """A value that does not fit; the message says what should stand there, `remedy` what to write."""

    def __init__(self, what: str, remedy: str = "") -> None:
        super().__init__(what)
        self.remedy = remedy


@lru_cache(maxsize=256)
def fields_of(cls: type) -> Mapping[str, Any]:
    """The fields of a dataclass with their types, those of its bases first."""
    hints = typing.get_type_hints(cls)
    return {one.name: hints[one.name] for one in dataclasses.fields(cls) if one.init}


@lru_cache(maxsize=256)
def _names_of(cls: type) -> tuple[str, ...]:
    return tuple(one.name for one in dataclasses.fields(cls))


@lru_cache(maxsize=256)
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def typed(kind: Any, value: Any) -> Any:
    """`value`, as TOML or JSON gave it, as an instance of the type `kind`; WrongValue if it is none.

    A whole number stands for a float; nothing else is converted. NaN and infinity are refused.
    """
    _refuse_not_finite(value)
    try:
        text = json.dumps(value, allow_nan=False)
    except (TypeError, ValueError) as wrong:
        raise WrongValue(f"must be {described(kind)}, not {value!r}") from wrong
    try:
        return _adapter(kind).validate_json(text, strict=True)
    except ValidationError as wrong:
        first = wrong.errors()[0]
        inside = "".join(f"[{part}]" for part in first["loc"] if not isinstance(part, str))
        detail = f" (at {inside}: {first['msg']})" if inside else ""
        raise WrongValue(f"must be {described(kind)}, not {shown(value)}{detail}", _remedy(kind, value)) from wrong


def shown(value: Any) -> str:
    """A value as a TOML file says it."""
    return json.dumps(value, ensure_ascii=False) if isinstance(value, bool | str | list | dict) else str(value)


def _remedy(kind: Any, value: Any) -> str:
    if get_origin(kind) is Literal and isinstance(value, str):
        near = nearest(value, [str(one) for one in get_args(kind)])
        return f"did you mean {near!r}?" if near else ""
    if kind in (int, float) and isinstance(value, str):
        return "write numbers without quotes"
    if kind is int and isinstance(value, float):
        return "write it without a point"
    if get_origin(kind) is tuple and not isinstance(value, list):
        return f"put it in brackets: [{shown(value)}]"
    return ""


def _refuse_not_finite(value: Any) -> None:
    if isinstance(value, float) and not math.isfinite(value):
        raise WrongValue(f"must be a finite number, not {value}")
    if isinstance(value, list | tuple):
        for one in value:
            _refuse_not_finite(one)
    if isinstance(value, dict):
        for one in value.values():
            _refuse_not_finite(one)


def described(kind: Any) -> str:
    """A type in words: "a whole number", "one of 'test', 'val'", "a list"."""
    origin, inner = get_origin(kind), get_args(kind)
    if kind in _WORDS:
        return _WORDS[kind]
    if origin is Literal:
        return "one of " + ", ".join(repr(one) for one in inner)
    if origin in (Union, types.UnionType):
        return " or ".join(described(one) for one in inner)
    if origin in (tuple, list, set, frozenset):
        return f"a list of {len(inner)} values" if origin is tuple and inner and inner[-1] is not ... else "a list"
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return "a table"
    return "a table" if dataclasses.is_dataclass(kind) else getattr(kind, "__name__", str(kind))


def make(cls: type, values: Mapping[str, Any]) -> Any:
    """An instance of the config class `cls` from plain values, each checked against its field.

    Raises WrongValue for an unknown, missing or wrong one, or with what the class itself has to say against them.
    """
    fields = fields_of(cls)
    found = {}
    for name, value in values.items():
        if name not in fields:
            near = nearest(name, fields)
            raise WrongValue(f"unknown key {name!r}", f"did you mean {near!r}?" if near else "")
        found[name] = typed(fields[name], value)
    missing = [name for name in required(cls) if name not in found]
    if missing:
        raise WrongValue(f"lacks {', '.join(missing)}")
    try:
        return cls(**found)
    except UserError as wrong:
        raise WrongValue(wrong.cause, wrong.remedy) from wrong
    except (ValueError, TypeError, AssertionError) as wrong:
        raise WrongValue(str(wrong)) from wrong


def required(cls: type) -> tuple[str, ...]:
    """The fields of a config class that have no default."""
    none = dataclasses.MISSING
    return tuple(
        one.name for one in dataclasses.fields(cls) if one.default is none and one.default_factory is none and one.init
    )


def plain(value: Any) -> Any:
    """A setting as JSON has it: dataclasses and mappings become dicts, sequences lists, paths texts."""
    if value is None or type(value) in _PLAIN:
        return value
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {name: plain(getattr(value, name)) for name in _names_of(type(value))}
    if isinstance(value, Mapping):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, set | frozenset):
        return sorted(plain(one) for one in value)
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    if value is None or isinstance(value, bool | int | float | str):
        return value
    return str(value)
