"""A JSON value that carries a digest over itself, so that a flipped bit in it is noticed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vlpbench.files import digest

__all__ = ["digested", "is_as_written"]

_KEY = "digest"


def digested(value: Mapping[str, Any]) -> dict[str, Any]:
    """The value with its digest under "digest"; NaN and infinity are refused (ValueError)."""
    return {**value, _KEY: digest(dict(value))}


def is_as_written(found: Mapping[str, Any]) -> bool:
    """Whether what was read is what `digested` gave."""
    try:
        return bool(found[_KEY] == digest({name: value for name, value in found.items() if name != _KEY}))
    except (KeyError, ValueError, RecursionError):  # a flipped bit can make a NaN of a name, or nest
        return False
