"""What tests under a table cannot carry, in sentences: too few seeds, rows that were not tested, what is assumed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from vlpbench.results.comparisons import Comparison, family_size
from vlpbench.results.metric_names import printed_name
from vlpbench.results.statistics import Target, cannot_carry

__all__ = ["claims"]

_ASSUMED: Mapping[Target, str] = {
    "seeds": "p is of a paired t test, which takes differences between seeds to be about normal (sign flips: "
    "symmetric); where runs now and then diverge, a 95% interval may cover 50 to 90%",
    "seeds and examples": "seeds and images are taken to be drawn at random, their differences to be about normal",
    "examples": "seeds are taken as they are: nothing is said of the recipe over new ones",
}

_NO_TEST = "intervals of two rows may overlap although they differ: only the paired test tells"

_FIXED = "CIDEr of new examples is measured with the word weights of this test set, which are held fixed"

_LEAST_P = 1e-4
"""Of 10,000 resamples: no p is smaller, however large a difference is."""

_MOST_NAMED = 3
"""Rows or metrics that a sentence names before it counts the rest."""


def claims(comparisons: Sequence[Comparison], alpha: float = 0.05, of: str = "") -> list[str]:
    """Sentences for under a table of these comparisons; [] where nothing was compared.

    `of` is what a table prints by them ("bold", "Δ"), told where it prints two such things.
    """
    if not comparisons:
        return []
    tested = [one for one in comparisons if one.is_tested]
    said = [f"{of}: {one}" if of else one for one in _limits(tested, alpha)] if tested else ["nothing could be tested"]
    said += _untested([one for one in comparisons if not one.is_tested])
    if tested:
        said += [_ASSUMED[tested[0].target], _NO_TEST]
    if any(one.target != "seeds" and one.metric.startswith("CIDEr") for one in tested):
        said.append(_FIXED)
    return said


def _limits(tested: Sequence[Comparison], alpha: float) -> list[str]:
    """What so many seeds, or resamples, can never show; of tests about these very models seeds are no sample."""
    many = family_size(tested)
    if tested[0].target == "examples":
        needed = f"no p of 10,000 resamples is below {_LEAST_P:g}, and over {many:,} comparisons one has to be"
        return [f"nothing can pass: {needed}"] if many * _LEAST_P >= alpha and min(one.p for one in tested) > 0 else []
    for seeds in sorted({len(one.seeds) for one in tested}, reverse=True):
        said = cannot_carry(seeds, many, alpha)
        if said:
            return said  # fewer seeds cannot either
    return []


def _untested(comparisons: Iterable[Comparison]) -> list[str]:
    """One sentence a reason, with the rows and metrics that share it."""
    found: dict[str, tuple[dict[str, None], dict[str, None]]] = {}
    listed = list(comparisons)
    many = len({one.grid for one in listed}) > 1
    for one in listed:
        why = one.note or "no seed in common"
        if not why.startswith(f"{one.row} and "):
            why = why.removeprefix(f"{one.row}: ").removeprefix(f"{one.row} ")
        rows, metrics = found.setdefault(why, ({}, {}))
        rows[f"{one.grid}: {one.row}" if many else one.row] = None
        metrics[f"{one.task} {printed_name(one.metric)}"] = None
    return [f"not tested: {_some(rows)} in {_some(metrics)} ({why})" for why, (rows, metrics) in found.items()]


def _some(names: Iterable[str]) -> str:
    listed = list(names)
    more = len(listed) - _MOST_NAMED
    return ", ".join(listed[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
