"""What a check has to say: it passed, it failed for a cause with a remedy, or it had a listed reason not to run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from time import perf_counter
from typing import Any, Literal

from vlpbench.errors import nearest

__all__ = ["REASONS", "Check", "CheckFailed", "CheckSkipped", "Finding", "ask", "find", "refuse_unknown_check"]

Check = Callable[[Any], None]
"""A check: takes what is checked, returns where it is right, raises CheckFailed where it is wrong."""

REASONS: Mapping[str, str] = {
    "needs-gpu": "no GPU is visible",
    "not-importable": "another process cannot find it (it is local to a function, or stands in a script)",
    "own-batches": "another process cannot have the author's own batches",
    "trains-nothing": "it uses no batches",
    "no-corruption": "its `corrupt` returns nothing",
    "no-chance": "its `corrupt` draws nothing",
    "no-figures": "it reports no figures",
    "no-state": "it has neither parameters nor buffers",
    "says-no-words": "it predicts no words",
    "no-such-ability": "the trunk does not offer the ability",
    "no-batching-rule": "torch cannot batch one of its operations over seeds",
    "batch-statistics": "batch norm looks at all samples of a batch by design",
    "one-split": "the set has one split",
    "runs-nothing": "it only tells what there is to run",
}
"""The only reasons for which a check may be skipped, each with what it means."""


class CheckFailed(AssertionError):
    """A check found something wrong: what was expected and what was seen (`cause`), and what to do (`remedy`).

    `ask` adds the name of the `check`, which a check itself does not know.
    """

    def __init__(self, cause: str, remedy: str = "", check: str = "") -> None:
        super().__init__(cause, remedy, check)
        self.cause, self.remedy, self.check = cause, remedy, check

    def __str__(self) -> str:
        said = f"{self.check}: {self.cause}" if self.check else self.cause
        return f"{said}\n  to do: {self.remedy}" if self.remedy else said


class CheckSkipped(Exception):
    """A check has nothing to look at; `reason` is one of REASONS."""

    def __init__(self, reason: str, detail: str = "") -> None:
        if reason not in REASONS:
            raise ValueError(f"{reason!r} is no reason to skip a check; known: {', '.join(REASONS)}")
        said = f"{reason}: {REASONS[reason]}"
        super().__init__(f"{said} ({detail})" if detail else said)
        self.reason = reason


@dataclass(frozen=True)
class Finding:
    """What one check found."""

    check: str
    """Name of the check."""
    state: Literal["passed", "failed", "skipped"]
    """How it ended."""
    cause: str = ""
    """What is wrong, or the reason why it was skipped."""
    remedy: str = ""
    """What to do about it."""
    seconds: float = 0.0
    """How long it took."""

    def __str__(self) -> str:
        said = f"{self.state:8}{self.check}"
        lines = [f"{said}: {self.cause}" if self.cause else said]
        return "\n".join([*lines, f"        to do: {self.remedy}"] if self.remedy else lines)


def refuse_unknown_check(name: str, checks: Iterable[str], where: str) -> None:
    """ValueError, with the nearest right name, unless there is such a check."""
    known = sorted(checks)
    if name not in known:
        near = nearest(name, known)
        guess = f"did you mean {near!r}? " if near else ""
        raise ValueError(f"{where} names the unknown check {name!r}; {guess}known: {', '.join(known)}")


def ask(name: str, check: Check, subject: Any) -> None:
    """Run one check; whatever it raises but a skip becomes CheckFailed under its name."""
    try:
        check(subject)
    except CheckFailed as wrong:
        raise CheckFailed(wrong.cause, wrong.remedy, name) from None  # the same, without its name
    except (CheckSkipped, KeyboardInterrupt, SystemExit):
        raise
    except Exception as wrong:
        remedy = getattr(wrong, "remedy", "") or "the traceback above shows where"
        raise CheckFailed(f"expected no error, saw {type(wrong).__name__}: {wrong}", remedy, name) from wrong


def find(checks: Mapping[str, Check], subject: Any, only: Iterable[str] = ()) -> list[Finding]:
    """The findings of all checks (or of those named in `only`) on one subject, in their order.

    An unknown name is a ValueError: a run that checks nothing would look like one that passed.
    """
    found = []
    wanted = set(only) or set(checks)
    for name in wanted:
        refuse_unknown_check(name, checks, "only")
    for name, check in checks.items():
        if name not in wanted:
            continue
        start = perf_counter()
        try:
            ask(name, check, subject)
        except CheckFailed as wrong:
            found.append(Finding(name, "failed", wrong.cause, wrong.remedy, perf_counter() - start))
        except CheckSkipped as skipped:
            found.append(Finding(name, "skipped", str(skipped), seconds=perf_counter() - start))
        else:
            found.append(Finding(name, "passed", seconds=perf_counter() - start))
    return found
