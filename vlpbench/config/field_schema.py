"""One field of a config class as JSON schema: its type, default, range and the sentence that stands under it."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import textwrap
import types
from collections.abc import Mapping
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

from vlpbench.config.limits import LIMITS
from vlpbench.config.typed import fields_of, plain

__all__ = ["Schema", "class_schemas", "docs_in_source", "field_docs", "field_schema", "type_schema"]

Schema = dict[str, Any]
"""A JSON schema (draft 2020-12)."""

_PLAIN: Mapping[Any, Schema] = {
    int: {"type": "integer"}, float: {"type": "number"}, bool: {"type": "boolean"}, str: {"type": "string"},
    Path: {"type": "string"},
}


@lru_cache(maxsize=256)
def field_docs(cls: type) -> Mapping[str, str]:
    """The text under each field of a dataclass, those of its bases included; empty where there is no source."""
    found: dict[str, str] = {}
    for one in reversed(cls.__mro__):
        if dataclasses.is_dataclass(one):
            found.update(docs_in_source(one))
    return found


def docs_in_source(cls: type) -> dict[str, str]:
    """The text under each annotated name in the body of a class, its bases left out; empty where there is no source."""
    try:
        source = textwrap.dedent(inspect.getsource(cls))
    except (OSError, TypeError):  # made at run time: it has fields, but no file that could explain them
        return {}
    body = next(node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.ClassDef)).body
    found = {}
    for node, after in pairwise(body):
        if not (isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)):
            continue
        if isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant):
            found[node.target.id] = " ".join(str(after.value.value).split())
    return found


def class_schemas(cls: type, limits: str) -> dict[str, Schema]:
    """The schema of each field; `limits` is what the ranges of `config/limits.py` call the class (`optim`)."""
    return {name: field_schema(cls, name, f"{limits}.{name}") for name in fields_of(cls)}


def field_schema(cls: type, name: str, limits: str = "") -> Schema:
    """One field: type, range, default, description."""
    kind = fields_of(cls)[name]
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        found: Schema = {"type": "object", "properties": class_schemas(kind, limits), "additionalProperties": False}
    else:
        found = type_schema(kind)
        found |= _range(limits) | _default(cls, name)
    about = field_docs(cls).get(name, "")
    return found | ({"description": about} if about else {})


def _range(key: str) -> Schema:
    limit = LIMITS.get(key)
    if limit is None:
        return {}
    words = {
        "minimum": limit.least, "exclusiveMinimum": limit.above, "maximum": limit.most, "exclusiveMaximum": limit.below
    }
    return {word: value for word, value in words.items() if value is not None}


def _default(cls: type, name: str) -> Schema:
    one = next(one for one in dataclasses.fields(cls) if one.name == name)
    none = dataclasses.MISSING
    if one.default is none and one.default_factory is none:
        return {}
    value = one.default_factory() if one.default_factory is not none else one.default
    return {} if value is None else {"default": plain(value)}


def type_schema(kind: Any) -> Schema:
    """A type as TOML can say it; what has no words in a schema may be anything."""
    origin, inner = get_origin(kind), get_args(kind)
    if kind in _PLAIN:
        return dict(_PLAIN[kind])
    if origin is Literal:
        return {"enum": list(inner)}
    if origin in (Union, types.UnionType):
        ways = [type_schema(one) for one in inner if one is not type(None)]  # TOML has no null
        return ways[0] if len(ways) == 1 else {"anyOf": ways}
    if origin is tuple and inner and inner[-1] is not ...:
        return {"type": "array", "prefixItems": [type_schema(one) for one in inner], "minItems": len(inner),
                "maxItems": len(inner)}
    if origin in (tuple, list, set, frozenset):
        return {"type": "array", "items": type_schema(inner[0])}
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return {"type": "object", "additionalProperties": type_schema(inner[1])}
    return {}
