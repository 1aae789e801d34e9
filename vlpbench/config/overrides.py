"""`-S optim.lr=3e-4`: one setting said on the command line, in the words of the grid file."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from typing import Any

from vlpbench.config.problems import GridError, Problem

__all__ = ["parse_overrides"]


def parse_overrides(texts: Sequence[str]) -> dict[str, Any]:
    """Key and value of each `KEY=VALUE`; the value is read as TOML, and as a text where it is none.

    Of a key said twice the last counts. Raises GridError for what has no key or no `=`.
    """
    found: dict[str, Any] = {}
    problems = []
    for text in texts:
        key, equals, value = text.partition("=")
        key = key.strip().replace('"', "").replace("'", "")
        if not equals or not key or any(not part for part in key.split(".")):
            problems.append(Problem(f"-S {text}", "is not KEY=VALUE", "write for example -S optim.lr=3e-4"))
        else:
            found[key] = _value(value.strip())
    if problems:
        raise GridError("the command line", problems)
    return found


def _value(text: str) -> Any:
    try:
        table = tomllib.loads(f"value = {text}")
    except tomllib.TOMLDecodeError:
        return text
    return table["value"] if set(table) == {"value"} else text
