"""What seeds and images can show, in Markdown: now, seeds needed, rows as they stand, images needed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from vlpbench.results.metric_names import head
from vlpbench.results.power.found import MetricPower, Power, SeedNeed
from vlpbench.results.statistics import cannot_carry

__all__ = ["power_text"]

_FEW_IMAGES = 50
"""Below so many the mean over images is hardly normal, as these numbers take it to be."""


def power_text(found: Power) -> str:
    """One grid's answer: tables first, then what must be said of them."""
    parts = [f"# {found.grid}: what its seeds and test images can show", _asked(found)]
    if found.metrics:
        gaps = [f"{need.gap:g}" for need in found.metrics[0].ladder]
        parts += [
            "## Now", _now(found.metrics), *_seeds(found.metrics, gaps), "## Rows as they stand", _seen(found.metrics),
            *_images(found.metrics, gaps),
        ]
    return "\n\n".join([*parts, "\n".join(f"- {line}" for line in _notes(found))])


def _asked(found: Power) -> str:
    level = f"p < {found.alpha / found.comparisons:.2g}"
    asked = f"Holm's correction asks {level} of the smallest p (alpha {found.alpha:g})"
    return (
        f"Each row beside {found.baseline!r}, {_counted(found.comparisons, 'comparison')} in the table. A gap counts "
        f"as found where a paired t test over seeds finds it in {100 * found.power:g}% of such studies; "
        f"{asked if found.comparisons > 1 else f'{level} is asked'}. Numbers are in the unit of the table."
    )


def _now(metrics: Sequence[MetricPower]) -> str:
    lines = [
        [
            head(one.task, one.metric), str(one.spread.seeds), f"{_number(one.spread.std)} ({_ends(one)})",
            f"{_number(one.spread.least)} to {_number(one.spread.most)}", _number(one.smallest), _number(one.alone),
        ]
        for one in metrics
    ]
    heads = ["score", "seeds", "std of differences (95 %)", "row by row", "smallest gap found", "were it the only one"]
    return _table(heads, lines)


def _seeds(metrics: Sequence[MetricPower], gaps: Sequence[str]) -> list[str]:
    lines = [[head(one.task, one.metric), *map(_needed, one.ladder)] for one in metrics]
    return ["## Seeds of each row that a gap needs", _table(["score", *gaps], lines)] if gaps else []


def _seen(metrics: Sequence[MetricPower]) -> str:
    lines = [
        [head(one.task, one.metric), row.row, _signed(row.gap), _number(row.std), str(row.seeds),
         _needed(row.need) if row.gap and row.need else "–"]
        for one in metrics
        for row in one.seen
    ]
    return _table(["score", "row", "gap", "std", "seeds", "seeds that a gap of this size needs"], lines)


def _images(metrics: Sequence[MetricPower], gaps: Sequence[str]) -> list[str]:
    lines = []
    for one in metrics:
        if one.images is None:
            continue
        name, there, ladder = head(one.task, one.metric), f"{one.images.images:,}", one.images.ladder
        these = [_image_count(need.these_models, "> 100 million") for need in ladder]
        new = [_image_count(need.new_seeds, "never") for need in ladder]
        lines.append([name, "these very models", there, *these])
        lines.append([name, f"new seeds too, {one.images.seeds} each", there, *new])
    heads = ["score", "to say something of", "images there are", *gaps]
    return ["## Test images that a gap needs, with the seeds there are", _table(heads, lines)] if lines and gaps else []


def _notes(found: Power) -> Iterator[str]:
    if not found.metrics:
        yield (
            f"no row has two seeds in common with {found.baseline!r}, or differences never vary: there is no spread to "
            "go by"
        )
        return
    rough = [one for one in found.metrics if one.spread.is_rough]
    if rough:
        most = max(rough, key=lambda one: one.spread.high / one.spread.low if one.spread.low else 0)
        yield (
            f"so few seeds know the spread itself only roughly ({head(most.task, most.metric)}: "
            f"{_number(most.spread.std)}, and {_ends(most)} are as possible); seeds in brackets are for both ends, "
            "and images for new seeds are rougher still"
        )
    if any(one.spread.least < one.spread.most for one in found.metrics):
        yield "pooled over rows, of which some vary more than others: see row by row"
    if any(len({row.seeds for row in one.seen}) > 1 for one in found.metrics):
        yield "the smallest gap is that of rows with the most seeds; rows with fewer find larger ones only"
    yield "a gap that was seen is uncertain, too: plan for the smallest gap that would matter, not for the one seen"
    seeds = max(one.spread.seeds for one in found.metrics)
    yield from cannot_carry(seeds, found.comparisons, found.alpha)
    if any(one.images and None in [need.new_seeds for need in one.images.ladder] for one in found.metrics):
        yield "never: seeds alone vary too much for such a gap, however many images there are"
    if any(one.images and one.task.startswith("retrieval") for one in found.metrics):
        yield "retrieval: queries against the pictures that there are; in a larger set a recall is another score"
    for one in found.metrics:
        if one.no_images:
            yield f"no number of images for {head(one.task, one.metric)}: {one.no_images}"
    if found.without:
        yield f"no spread between seeds to go by: {', '.join(head(*one) for one in found.without)}"


def _needed(need: SeedNeed) -> str:
    """9 (6 to 18)."""
    if need.seeds == need.fewest == need.most:
        return _count(need.seeds)
    return f"{_count(need.seeds)} ({_count(need.fewest)} to {_count(need.most)})"


def _count(number: int | None) -> str:
    return "> 1,000" if number is None else f"{number:,}"


def _image_count(number: int | None, none: str) -> str:
    """So few images that their mean is not about normal are not counted out."""
    return none if number is None else f"{number:,}" if number >= _FEW_IMAGES else f"< {_FEW_IMAGES}"


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}{'s' if number != 1 else ''}"


def _ends(one: MetricPower) -> str:
    return f"{_number(one.spread.low)} to {_number(one.spread.high)}"


def _number(value: float) -> str:
    """Two digits where it is small."""
    return f"{value:.2f}" if value < 1 else f"{value:.1f}"


def _signed(value: float) -> str:
    return f"{value:+.2f}" if abs(value) < 1 else f"{value:+.1f}"


def _table(heads: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    from tabulate import tabulate

    safe = [[text.replace("|", "\\|") for text in line] for line in lines]
    return str(tabulate(safe, list(heads), tablefmt="github", disable_numparse=True))
