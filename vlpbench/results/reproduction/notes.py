"""What must be said with a published column beside ours: rule, signs, ranks, what is seen, what is missing."""

from __future__ import annotations

import math
from collections.abc import Iterator

from vlpbench.results.agreement import agreement_sentence
from vlpbench.results.listed import listed, spans
from vlpbench.results.metric_names import head
from vlpbench.results.reproduction.found import Reproduction
from vlpbench.results.reproduction.verdict import VERDICTS
from vlpbench.results.statistics import ABOUT, cannot_carry

__all__ = ["caption", "missing_sentences", "notes", "power_sentence", "signs_sentence"]


def caption(found: Reproduction, is_narrow: bool = False) -> str:
    """What a paper prints with the table."""
    said = [found.description, *_meaning(found, is_narrow), signs_sentence(found)]
    return " ".join(f"{line[0].upper()}{line[1:].rstrip('.')}." for line in said if line)


def notes(found: Reproduction, is_narrow: bool = False) -> tuple[str, ...]:
    """One sentence each; a narrow table has no column of sign flips to tell of."""
    return (
        *_meaning(found, is_narrow), signs_sentence(found), *_opposite(found), agreement_sentence(found.agreement),
        power_sentence(found), *missing_sentences(found), *_limits(found),
    )


def signs_sentence(found: Reproduction) -> str:
    """How many of the published signs appear, with certainty and at all."""
    signs, unsaid = found.signs, len(found.rows) - found.signs.published
    starred = sum(one.verdict == "reproduced" and one.is_significant(found.alpha) for one in found.rows)
    had = "" if signs.had == signs.published else f" that have a difference of ours (of {signs.published})"
    holm = f" ({starred} of them under Holm, too)" if found.comparisons > 1 else ""
    coins = "chance of as many, were the signs coins"
    shared = "; rows share a baseline, so they are not quite that" if len(found.rows) > 1 else ""
    ties = f"; {_count(unsaid, 'published difference')} of 0 not counted" if unsaid else ""
    return (
        f"{signs.certain} of {_count(signs.published, 'published sign')} reproduced{holm}; of {signs.had}{had}, "
        f"{signs.same} point the published way at all ({coins}: {_chance(signs.chance)}{shared}){ties}"
    )


def power_sentence(found: Reproduction) -> str:
    """The smallest differences that the design sees: row by row, and in every row."""
    there = [one.smallest for one in found.rows if math.isfinite(one.smallest)]
    if not there:
        return "sees: nothing, without two paired seeds that vary"
    largest, row = found.largest_smallest()
    corrected, _ = found.largest_smallest(corrected=True)
    digits = found.digits
    least = f"from {min(there):.{digits}f} to " if len(there) > 1 else ""
    holm = f"; {corrected:.{digits}f} where the smallest p has to pass Holm" if found.comparisons > 1 else ""
    return (
        f"sees: the least difference that such an interval tells from zero in {100 * found.power:g}% of studies, by "
        f"the row's own spread between seeds: {least}{largest:.{digits}f} ({row}){holm}"
    )


def missing_sentences(found: Reproduction) -> Iterator[str]:
    """Rows that lack seeds, counted and named."""
    if not found.incomplete:
        return
    seeds = len(found.seeds)
    yield f"†: {len(found.incomplete)} of {_count(len(found.rows), 'row')} without all {seeds} seeds, over those had"
    for one in found.incomplete:
        yield f"{one.row}: {len(one.seeds)} of {seeds} seeds" + (f" ({one.note})" if one.note else "")


def _meaning(found: Reproduction, is_narrow: bool) -> list[str]:
    """What was compared, how, and the rule."""
    level, many = f"{100 * (1 - found.alpha):g} %", found.comparisons
    seeds = found.seeds
    over = f" over n = {len(seeds)} seeds ({spans(seeds)})" if len(seeds) > 1 else ""
    family = f"Holm's correction over {many} comparisons" if many > 1 else "one comparison"
    flips = "" if is_narrow else "; p (sign flips) is exact and uncorrected"
    there = {one.verdict for one in found.rows} | {"reproduced", "opposite", "not shown"}
    rule = "; ".join(f"{name}: {what}" for name, what in VERDICTS.items() if name in there)
    what = f"Differences of each row to {found.baseline} in {head(found.task, found.metric)}, published and ours"
    apart = "the published column has its own data and budget, so that signs and order compare, and sizes do not"
    said = [
        f"{what}: mean and {level} t interval of each by itself, paired by seed{over}", rule,
        f"* marks p (Holm) below {found.alpha:g} (paired t; {family}){flips}",
    ]
    if found.margin is not None:
        said.append(f"No difference of {found.margin:g}: the whole interval lies within ±{found.margin:g}")
    return [*said, f"Intervals and p are about {ABOUT['seeds']}; {apart}"]


def _opposite(found: Reproduction) -> list[str]:
    """Rows that contradict the paper are named."""
    rows = [one.row for one in found.rows if one.verdict == "opposite"]
    return [f"opposite to the published sign: {listed(rows)}"] if rows else []


def _limits(found: Reproduction) -> list[str]:
    """What the fewest seeds of a row that has some can never show."""
    counts = [len(one.seeds) for one in found.rows if one.seeds]
    return cannot_carry(min(counts), found.comparisons, found.alpha) if counts else ["nothing could be compared yet"]


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _chance(value: float) -> str:
    return "< 0.001" if value < 0.001 else f"{value:.3f}"
