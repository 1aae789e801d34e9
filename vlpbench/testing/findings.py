"""What a check has to say: it passed, it failed for a cause with a remedy, or it had a listed reason not to run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Any, Literal

from vlpbench.errors import UserError, nearest
from vlpbench.testing.places import place_of

__all__ = [
    "REASONS", "Check", "CheckFailed", "CheckSkipped", "Finding", "ask", "find", "judged", "refuse_unknown_check",
    "tally",
]

Check = Callable[[Any], str | None]
"""A check: takes what is checked, returns where it is right (what it found out, if that is worth telling), raises
CheckFailed where it is wrong."""

REASONS: Mapping[str, str] = {
    "needs-gpu": "no GPU is visible",
    "wants-nothing": "it wants no sample fields",
    "not-importable": "another process cannot find it (it is local to a function, or stands in a script)",
    "stands-on-another": "another check says the same",
    "built-in-stem": "a trunk is checked, behind vlpbench's own linear patches",
    "own-backbone": "the author's own backbone cannot stand in a grid, or beside ours",
    "own-batches": "the author's own batches cannot be had, or do not have what it takes",
    "trains-nothing": "it uses no batches",
    "no-corruption": "its `corrupt` returns nothing",
    "no-chance": "its `corrupt` draws nothing",
    "no-figures": "it reports no figures",
    "no-state": "it has neither parameters nor buffers",
    "claims-nothing": "it says that it trains nothing for evaluation",
    "no-context": "it asks for no context with a picture",
    "no-count": "it counts no terms",
    "no-similarity": "it trains no similarity",
    "no-match": "it trains no matching head",
    "no-pictures": "it learns from texts alone",
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

    `ask` adds the name of the `check` and the `place` in the author's file, which a check itself does not know.
    """

    def __init__(self, cause: str, remedy: str = "", check: str = "", place: str = "") -> None:
        super().__init__(cause, remedy, check, place)
        self.cause, self.remedy, self.check, self.place = cause, remedy, check, place

    def __str__(self) -> str:
        lines = [f"{self.check}: {self.cause}" if self.check else self.cause]
        lines += [f"  to do: {self.remedy}"] if self.remedy else []
        return "\n".join([*lines, f"  where: {self.place}"] if self.place else lines)


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
    state: Literal["passed", "failed", "skipped", "expected"]
    """How it ended; "expected" is a failure that was announced."""
    cause: str = ""
    """What is wrong, or the reason why it was skipped."""
    remedy: str = ""
    """What to do about it."""
    place: str = ""
    """File and line of the author's that it is about, and what stands there."""
    told: str = ""
    """What a check that passed found out beside that."""
    reason: str = ""
    """Why it was skipped, one of REASONS."""
    seconds: float = 0.0
    """How long it took."""

    def __str__(self) -> str:
        said = self.cause or self.told
        lines = [f"{self.state:8}{self.check}" + (f": {said}" if said else "")]
        lines += [f"        to do: {self.remedy}"] if self.remedy else []
        return "\n".join([*lines, f"        where: {self.place}"] if self.place else lines)


def refuse_unknown_check(name: str, checks: Iterable[str], where: str) -> None:
    """ValueError, with the nearest right name, unless there is such a check."""
    known = sorted(checks)
    if name not in known:
        near = nearest(name, known)
        guess = f"did you mean {near!r}? " if near else ""
        raise ValueError(f"{where} names the unknown check {name!r}; {guess}known: {', '.join(known)}")


_NEXT = "\n  to do: "
"""Where the remedy begins in the text of a UserError."""


def ask(name: str, check: Check, subject: Any) -> str | None:
    """Run one check, give what it tells; whatever it raises but a skip becomes CheckFailed under its name."""
    try:
        return check(subject)
    except CheckFailed as wrong:
        place = wrong.place or place_of(name, subject, wrong.cause, wrong)
        raise CheckFailed(wrong.cause, wrong.remedy, name, place) from wrong.__cause__  # the same, without its name
    except (CheckSkipped, KeyboardInterrupt):
        raise
    except (Exception, SystemExit) as wrong:  # a stranger's code may call sys.exit
        remedy = getattr(wrong, "remedy", "") or "look at the line that raised it"
        said = f"{wrong.cause} ({wrong.place})" if isinstance(wrong, UserError) and wrong.place else str(wrong)
        cause = f"expected no error, saw {type(wrong).__name__}: {said.partition(_NEXT)[0]}"
        raise CheckFailed(cause, remedy, name, place_of(name, subject, cause, wrong)) from wrong


def find(
    checks: Mapping[str, Check], subject: Any, only: Iterable[str] = (), heard: Callable[[Finding], None] | None = None
) -> list[Finding]:
    """The findings of all checks (or of those named in `only`) on one subject, in their order; each is `heard` at once.

    An unknown name is a ValueError: a run that checks nothing would look like one that passed.
    """
    wanted = set(only) or set(checks)
    for name in wanted:
        refuse_unknown_check(name, checks, "only")
    found = []
    for name, check in checks.items():
        if name in wanted:
            found.append(_found(name, check, subject))
            if heard is not None:
                heard(found[-1])
    return found


def _found(name: str, check: Check, subject: Any) -> Finding:
    start = perf_counter()
    try:
        told = ask(name, check, subject)
    except CheckFailed as wrong:
        return Finding(name, "failed", wrong.cause, wrong.remedy, wrong.place, seconds=perf_counter() - start)
    except CheckSkipped as skipped:
        return Finding(name, "skipped", str(skipped), reason=skipped.reason, seconds=perf_counter() - start)
    return Finding(name, "passed", told=told or "", seconds=perf_counter() - start)


def judged(found: Finding, expected: Mapping[str, str]) -> Finding:
    """A finding in the light of what was announced: check -> the reason why it must fail. One that passes, fails."""
    reason = expected.get(found.check)
    if reason is None or found.state == "skipped":
        return found
    if found.state == "failed":
        return replace(found, state="expected")
    return replace(found, state="failed", cause=f"expected to fail ({reason}), and it passes", told="",
                   remedy="expect it no longer")


def tally(found: Sequence[Finding]) -> str:
    """How many checks ran of how many, in a line: "ran 33/35, skipped 2 (needs-gpu, no-figures), failed 1"."""
    skipped = [one for one in found if one.state == "skipped"]
    why = f" ({', '.join(sorted({one.reason for one in skipped}))})" if skipped else ""
    expected, failed = (sum(one.state == state for one in found) for state in ("expected", "failed"))
    announced = f", failed as expected {expected}" if expected else ""
    return f"ran {len(found) - len(skipped)}/{len(found)}, skipped {len(skipped)}{why}{announced}, failed {failed}"
