"""VQA files scored: every rule by name, overall and by type; choices and a closed vocabulary beside it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vlpbench.metrics.choices import ChoiceScores, choice_scores
from vlpbench.metrics.vqa_accuracy import VqaTable, vqa_table
from vlpbench.metrics.vqa_vocabulary import VocabularyScores, vocabulary_scores
from vlpbench.scoring.documents import Rows, read_document, rows_of
from vlpbench.scoring.ids import id_notes, ids, matched, text_problem
from vlpbench.scoring.kinds import check_kinds
from vlpbench.scoring.per_example import Row
from vlpbench.scoring.scored import Scored
from vlpbench.scoring.vocabulary import read_vocabulary
from vlpbench.scoring.vqa_files import Annotated, Choices, read_annotations, read_choices
from vlpbench.scoring.vqa_text import vqa_text

__all__ = ["VqaFiles", "score_vqa"]


@dataclass(frozen=True)
class VqaFiles:
    """What `vlpbench score vqa` is given."""

    annotations: Path
    """Annotations in the layout of visualqa.org."""
    predictions: Path
    """Results: a list of `question_id` and `answer`."""
    questions: Path | None = None
    """The questions file of the same split: it is checked, and brings the choices of a question."""
    vocabulary: Path | None = None
    """A list of answers: the score over it, and its ceiling, are told too."""


@dataclass(frozen=True)
class _Joined:
    """Files that fit each other. A question is known by its place in the annotations file."""

    annotated: Annotated
    predictions: Mapping[int, str]
    choices: Choices
    notes: list[str]


def score_vqa(files: VqaFiles) -> Scored:
    """All VQA scores of a predictions file; UserError names what is malformed, missing, doubled or too many."""
    joined = _joined(files)
    annotated, predictions, questions = joined.annotated, joined.predictions, joined.choices.questions
    table = vqa_table(predictions, questions)
    found: dict[str, Any] = {
        "overall": dict(table.overall),
        "per_answer_type": _named(table.per_answer_type),
        "per_question_type": _named(table.per_question_type),
        "questions": len(questions),
        "unit": "percent",
    }
    columns = {rule: dict(scores) for rule, scores in table.per_question.items()}
    if joined.choices.right:
        chosen = choice_scores(predictions, questions, joined.choices.right)
        found["multiple_choice"] = chosen.overall
        found["multiple_choice_chance"] = chosen.chance
        columns["multiple_choice"] = dict(chosen.per_question)
        joined.notes.extend(_outside(chosen))
    if files.vocabulary is not None:
        listed = vocabulary_scores(predictions, questions, read_vocabulary("--vocabulary", files.vocabulary))
        found["vocabulary"] = _vocabulary(listed)
        columns["vocabulary"] = dict(listed.per_question)
    found["notes"] = joined.notes

    def rows() -> list[Row]:
        return [
            {
                "question_id": name,
                "question_type": questions[at].kind,
                "answer_type": questions[at].answer_kind,
                "prediction": predictions[at],
                **{column: scores[at] for column, scores in columns.items()},
            }
            for name, at in annotated.places.items()
        ]

    return Scored(found, vqa_text(found, _counts(table)), rows)


def _joined(files: VqaFiles) -> _Joined:
    annotations = read_document("--annotations", files.annotations)
    results = read_document("--predictions", files.predictions)
    asked = read_document("--questions", files.questions) if files.questions is not None else None
    check_kinds({
        "VQA annotations": annotations,
        "VQA predictions": results,
        **({} if asked is None else {"VQA questions": asked}),
    })
    annotated = read_annotations(annotations)
    choices = Choices(annotated.questions, {}, ()) if asked is None else read_choices(asked, annotated)
    rows = rows_of(results, "prediction", results.value)
    given = ids(rows, "question_id")
    answers = rows.column("answer", text_problem, 'write each answer as text, such as "2" for 2')
    order = matched(given, annotated.places, rows, annotations, "question")
    predictions = {at: answers[order[at]] for at in annotated.places.values()}
    notes = [*annotated.notes, *choices.notes, *id_notes(rows, "question_id"), *_empty(rows, answers)]
    return _Joined(annotated, predictions, choices, notes)


def _empty(rows: Rows, answers: list[str]) -> list[str]:
    empty = sum(not answer.strip() for answer in answers)
    return [f"empty predicted answers, scored as they are: {empty} of {len(rows)}"] if empty else []


def _outside(chosen: ChoiceScores) -> list[str]:
    if not chosen.outside:
        return []
    count = f"{chosen.outside} of {chosen.questions}"
    return [f"predictions that are none of their question's choices as written, and so count as wrong there: {count}"]


def _named(groups: Mapping[str, Mapping[str, float]]) -> dict[str, dict[str, float]]:
    """The groups that have a name: what the file does not say is no group."""
    return {name: dict(scores) for name, scores in groups.items() if name}


def _counts(table: VqaTable) -> dict[str, Mapping[str, int]]:
    return {
        "per_answer_type": table.counts.per_answer_type, "per_question_type": table.counts.per_question_type,
    }


def _vocabulary(found: VocabularyScores) -> dict[str, Any]:
    """The scores over a closed list of answers, as plain data."""
    return {
        "score": found.overall,
        "ceiling": found.ceiling,
        "accuracy_ceiling": found.accuracy_ceiling,
        "score_of_answerable": found.over_answerable,
        "unanswerable": found.unanswerable,
        "predictions_outside": found.outside,
    }
