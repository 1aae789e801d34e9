"""Which of the statistics that tables print come from a paper."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vlpbench.results.frame import Results

__all__ = ["statistics_used"]


def statistics_used(results: Results) -> Iterator[tuple[str, tuple[str, ...]]]:
    """What a table of these results can hold -> keys: tests need two rows and two seeds, ranks a published column."""
    done = results.frame[results.frame["status"] == "done"]
    seeds = done.groupby(["grid", "row"])["seed"].nunique()
    tested = int((seeds > 1).groupby(level="grid").sum().max()) if len(seeds) else 0
    if tested > 1:
        yield "correction for several comparisons (Holm), where a table prints tests", ("holm1979",)
        yield "probability of improvement, where it is printed", ("agarwal2021precipice",)
        yield "paired bootstrap over examples, where it is printed", ("efron1979bootstrap",)
    if any(order.published for order in results.orders):
        yield "rank correlation with the published numbers, where it is printed", ("kendall1938", "spearman1904")
