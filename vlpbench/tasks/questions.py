"""Questions as rows: what each row of a VQA prediction holds, what floors would have said, and how rows are scored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from vlpbench.data.errors import DataError
from vlpbench.data.examples import Examples, text_ids
from vlpbench.data.splits import Split
from vlpbench.data.token_store import encoded
from vlpbench.metrics.vqa_accuracy import (
    RULES,
    example_scores,
    majority,
    normalise,
    soft_targets,
    vqa_scores,
)
from vlpbench.tasks.task import Row
from vlpbench.tasks.trial import Scores, Trial
from vlpbench.types import Question, Sample

__all__ = ["answer_scores", "asked_of", "floor_columns", "question_columns", "question_examples", "question_of"]

FLOORS = {"majority": "majority", "majority of its question type": "majority_of_type"}
"""Floors whose answers stand in each row, and in which column."""

ASKED = ("prompt", "visible")
"""Columns that are the same in all rows and told beside the scores: how a question was worded and read."""


def asked_of(split: Split) -> list[tuple[int, Question]]:
    """Each question that has answers, with the row of its sample."""
    asked = [(row, q) for row, sample in enumerate(split.samples) for q in sample.questions if q.answers]
    if not asked:
        raise DataError(
            f"the {split.name} split of {split.dataset!r} has no questions with answers",
            remedy="name a data set with questions in [protocol.vqa] data, or take vqa out of tasks",
        )
    return asked


def question_examples(
    split: Split, rows: Sequence[int], questions: Sequence[str], fields: Mapping[str, np.ndarray], trial: Trial
) -> Examples:
    """N: one example a question, as it is worded, with the row of its picture and whatever else is to be learnt of."""
    read = encoded(questions, trial.tokenizer, trial.settings.text.length, split.cache)
    return Examples(
        pixels=split.pixels,
        image_rows=np.array(rows, np.int64),
        image_ids=np.array([split.samples[row].id for row in rows], np.int64),
        tokens=read.tokens,
        mask=read.mask,
        caption_ids=text_ids(questions),
        first=np.arange(len(rows)),
        many=np.ones(len(rows), np.int64),
        fields=fields,
        runs=split.lying.runs(rows) if split.lying else None,
    )


def question_columns(sample: Sample, question: Question) -> Row:
    """What a row says of its question, given answers included: enough to score it again."""
    return {
        "question_id": question.id,
        "image_id": sample.id,
        "question": question.text,
        "question_type": question.kind,
        "answer_type": question.answer_kind,
        "answers": list(question.answers),
    }


def floor_columns(questions: Sequence[Question], answers: Sequence[str], trial: Trial) -> list[Row]:
    """For each question: the majority's answers in training, its best answer among those that can be given ("" where
    none is right), and the score expected of one drawn evenly from them (0 to 1).
    """
    most = majority([question for _, question in asked_of(trial.open_split("train", "train"))])
    overall, by_type = most.predictions(questions), most.predictions(questions, True)
    spelt = {normalise(answer): answer for answer in reversed(answers)}
    found = []
    for question in questions:
        right = {spelt[one]: score for one, score in soft_targets(question.answers).items() if one in spelt}
        found.append({
            "majority": overall[question.id],
            "majority_of_type": by_type[question.id],
            "best": max(right, key=right.__getitem__, default=""),
            "chance": sum(right.values()) / max(1, len(answers)),
        })
    return found


def answer_scores(rows: Sequence[Row]) -> Scores:
    """Scores of answers by rule `always`, the whole by the other rules too; floors and ceiling if rows hold them."""
    asked = {row["question_id"]: question_of(row) for row in rows}
    predictions = {row["question_id"]: row["prediction"] for row in rows}
    for metric, found in example_scores(predictions, asked).items():
        for row in rows:
            row[metric] = found[row["question_id"]]
    values: dict[str, float | None] = dict(vqa_scores(predictions, asked))
    whole = [metric for metric in values if "[" not in metric]
    if whole == ["accuracy"]:
        for rule in RULES[1:]:
            values[f"accuracy[rule={rule}]"] = vqa_scores(predictions, asked, rule)["accuracy"]
    floors: dict[str, dict[str, float | None]] = {}
    if "chance" in rows[0]:
        floors["chance"] = {whole[-1]: 100.0 * sum(row["chance"] for row in rows) / len(rows)}
    for floor, column in FLOORS.items():
        if column in rows[0]:
            floors[floor] = _whole(rows, column, asked, whole)
    ceilings = _whole(rows, "best", asked, whole) if "best" in rows[0] else {}
    told = {"normalisation": "always", "images": len({row["image_id"] for row in rows})}
    told |= {key: rows[0][key] for key in ASKED if key in rows[0]}
    return Scores(values, {}, floors, ceilings, len(rows), told)  # type: ignore[arg-type]


def question_of(row: Row) -> Question:
    """The question that a row was made of, as far as scores need it."""
    return Question(
        row["question_id"], row["question"], tuple(row["answers"]), row["question_type"], row["answer_type"],
        tuple(row.get("choices", ())),
    )


def _whole(
    rows: Sequence[Row], column: str, asked: dict[int, Question], metrics: Sequence[str]
) -> dict[str, float | None]:
    """Scores of the whole set where this column stands for the prediction."""
    found: dict[str, Any] = vqa_scores({row["question_id"]: row[column] for row in rows}, asked)
    return {metric: found[metric] for metric in metrics}
