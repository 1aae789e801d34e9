"""What `vlpbench diff` prints: two cells, why they may differ, what came out, and what follows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from vlpbench.results.difference import Difference, Differences
from vlpbench.results.difference_curves import Course
from vlpbench.results.difference_outcome import Outcome, Scored
from vlpbench.results.difference_predictions import Predicted
from vlpbench.results.difference_reasons import HEADS, Change
from vlpbench.results.difference_records import Side

__all__ = ["lines_of", "lines_of_all"]

_WIDEST = 60
"""Characters of a value that are printed; JSON has all."""

_FIRST = ("accuracy", "multiple_choice", "CIDEr", "rsum")
"""Scores that stand for their task where one has to."""

_LISTED = 20
"""Lines of a list that are printed; JSON has all."""


def lines_of(found: Difference) -> list[str]:
    """Two cells."""
    said = [f"A  {_side(found.a)}", f"B  {_side(found.b)}", "", "Why they may differ"]
    for group, changes in found.why.items():
        rows = [_change(group, one) for one in changes]
        if [key for key, _ in rows] == [group]:  # the seed
            said.append(f"  {'  '.join(rows[0])}")
        else:
            said += [f"  {HEADS[group]}", *(f"    {line}" for line in _table(rows))]
    if not found.why:
        said.append("  nothing that is recorded differs")
    said += [f"  not known: {line}" for line in found.unknown]
    if found.outcome is not None:
        said += ["", "What came out", *(f"  {line}" for line in _outcome(found.outcome))]
    return [*said, "", f"{found.verdict}."]


def lines_of_all(found: Differences) -> list[str]:
    """Two results folders: what all pairs share, then a few lines a pair."""
    said = []
    shared = found.in_all
    if shared:
        said += [f"In all {len(found.pairs)} cells that both have", *(f"  {line}" for line in _grouped(shared)), ""]
    for pair in found.pairs:
        own = [one for one in pair.changes(tuple(HEADS)) if one not in shared]
        said.append(f"{_name(pair.a)}: {_short(pair)}")
        said += [f"  {line}" for line in [*_grouped(own), *_headline(pair)]]
    for which, sides in (("A", found.only_a), ("B", found.only_b)):
        said += [f"only in {which}: {_name(one)} ({one.id}, {one.state})" for one in sides]
    if not found.pairs:
        said.append("No cell of one has its like, of the same row and seed, in the other.")
    unknown: dict[str, int] = {}
    for pair in (one for one in found.pairs if one.outcome is not None):
        unknown |= {line: unknown.get(line, 0) + 1 for line in pair.unknown}
    said += [f"not known of {number} cells: {line}" for line, number in unknown.items()]
    return [*said, *_count(found)]


def _side(side: Side) -> str:
    cause = f": {side.cause}" if side.cause else ""
    return f"{_name(side)}  ({side.id}, {side.state}{cause})  {side.path}"


def _name(side: Side) -> str:
    return f"{side.row}, seed {'unknown' if side.seed is None else side.seed}"


def _change(group: str, change: Change) -> tuple[str, str]:
    one, other = change.a, change.b
    if group in ("code", "data", "initial") or change.key.endswith(".commit"):
        one, other = (value[:12] if isinstance(value, str) else value for value in (one, other))
    return change.key, f"{_value(one, other)} -> {_value(other, one)}"


def _value(value: Any, other: Any = None) -> str:
    """A value, short, and still other than the one beside it."""
    if value is None:
        return "not there"
    if isinstance(value, float) and other is None:
        return f"{value:.6g}"
    if isinstance(value, Mapping):
        return f"{len(value)} settings" if len(value) != 1 else "1 setting"
    if isinstance(value, float) and isinstance(other, float | int):
        return _number(value, other)
    text = str(value)
    return text if len(text) <= _WIDEST else f"{text[: _WIDEST - 1]}…"


def _number(value: float, other: float) -> str:
    """As many digits as tell a number from the other; at least four."""
    digits = next((digits for digits in range(4, 17) if f"{value:.{digits}g}" != f"{other:.{digits}g}"), 4)
    return f"{value:.{digits}g}"


def _table(rows: Sequence[tuple[str, ...]]) -> list[str]:
    """Rows as lines, columns under each other; a long list is cut."""
    widths = [max((len(row[at]) for row in rows), default=0) for at in range(len(rows[0]) if rows else 0)]
    lines = ["  ".join(f"{text:{width}}" for text, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return lines if len(lines) <= _LISTED else [*lines[:_LISTED], f"and {len(lines) - _LISTED} more (--json has all)"]


def _grouped(changes: Iterable[tuple[str, Change]]) -> list[str]:
    """Changes of several groups as a table."""
    return _table([(HEADS[group].partition(" (")[0], *_change(group, change)) for group, change in changes])


def _outcome(found: Outcome) -> list[str]:
    said = [("curve of " + one.stage, _course(one)) for one in found.courses]
    said += [("predictions of " + one.task, _predicted(one)) for one in found.predictions]
    lines = [f"{name}: {what}" for name, what in said]
    lines += [f"{task}: only in {which}" for task, which in found.only.items()]
    if not found.scores:
        return [*lines, f"scores: all {found.compared} are equal"]
    lines.append(f"scores: {len(found.scores)} of {found.compared} differ")
    main = [one for one in found.scores if "[" not in one.name] or found.scores
    head = ("", "A", "B", "B - A")
    lines += [f"  {line}" for line in _table([head, *map(_scored, main)])]
    hidden = len(found.scores) - len(main)
    return [*lines, f"  and {hidden} of parts, such as {_part(found.scores)} (--json has all)"] if hidden else lines


def _part(scores: Sequence[Scored]) -> str:
    return next(one.name for one in scores if "[" in one.name)


def _scored(score: Scored) -> tuple[str, str, str, str]:
    if score.a is None or score.b is None:
        return score.name, _value(score.a), _value(score.b), f"({_value(score.reason)})" if score.reason else ""
    return score.name, _number(score.a, score.b), _number(score.b, score.a), f"{score.b - score.a:+.4g}"


def _course(one: Course) -> str:
    if one.is_equal:
        return f"equal, {_rows(one.steps[0])}"
    if 0 in one.steps:
        return f"only in {'A' if one.steps[0] else 'B'}"
    if one.parts_at is None:
        short = "A" if one.steps[0] < one.steps[1] else "B"
        return f"equal up to step {one.equal_to}, where {short} ends ({one.steps[0]} and {_rows(one.steps[1])})"
    start = "" if one.equal_to is None else f"equal up to step {one.equal_to}, "
    return f"{start}at step {one.parts_at} {_figures(one.figures or {})}{_later(one)}"


def _figures(found: Mapping[str, tuple[Any, Any]]) -> str:
    """The first two figures that differ; one that only repeats another is left out."""
    single = {str(pair): (key, pair) for key, pair in reversed(list(found.items()))}
    shown = [one for one in found.items() if one in single.values()]
    said = ", ".join(f"{key} {_value(a, b)} against {_value(b, a)}" for key, (a, b) in shown[:2])
    return f"{said}, and {len(shown) - 2} more" if len(shown) > 2 else said


def _later(one: Course) -> str:
    if one.loss is None:
        return ""
    step, a, b = one.loss
    return f"; the loss parts at step {step}: {_number(a, b)} against {_number(b, a)}"


def _rows(count: int) -> str:
    return f"{count} row" if count == 1 else f"{count} rows"


def _predicted(one: Predicted) -> str:
    if one.is_equal:
        return f"equal, {_rows(one.rows[0])}"
    if not one.differ:
        return one.unread or f"{one.rows[0]} rows in A, {one.rows[1]} in B; those of both are equal"
    about = ", ".join(f"{key} {_value(value)}" for key, value in (one.first or {}).items())
    columns = list((one.columns or {}).items())
    shown = ", ".join(_apart(key, a, b) for key, (a, b) in columns[:1])
    told = f"{one.differ} of {one.rows[0]} rows differ, {one.answers} of them in the answer"
    return f"{told}; first {about}: {shown}"


def _apart(key: str, a: Any, b: Any) -> str:
    """A column's two values; of lists the first place that is not the same."""
    if isinstance(a, list) and isinstance(b, list) and a and b:
        at = next((at for at, (one, other) in enumerate(zip(a, b, strict=False)) if one != other), None)
        if at is None:
            return f"{key} of {len(a)} against {len(b)} items"
        key, a, b = f"{key}[{at}]", a[at], b[at]
    return f"{key} {_quoted(a, b)} against {_quoted(b, a)}"


