"""The JSON schema (draft 2020-12) of a grid file, for editors that complete and check TOML while one types."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from vlpbench.config.field_schema import Schema, class_schemas, field_schema
from vlpbench.config.gridfile import BESIDE, SCHEMA, GridFile
from vlpbench.config.keys import NAMED, PARTS, SECTIONS, TOP, can_be_tried
from vlpbench.config.known import Known
from vlpbench.config.settings import CellSettings, Portion, Protocol
from vlpbench.config.shared_schema import shared
from vlpbench.config.task_name import protocol_names

__all__ = ["grid_schema"]

_NAME = r"[A-Za-z0-9_]+(?:-[A-Za-z0-9_]+)*"
_NUMBER = r"[0-9]*\.?[0-9]+(?:[eE][+-]?[0-9]+)?"


@dataclass(frozen=True)
class _Table:
    """A table of settings whose keys may stand nested or dotted."""

    entries: Mapping[str, Any]
    """By name: a `_Table`, or the schema of a value."""
    others: Any = None
    """What stands under any other name; None where there is no other."""
    rules: tuple[Schema, ...] = ()
    """What must hold beside, where values are said one by one (not in `axes`)."""
    about: str = ""
    """One sentence."""
    free: Mapping[str, Schema] = field(default_factory=dict)
    """Keys whose value is a schema as it stands, in `axes` too."""


def grid_schema(known: Known) -> Schema:
    """The schema of a grid file with these plugins."""
    settings = _settings(known)
    tables = {name: _object(settings[name]) for name in (*SECTIONS, *NAMED)}
    tables["data"]["properties"] = {
        "root": {"anyOf": [{"type": "string"}, {"type": "object"}],
                 "description": "Folder that the sets' folders are relative to; by default VLPBENCH_DATA."},
        **tables["data"].get("properties", {}),
    }
    layer = _Table(_in_one_layer(settings))
    return shared({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"A grid of vlpbench, schema {SCHEMA}",
        "type": "object",
        "properties": {
            **_header(),
            "tasks": settings["tasks"],
            "base": {"$ref": "#/$defs/settings", "description": "What all rows share."},
            "axes": {**_object(_Table({key: one for key, one in layer.entries.items() if key != "tune"}), lists=True),
                     "description": "Settings, each with a list of values: multiplied with each other and the rows."},
            "rows": {"type": "array", "items": _row(layer, known), "description": "Named changes, one a table line."},
            "exclude": {"type": "array", "items": _exclude(layer),
                        "description": "Cells to leave out: those for which all that is said here holds."},
            **tables,
        },
        "additionalProperties": False,
        "$defs": {"settings": _object(layer)},
    })


def _header() -> dict[str, Schema]:
    """What a file says of itself. Descriptions are those of `GridFile`."""
    names = ("name", "description", "plugins", "seeds", "reference", "floors", "beside")
    found = {name: field_schema(GridFile, name) for name in names}
    found["name"]["pattern"] = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,79}$"
    found["seeds"] |= {"items": {"type": "integer", "minimum": 0}, "minItems": 1, "uniqueItems": True}
    found["beside"] |= {"items": {"enum": list(BESIDE)}, "uniqueItems": True}
    form: Schema = {"const": SCHEMA, "description": "The version of the form of grid files."}
    return {"schema": form, **found}


def _settings(known: Known) -> dict[str, Any]:
    """Every setting by its first name: the schema of a value, or a `_Table`."""
    fields = class_schemas(CellSettings, "")
    found: dict[str, Any] = {name: fields[name] for name in TOP if name in fields}
    found["tasks"] |= {"items": {"enum": list(known.tasks)}, "minItems": 1, "uniqueItems": True}
    stems, trunks, sizes = (_either(names) for names in (known.stems, known.trunks, known.sizes))
    found["backbone"] |= {"pattern": f"^{stems}(?::.+)?/{trunks}/{sizes}$"}
    found["stem"] = {"type": "string", "pattern": f"^{stems}(?::.+)?$", "examples": sorted(known.stems)}
    found["trunk"] = {"enum": sorted(known.trunks)}
    found["size"] = {"enum": list(known.sizes)}
    for name in PARTS:
        found[name]["description"] = f"The {name} alone, in the place of the backbone's."
    found["objective"] |= {"pattern": _sum_of(_either(known.objectives)), "examples": sorted(known.objectives)}
    found["data"]["examples"] = sorted(known.kinds)
    for name in ("data", "texts"):
        found[name] |= {"pattern": _sum_of(_NAME)}
    found["recipe"] = {"enum": sorted(known.recipes), "description": "A published system whose settings come first."}
    sections = {name: _Table(class_schemas(cls, name)) for name, cls in SECTIONS.items()}
    sections["tune"].entries["task"].update(enum=list(known.tasks))
    named = {
        "protocol": _Table(dict.fromkeys(protocol_names(known.tasks), _Table(class_schemas(Protocol, "protocol")))),
        "objective": _Table({name: _of_class(cls, "objective") for name, cls in known.objectives.items()}),
        "trunk": _Table({name: _of_class(cls, "trunk") for name, cls in known.trunks.items()}),
        "data": _data(known.kinds),
    }
    values = {name: value for name, value in found.items() if can_be_tried(name)}
    tables = {name: _tried(table, name) for name, table in (sections | named).items() if can_be_tried(name)}
    tried = values | {name: _both(found.get(name), table) for name, table in tables.items()}
    tries = {**_object(_Table(tried), lists=True), "description": sections["tune"].entries["tries"]["description"]}
    sections["tune"] = _Table(
        {name: value for name, value in sections["tune"].entries.items() if name != "tries"}, free={"tries": tries}
    )
    return {**found, **sections, **named, "values": found}


def _sum_of(name: str) -> str:
    """The pattern of a weighted sum of names."""
    term = rf"\s*(?:{_NUMBER}\s*\*\s*)?{name}\s*"
    return rf"^{term}(?:\+{term})*$"


def _tried(table: _Table, name: str) -> _Table:
    """What of a table `[tune.tries]` may name."""
    below = {key: _tried(one, f"{name}.{key}") if isinstance(one, _Table) else one
             for key, one in table.entries.items() if can_be_tried(f"{name}.{key}")}
    return replace(table, entries=below)


def _in_one_layer(settings: Mapping[str, Any]) -> dict[str, Any]:
    """All settings of a row: `objective`, `trunk` and `data` are a text there, or a table."""
    values = settings["values"]
    return {
        name: _both(values.get(name), one) if isinstance(one, _Table) else one
        for name, one in settings.items() if name != "values"
    }


def _both(value: Schema | None, table: _Table) -> Any:
    return table if value is None else (value, table)


def _either(names: Collection[str]) -> str:
    return f"(?:{'|'.join(map(_escaped, sorted(names)))})"


def _escaped(text: str) -> str:
    """A name as a pattern; unlike Python's own escapes, one that ECMAScript reads as well, as JSON schema demands."""
    return re.sub(r"[.^$*+?()\[\]{}|\\/]", lambda sign: "\\" + sign[0], text)


