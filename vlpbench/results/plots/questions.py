"""VQA by type of answer and of question: a row's accuracy on each."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from vlpbench.errors import UserError, unknown
from vlpbench.results.plots.matrix import Place, matrix
from vlpbench.results.plots.seed_scores import RowScores, row_scores
from vlpbench.results.plots.style import finished, in_style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from vlpbench.results.frame import Results

__all__ = ["questions", "why_no_questions"]

_PART = re.compile(r"accuracy\[(answer_kind|answer_type|kind|question_type)=(.*)\]", re.DOTALL)
_ORDER = ("answer_type", "answer_kind", "question_type", "kind")
_MOST_ACROSS = 14
"""Types that stand side by side; where there are more they stand below each other."""


def why_no_questions(results: Results) -> str | None:
    """The reason that nothing can be drawn, or None."""
    return None if _tasks(results) else "no row has an accuracy by type of question or answer"


@in_style
def questions(results: Results, task: str = "", width: str = "column") -> Figure:
    """Draw accuracies by type of answer, then by type of question, as the data set names them."""
    tasks = _tasks(results)
    if not tasks:
        raise UserError("no row has an accuracy by type of question or answer", remedy="run a grid with a vqa task")
    if task and task not in tasks:
        raise unknown("task with types of questions", task, tasks, "--task")
    task = task or next(iter(tasks))
    columns_of = tasks[task]
    columns = {name: row_scores(results, task, metric) for metric, name in columns_of.items()}
    rows = next(iter(columns.values()))
    places = [[_place(column[at]) for column in columns.values()] for at in range(len(rows))]
    titles = [row.title for row in rows]
    bold = [at for at, row in enumerate(rows) if row.is_reference]
    if len(columns) > max(_MOST_ACROSS, len(rows)):
        turned = [list(line) for line in zip(*places, strict=True)]
        figure = matrix(list(columns), titles, turned, width)
    else:
        answers = sum(metric.startswith("accuracy[answer") for metric in columns_of)
        figure = matrix(titles, list(columns), places, width, bold, split=answers % len(columns))
    return finished(figure, _said(task, columns), _note(rows))


def _tasks(results: Results) -> dict[str, dict[str, str]]:
    """Task -> its metrics by type with the type's name; types of answers first."""
    frame = results.frame[results.frame["value"].notna()]
    frame = frame[frame["metric"].str.startswith("accuracy[")]
    found: dict[str, dict[str, str]] = {}
    for task in dict.fromkeys([*(task for one in results.orders for task in one.tasks), *frame["task"].unique()]):
        names = frame.loc[frame["task"] == task, "metric"].unique()
        there = [match for one in names if (match := _PART.fullmatch(one))]
        there.sort(key=lambda match: (_ORDER.index(match[1]), match[2]))
        if there:
            found[task] = {match[0]: _name(match[1], match[2], [one[2] for one in there]) for match in there}
    return found


def _name(field: str, kind: str, kinds: list[str]) -> str:
    """The type's name; with what it is a type of where both have it."""
    is_answer = field.startswith("answer")
    return f"{kind} ({'answer' if is_answer else 'question'})" if kinds.count(kind) > 1 else kind


def _place(row: RowScores) -> Place:
    return Place(instead=row.instead) if row.instead else Place(row.mean, (row.high - row.low) / 2)


def _note(rows: list[RowScores]) -> str:
    n = max(len(row.scores) for row in rows)
    half = f"Accuracy in percent, mean over seeds (n={n}), ± half of the 95 % t interval where there is room"
    mean = half if n > 1 else "Accuracy in percent, one seed"
    return f"{mean}; darker is better. Types of answers, then of questions."


def _said(task: str, columns: dict[str, list[RowScores]]) -> str:
    """The picture in a line."""
    best = {
        name: max((row for row in column if row.scores), key=lambda row: row.mean, default=None)
        for name, column in columns.items()
    }
    told = "; ".join(f"{name}: {row.name} {row.mean:.1f}" for name, row in list(best.items())[:12] if row)
    return f"{task} by type of answer and question, the best row of each: {told}"