def _quoted(value: Any, other: Any) -> str:
    return repr(_value(value)) if isinstance(value, str) else _value(value, other)


def _short(pair: Difference) -> str:
    """One pair in a few words."""
    if pair.outcome is None:
        return f"A is {pair.a.state}, B is {pair.b.state}"
    return "equal numbers" if pair.outcome.is_equal else "other numbers"


def _headline(pair: Difference) -> list[str]:
    """Where the first curve parts, and one score of each task that differs."""
    if pair.outcome is None:
        return [f"{which}: {side.cause}" for which, side in (("A", pair.a), ("B", pair.b)) if side.cause]
    parted = [one for one in pair.outcome.courses if not one.is_equal][:1]
    tasks: dict[str, Scored] = {}
    for score in pair.outcome.scores:
        task, _, metric = score.name.partition(".")
        if metric in _FIRST or task not in tasks:
            tasks[task] = score
    courses = [f"curve of {one.stage}: {_course(one)}" for one in parted]
    return [*courses, *_table([_scored(one) for one in tasks.values()])]


def _count(found: Differences) -> list[str]:
    """The last line: how many pairs came out equal."""
    if not found.pairs:
        return []
    both = [one for one in found.pairs if one.outcome is not None]
    equal = sum(one.outcome.is_equal for one in both if one.outcome is not None)
    return ["", f"{len(both)} pairs of finished cells: {equal} of equal numbers, {len(both) - equal} of others."]
