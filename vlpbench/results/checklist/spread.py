"""What stands behind error bars and tests: which variability, how it is computed, what it assumes and cannot carry."""

from __future__ import annotations

from collections.abc import Iterator

from vlpbench.results.checklist.study import Study, by_rows
from vlpbench.results.statistics import ABOUT, cannot_carry

__all__ = ["runs", "spread"]


def spread(study: Study) -> Iterator[str]:
    """Sentences on error bars and tests of these results' tables."""
    seeds = _seeds(study)
    if not seeds:
        return
    least, most = min(seeds), max(seeds)
    yield f"seeds a row: {by_rows(seeds)}"
    if most == 1:
        yield "one seed: the tables print no error bars, no interval and no test"
        return
    yield ("what varies is the seed: initial weights, order of the data, crops, what is hidden from texts, dropout; "
           "data sets, splits and test examples stay the same, and equal seeds are paired across rows")
    yield ("tables print mean ± sample standard deviation (n − 1) over seeds, not the standard error; on request half "
           "of a t interval of the mean")
    yield f"intervals and tests are about {ABOUT['seeds']}, unless a caption names another target"
    yield ("rows are compared by a paired t test over equal seeds, corrected by Holm's method over the comparisons of "
           "the table; it assumes that differences between seeds are about normal, which so few seeds cannot check; an "
           "exact sign-flip p, which asks only that they are symmetric, can be printed beside it")
    blind = {(one.order.name, one.asked["row"]) for one in study.records if one.asked["settings"]["blind"]}
    comparisons = max(1, sum(len(rows) for rows in seeds.values()) - len(blind) - 1)
    yield from cannot_carry(least, comparisons)
    if least != most:
        yield "of rows with different seeds only those that both have are compared; n is printed where it differs"
    bad = [one for one in study.cost.states if one.state in ("failed", "timeout", "damaged")]
    if bad:
        said = ", ".join(f"{one.cells} {one.state}" for one in bad)
        yield f"cells without a result ({said}) are in no mean; tables mark their rows"


def runs(study: Study) -> Iterator[str]:
    """Exact numbers of runs."""
    states = ", ".join(f"{one.cells:,} {one.state}" for one in study.cost.states)
    if states:
        yield f"cells: {states}; a cell is one pretraining with the readouts and scores of its tasks, of one seed"
    if seeds := _seeds(study):
        yield f"runs behind each mean (seeds): {by_rows(seeds)}"
    for one in study.cost.stages:
        all_of = one.finished + one.unfinished
        yield f"{one.stage}: {all_of:,} run, {one.finished:,} to their end, begun {one.starts:,} times"


def _seeds(study: Study) -> dict[int, list[str]]:
    """Number of seeds -> rows."""
    found: dict[tuple[str, str], set[int]] = {}
    for one in study.records:
        found.setdefault((one.order.name, one.asked["row"]), set()).add(one.asked["seed"])
    counts: dict[int, list[str]] = {}
    many = len(study.results.orders) > 1
    for (grid, row), seeds in found.items():
        counts.setdefault(len(seeds), []).append(f"{grid}: {row}" if many else row)
    return counts
