"""Fields of dataclasses as JSON schema."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, make_dataclass
from pathlib import Path
from typing import Any, Literal

import pytest

from vlpbench.config.field_schema import class_schemas, field_docs, type_schema


@dataclass(frozen=True)
class Inner:
    """A table in a table."""

    share: float = 0.5
    """How
    much."""


@dataclass(frozen=True)
class Base:
    name: str
    """What it is called."""
    silent: int = 3


@dataclass(frozen=True)
class Config(Base):
    inner: Inner = Inner()
    """More."""
    lists: tuple[str, ...] = ("a",)
    files: Mapping[str, str] = field(default_factory=dict)


@pytest.mark.parametrize(
    ("kind", "schema"),
    [
        (int, {"type": "integer"}), (float, {"type": "number"}), (bool, {"type": "boolean"}), (str, {"type": "string"}),
        (Path, {"type": "string"}), (Any, {}), (Literal["a", "b"], {"enum": ["a", "b"]}),
        (tuple[int, ...], {"type": "array", "items": {"type": "integer"}}),
        (list[str], {"type": "array", "items": {"type": "string"}}),
        (Mapping[str, float], {"type": "object", "additionalProperties": {"type": "number"}}),
        (int | None, {"type": "integer"}), (int | str, {"anyOf": [{"type": "integer"}, {"type": "string"}]}),
        (tuple[int, str], {"type": "array", "prefixItems": [{"type": "integer"}, {"type": "string"}], "minItems": 2,
                           "maxItems": 2}),
    ],
)
def test_types(kind: Any, schema: dict[str, Any]) -> None:
    assert type_schema(kind) == schema


def test_a_class_with_bases_tables_and_silent_fields() -> None:
    assert field_docs(Config) == {"name": "What it is called.", "inner": "More."}
    assert field_docs(Inner) == {"share": "How much."}
    found = class_schemas(Config, "nothing")
    assert found["name"] == {"type": "string", "description": "What it is called."}
    assert found["silent"] == {"type": "integer", "default": 3}
    assert found["inner"]["properties"]["share"] == {"type": "number", "default": 0.5, "description": "How much."}
    assert found["inner"]["additionalProperties"] is False
    assert found["lists"]["default"] == ["a"] and found["files"]["default"] == {}


def test_ranges() -> None:
    assert class_schemas(Inner, "data")["share"]["maximum"] == 1


def test_a_class_without_source_has_fields_all_the_same() -> None:
    made = make_dataclass("Made", [("x", int, 3)])
    assert class_schemas(made, "") == {"x": {"type": "integer", "default": 3}}
