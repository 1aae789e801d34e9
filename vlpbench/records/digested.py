"""A JSON value that carries a digest over itself, so that a flipped bit in it is noticed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vlpbench.files import digest

__all__ = ["digested", "is_as_written"]

_KEY = "digest"


def digested(value: Mapping[str, Any]) -> dict[str, Any]:
    """The value with its digest under "digest"; NaN and infinity are refused (ValueError)."""
    rest = _without(value)
    return {**rest, _KEY: digest(rest)}


def is_as_written(found: Mapping[str, Any]) -> bool:
    """Whether what was read is what `digested` gave."""
    try:
        return bool(found[_KEY] == digest(_without(found)))
    except (KeyError, ValueError, RecursionError):  # a NaN is no part of what `digested` gives
        return False


def _without(value: Mapping[str, Any]) -> dict[str, Any]:
    return {name: said for name, said in value.items() if name != _KEY}
