"""What repeats is written once, and means the same."""

from __future__ import annotations

import jsonschema

from vlpbench.config.shared_schema import shared

LONG = {"type": "object", "properties": {"x": {"type": "integer", "description": "a number " * 9}}}


def test_repeated_parts_become_references() -> None:
    whole = {"type": "object", "properties": {"a": LONG, "b": {"type": "array", "items": LONG}, "c": {"type": "null"}}}
    found = shared(whole)
    assert found["properties"]["a"] == {"$ref": "#/$defs/a"}
    assert found["properties"]["b"]["items"] == {"$ref": "#/$defs/a"}
    assert found["properties"]["c"] == {"type": "null"} and found["$defs"]["a"] == LONG
    for value in ({"a": {"x": 1}}, {"a": {"x": "1"}}, {"b": [{"x": 1}]}, {"b": [{"x": 0.5}]}, {"c": None}):
        before, after = (jsonschema.Draft202012Validator(one).is_valid(value) for one in (whole, found))
        assert before == after


def test_equal_places_of_different_parts_have_different_names() -> None:
    other = {**LONG, "minProperties": 1}
    names = {"a.b": LONG, "a b": other, "c": LONG, "d": other, "ab": {"anyOf": [LONG, other]}}
    found = shared({"properties": {"x": {"properties": names}, "y": {"patternProperties": names}}})
    values = list(found["$defs"].values())
    assert len(values) == 4 and all(values.count(one) == 1 for one in values)
    for value, fine in (({}, False), ({"x": 1}, True)):
        assert jsonschema.Draft202012Validator(found).is_valid({"x": {"a b": value}}) is fine
        assert jsonschema.Draft202012Validator(found).is_valid({"x": {"a.b": value}})


def test_short_parts_stay() -> None:
    assert shared({"properties": {"a": {"type": "null"}, "b": {"type": "null"}}})["$defs"] == {}
