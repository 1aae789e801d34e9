"""Checks that others stand on: where one of these fails, those that fail for the same cause need not say it again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from vlpbench.testing.findings import Check, CheckSkipped

__all__ = ["standing_on"]


def standing_on(first: Sequence[str], checks: Mapping[str, Check]) -> dict[str, Check]:
    """The same checks; one that fails like one of `first` is skipped. Those of `first` stand on those before them."""
    return {
        name: _Standing(name, check, {one: checks[one] for one in _before(name, first)})
        for name, check in checks.items()
    }


def _before(name: str, first: Sequence[str]) -> Sequence[str]:
    return first[: first.index(name)] if name in first else first


class _Standing:
    """A check with those that it stands on."""

    def __init__(self, name: str, check: Check, below: Mapping[str, Check]) -> None:
        self.name, self.check, self.below = name, check, below
        self.__doc__ = check.__doc__

    def __call__(self, subject: Any) -> str | None:
        """Run it; where it fails, see whether the ground gives way."""
        try:
            return self.check(subject)
        except CheckSkipped:
            raise
        except Exception as wrong:
            for name, other in self.below.items():
                if _is_same(wrong, other, subject):
                    raise CheckSkipped("stands-on-another", name) from wrong
            raise


def _is_same(wrong: Exception, other: Check, subject: Any) -> bool:
    """Whether another check fails in the same words."""
    try:
        other(subject)
    except CheckSkipped:
        return False
    except Exception as found:  # noqa: BLE001 (whatever a stranger's code raises)
        return _words(found) == _words(wrong)
    return False


def _words(wrong: Exception) -> tuple[type, str]:
    return type(wrong), str(getattr(wrong, "cause", wrong))