def _of_class(cls: type, limits: str) -> _Table:
    """The table of a plugin's config class, with the first line of what it says of itself."""
    lines = (cls.__doc__ or "").strip().splitlines()
    return _Table(class_schemas(cls, limits), about=lines[0] if lines else "")


def _data(kinds: Mapping[str, type]) -> _Table:
    """`[data.NAME]`: the keys of all kinds, held to those of its own kind where the table says it or is called so."""
    common = class_schemas(Portion, "data")
    own = {name: {"kind": {"const": name}, **class_schemas(cls, "data"), **common} for name, cls in kinds.items()}
    ways: dict[str, list[Schema]] = {}
    for fields in own.values():
        for key, one in fields.items():
            if key != "kind" and one not in ways.setdefault(key, []):
                ways[key].append(one)
    every: dict[str, Any] = {
        "kind": {"enum": sorted(kinds), "description": "What reads it; the table's name where it does not say."},
        **{key: one[0] if len(one) == 1 else {"anyOf": one} for key, one in ways.items()},
    }
    if "text_noise" in every:
        every["text_noise"] = _Table(common["text_noise"]["properties"], about=common["text_noise"]["description"])
    held = {
        name: {"properties": fields, "propertyNames": {"pattern": rf"^{_either(fields)}(?:\..*)?$"}}
        for name, fields in own.items()
    }
    by_kind = tuple(
        {"if": {"properties": {"kind": {"const": name}}, "required": ["kind"]}, "then": rule}
        for name, rule in held.items()
    )
    called = {
        name: _Table(every, rules=(*by_kind, {"if": {"not": {"required": ["kind"]}}, "then": rule}))
        for name, rule in held.items()
    }
    return _Table(called, others=_Table(every, rules=by_kind))


def _row(layer: _Table, known: Known) -> Schema:
    """`[[rows]]`: settings, a name, and what a paper published."""
    scores: Schema = {"type": "object", "additionalProperties": {"type": "number"}}
    row = _object(layer)
    row["properties"] |= {
        "name": {"type": "string", "description": "What the table calls the row."},
        "published": {
            "type": "object", "properties": dict.fromkeys(known.tasks, scores),
            "patternProperties": {rf"^{_either(known.tasks)}\..+$": {"type": "number"}},
            "additionalProperties": False,
            "description": "Numbers that a paper prints for this row: task.metric = number.",
        },
    }
    return row


def _exclude(layer: _Table) -> Schema:
    found = _object(layer) | {"minProperties": 1}
    del found["properties"]["recipe"]  # a cell does not remember its recipe
    found["properties"] |= {"row": {"type": "string"}, "seed": {"type": "integer"}}
    return found


def _object(table: _Table, lists: bool = False) -> Schema:
    """A table as a schema; `lists`: each value is a list of values, as in `axes`."""
    found: Schema = {
        "type": "object",
        "properties": {**{name: _node(one, lists) for name, one in table.entries.items()}, **table.free},
        "additionalProperties": False if table.others is None else _node(table.others, lists),
    }
    dotted = dict(_dotted(table, lists))
    if dotted:
        found["patternProperties"] = dotted
    if table.about:
        found["description"] = table.about
    if table.rules and not lists:
        found["allOf"] = list(table.rules)
    return found


def _node(one: Any, lists: bool) -> Schema:
    if isinstance(one, _Table):
        return _object(one, lists)
    if isinstance(one, tuple):
        value, table = one
        return {"anyOf": [_node(value, lists), _object(table, lists)]}
    if not lists:
        return dict(one)
    about = {"description": one["description"]} if "description" in one else {}
    return {"type": "array", "items": one, "minItems": 1, **about}


def _dotted(table: _Table, lists: bool) -> Iterator[tuple[str, Schema]]:
    """Each setting below this table under a quoted dotted key: a pattern and its schema."""
    named = [(_escaped(name), one) for name, one in table.entries.items()]
    for way, one in named if table.others is None else [("[^.]+", table.others)]:
        inner = one[1] if isinstance(one, tuple) else one
        if isinstance(inner, _Table):
            below = _object(inner, lists)
            for name, schema in below["properties"].items():
                yield rf"^{way}\.{_escaped(name)}$", schema
            for pattern, schema in below.get("patternProperties", {}).items():
                yield rf"^{way}\.{pattern.removeprefix('^')}", schema
