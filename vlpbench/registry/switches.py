"""What a user says about plugins as such: which are left out, whether a broken one stops everything, what is traced.

All but `--no-plugin` are environment variables, so that processes which run cells go by the same.
"""

from __future__ import annotations

import contextlib
import os
import re
import sys
from collections.abc import Collection, Iterator

__all__ = ["ALLOWED", "STRICT", "TRACED", "allowed", "is_named", "is_strict", "normal", "strictness", "trace"]

ALLOWED = "VLPBENCH_PLUGINS"
"""The installed plugins to load, by commas: set and empty is none, not set is all."""

STRICT = "VLPBENCH_STRICT_PLUGINS"
"""Set to 1, any plugin that fails is an error of every command but `vlpbench plugins`."""

TRACED = "VLPBENCH_TRACE_PLUGINS"
"""Set to 1, each import and each call of a hook is told on stderr."""

_NO = ("", "0", "false", "no", "off")


def normal(name: str) -> str:
    """A name as package indexes compare it: without regard to case, and -, _ and . are one."""
    return re.sub(r"[-_.]+", "-", name.strip()).lower()


def is_named(names: Collection[str], point: str, distribution: str) -> bool:
    """Whether a plugin is among `names`, by its entry point or by its distribution."""
    return bool({normal(point), normal(distribution)} & {normal(one) for one in names})


def allowed() -> tuple[str, ...] | None:
    """The plugins that VLPBENCH_PLUGINS names; None where it is not set: all are."""
    said = os.environ.get(ALLOWED)
    return None if said is None else tuple(one.strip() for one in said.split(",") if one.strip())


def is_strict() -> bool:
    """Whether a plugin that fails is an error."""
    return _is_set(STRICT)


def _is_set(variable: str) -> bool:
    return os.environ.get(variable, "").strip().lower() not in _NO


@contextlib.contextmanager
def strictness(strict: bool) -> Iterator[None]:
    """Be strict, or not, until the end of the block, here and in all processes started from here."""
    before = os.environ.get(STRICT)
    os.environ[STRICT] = "1" if strict else "0"
    try:
        yield
    finally:
        if before is None:
            os.environ.pop(STRICT, None)
        else:
            os.environ[STRICT] = before


def trace(what: str) -> None:
    """Tell what is done with a plugin on stderr, where VLPBENCH_TRACE_PLUGINS is set."""
    if _is_set(TRACED):
        sys.stderr.write(f"plugins: {what}\n")
