"""The caption that a paper prints with a table: what varies, n, what ± means, bold, tests, protocol, split."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from vlpbench.results.comparisons import Comparison, family_size
from vlpbench.results.listed import spans
from vlpbench.results.notes import protocol_in_brief
from vlpbench.results.statistics import ABOUT
from vlpbench.results.tables.asked import Asked
from vlpbench.results.tables.entries import FAILED, SIGNIFICANT
from vlpbench.results.tables.layout import Layout
from vlpbench.results.tables.model import Column, Line
from vlpbench.results.tables.verdicts import Verdicts

if TYPE_CHECKING:
    from vlpbench.results.frame import Results

__all__ = ["caption", "meaning", "numbers"]

_COST = (
    "What each row is made of and what it cost: means over its finished cells; work is counted, times are wall time "
    "of a cell's stages as if it shared none"
)

_NUMBER = r"\d+(?:,\d{3})*"

_DIFFERENCES = (
    "p is of one comparison alone, p (Holm) of all {m} together, p (sign flips) exact over seeds and uncorrected; "
    "better in: share of seeds in which the row is better, a tie being half"
)


def caption(results: Results, asked: Asked, first: Sequence[str]) -> str:
    """Plain sentences, as far as they are true of this very table; `first`: those of `meaning`.

    Of the protocol it has what most rows share: the rest, and what tests cannot carry, is said under the table.
    """
    said = [*(order.description for order in results.orders if order.description), *first]
    if asked.what != "cost":
        said += _begun(protocol_in_brief(results), results)
    return " ".join(line if line.endswith(".") else f"{line}." for line in said)


def _begun(said: Iterable[str], results: Results) -> list[str]:
    """Sentences with a large letter first, but for those that begin with a task's name."""
    tasks = tuple(f"{task}: " for order in results.orders for task in order.tasks)
    return [line if line.startswith(tasks) else line[:1].upper() + line[1:] for line in said]


def meaning(
    results: Results, layout: Layout, verdicts: Verdicts, asked: Asked, columns: Sequence[Column], lines: Sequence[Line]
) -> list[str]:
    """What numbers, bold, marks and tests of this very table mean, a sentence each."""
    if asked.what == "cost":
        return [_COST]
    baseline = " or ".join(verdicts.baselines)
    tested = _tested(verdicts.deltas.values())
    if asked.what == "differences":
        said = [f"Differences of each row to {baseline}, paired by seed", numbers(results, layout, asked, "Means")]
        said += [f"Intervals and p: {_tests(tested, asked)}", _DIFFERENCES.format(m=len(tested))] if tested else []
        said += [f"{SIGNIFICANT} marks p (Holm) below {asked.alpha:g}"] if tested else []
    else:
        said = [numbers(results, layout, asked), _bold(verdicts, layout, asked), _deltas(verdicts, baseline, asked)]
        said += _marks(results, columns, lines)
    about = tested or _tested(verdicts.with_best)
    said += [f"Tests are about {ABOUT[about[0].target]}"] if about else []
    return [line for line in said if line]


def numbers(results: Results, layout: Layout, asked: Asked, means: str = "") -> str:
    """What varies, over how many seeds, and what stands behind ± (`means`: what is told of instead)."""
    done = results.frame[results.frame["status"] == "done"]
    seeds = sorted({int(seed) for seed in done["seed"]})
    if not seeds:
        return "No cell has finished"
    named = spans(seeds)
    if "seed" in (*asked.rows, *asked.columns):
        return f"Single runs of seeds {named}"
    if len(seeds) == 1:
        untested = "" if asked.target == "examples" else ", and no difference can be tested"
        return f"One run with seed {named}: no spread over seeds is known{untested}"
    kinds = {
        "std": "Mean ± standard deviation", "none": "Mean",
        "interval": f"Mean ± half of the {100 * (1 - asked.alpha):g} % t interval of {ABOUT['seeds']},",
    }
    n, counts = layout.usual_n(), layout.counts()
    others = "; n is printed where it differs" if set(counts) - {(n, n)} else ""
    which = f"{'of ' if len(seeds) > n else ''}{named}"
    over = f"over n = {n} seed{'' if n == 1 else 's'} ({which}; equal seeds share data order and initial weights)"
    return f"{means or kinds[asked.spread]} {over}{others}"


def _bold(verdicts: Verdicts, layout: Layout, asked: Asked) -> str:
    if not verdicts.best:
        return ""
    column = "column and grid" if len({grid for grid, _ in layout.rows.values()}) > 1 else "column"
    said = f"Bold: the best mean of each {column}"
    if asked.bold == "best":
        return said
    tested = _tested(verdicts.with_best)
    worse = f" and all that are not significantly worse ({_tests(tested, asked)})"
    spreads = [layout.spread(*place, score) for place in layout.rows for score in layout.scores]
    counts = {one.n for one in spreads if one and one.n}
    said += worse if tested else ", and nothing is tested"
    return said + ("; a row of a single seed is compared with none" if len(counts) > 1 and 1 in counts else "")


def _deltas(verdicts: Verdicts, baseline: str, asked: Asked) -> str:
    if not verdicts.baselines:
        return ""
    tested = _tested(verdicts.deltas.values())
    said = f"Δ: difference to {baseline}, paired by seed"
    if not tested:
        return said
    before = _tested(verdicts.with_best)
    is_alike = bool(before) and _methods(before) == _methods(tested)
    how = f"tested alike; {_correction(tested)}" if is_alike else _tests(tested, asked)
    return f"{said}; {SIGNIFICANT} marks those that are significant ({how})"


def _tested(comparisons: Iterable[Comparison]) -> list[Comparison]:
    return [one for one in comparisons if one.is_tested]


def _tests(tested: Sequence[Comparison], asked: Asked) -> str:
    """The test, the correction and the level."""
    if not tested:
        return ""
    return f"{_methods(tested)}; {_correction(tested)}; α = {asked.alpha:g}"


def _methods(tested: Sequence[Comparison]) -> str:
    return " or ".join(_merged(one.method for one in tested))


def _correction(tested: Sequence[Comparison]) -> str:
    many, pairs = family_size(tested), ", all pairs of rows" if len(tested) < family_size(tested) else ""
    return f"Holm's correction over {many} comparisons{pairs}" if many > 1 else "one comparison"


def _merged(methods: Iterable[str]) -> list[str]:
    """What differs in numbers alone is said once: paired t over 2 to 6 seeds."""
    found: dict[str, list[list[int]]] = {}
    for method in dict.fromkeys(methods):
        numbers = [int(one.replace(",", "")) for one in re.findall(_NUMBER, method)]
        found.setdefault(re.sub(_NUMBER, "{}", method), []).append(numbers)
    ranges = {form: [(min(mine), max(mine)) for mine in zip(*all_of, strict=True)] for form, all_of in found.items()}
    return [
        form.format(*(f"{low:,}" if low == high else f"{low:,} to {high:,}" for low, high in mine))
        for form, mine in ranges.items()
    ]


def _marks(results: Results, columns: Sequence[Column], lines: Sequence[Line]) -> list[str]:
    """What else stands in the table."""
    said = []
    if any(entry.mark == FAILED for line in lines for entry in line.entries):
        said.append(f"{FAILED}: some of the row's cells failed and are not in its mean")
    if any(column.kind == "published" for column in columns):
        said.append("Published: what a paper prints for the row")
    if results.frame["blind"].eq(True).any():
        said.append("Blind: every image blanked in fine-tuning and test; neither bold nor tested")
    if any(line.kind == "floor" for line in lines):
        said.append("Below the rows stands what needs no model, scored on the same examples")
    return said
