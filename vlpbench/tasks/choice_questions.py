"""Questions with choices: which can be asked, what each row holds, and how rows are scored (`metrics/choices.py`).

Axes: N questions, C choices of a question, T tokens of a text.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from vlpbench.data.errors import DataError
from vlpbench.data.splits import Split
from vlpbench.metrics.choices import choice_scores, commonest_choice
from vlpbench.tasks.questions import ASKED, question_columns, question_of
from vlpbench.tasks.task import Row
from vlpbench.tasks.trial import Scores, Trial
from vlpbench.types import Question

__all__ = ["PER_TOKEN", "Choice", "choice_rows", "choice_row_scores", "choices_of", "filled"]

PER_TOKEN = "multiple_choice[score=per token]"
"""The same where the mean over a choice's tokens decides, for rows that say how many each has."""


@dataclass(frozen=True)
class Choice:
    """A question with choices."""

    row: int
    """The row of its sample in the split."""
    question: Question
    """The question; the right choice is among its choices."""
    right: str
    """The right choice, as written."""


def choices_of(split: Split) -> list[Choice]:
    """Each question of a split that has choices and a right one; a DataError where there is none."""
    found = [
        Choice(row, question, right[question.id])
        for row, sample in enumerate(split.samples)
        if (right := sample.fields.get("right_choice"))
        for question in sample.questions
        if question.choices and question.id in right
    ]
    if not found:
        raise DataError(
            f"the {split.name} split of {split.dataset!r} has no questions with choices",
            remedy="name a set of the VQA layout whose questions have `multiple_choices` and whose annotations have "
            "`multiple_choice_answer` in [protocol.vqa] data, or ask vqa, which needs no choices",
        )
    return found


def filled(choices: Sequence[Choice]) -> tuple[list[str], np.ndarray]:
    """N * C texts and where there is a choice (N, C): the choices of each question, "" for those that it has not."""
    many = max(len(one.question.choices) for one in choices)
    there = np.arange(many) < np.array([len(one.question.choices) for one in choices])[:, None]
    texts = [text for one in choices for text in (*one.question.choices, *[""] * (many - len(one.question.choices)))]
    return texts, there


def choice_rows(
    split: Split, asked: Sequence[Choice], scores: Sequence[Sequence[float]], way: Row, trial: Trial
) -> list[Row]:
    """Rows of questions (`asked`) whose choices have these scores: the best is the prediction, the first of equals.

    Each holds what the floor needs: the choice that was most often the right one in training.
    """
    seen = [one.right for one in choices_of(trial.open_split("train", "train"))]
    floor = commonest_choice({one.question.id: one.question for one in asked}, seen)
    rows = []
    for one, each in zip(asked, scores, strict=True):
        choices = list(one.question.choices)
        best = max(range(len(choices)), key=each.__getitem__)
        rows.append({
            **question_columns(split.samples[one.row], one.question),
            "choices": choices,
            "right_choice": one.right,
            "prediction": choices[best],
            "scores": list(each),
            "majority": floor[one.question.id],
            **way,
        })
    return rows


def choice_row_scores(rows: Sequence[Row]) -> Scores:
    """Percent of right choices, whole and by question type, with the floors; adds each row's own score to it."""
    asked = {row["question_id"]: question_of(row) for row in rows}
    right = {row["question_id"]: row["right_choice"] for row in rows}
    found = choice_scores({row["question_id"]: row["prediction"] for row in rows}, asked, right)
    for row in rows:
        row["multiple_choice"] = found.per_question[row["question_id"]]
    values: dict[str, float | None] = {"multiple_choice": found.overall}
    values |= {f"multiple_choice[kind={kind}]": score for kind, score in found.per_question_type.items()}
    if "tokens" in rows[0]:
        values[PER_TOKEN] = choice_scores({row["question_id"]: _per_token(row) for row in rows}, asked, right).overall
    floors: dict[str, dict[str, float | None]] = {"chance": {"multiple_choice": found.chance}}
    if "majority" in rows[0]:
        majority = choice_scores({row["question_id"]: row["majority"] for row in rows}, asked, right)
        floors["majority"] = {"multiple_choice": majority.overall}
    told: dict[str, Any] = {"images": len({row["image_id"] for row in rows})}
    told |= {key: rows[0][key] for key in ASKED if key in rows[0]}
    return Scores(values, {}, floors, {}, len(rows), told)


def _per_token(row: Row) -> str:
    """The choice whose tokens are likeliest on average; the first of equals."""
    mean = [score / max(1, many) for score, many in zip(row["scores"], row["tokens"], strict=True)]
    choice: str = row["choices"][max(range(len(mean)), key=mean.__getitem__)]
    return choice
