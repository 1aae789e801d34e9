"""The files of the VQA evaluator (visualqa.org): annotations and questions, joined by id."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from vlpbench.errors import UserError, nearest
from vlpbench.scoring.documents import Document, Rows, doubled, first_few, listed, rows_of
from vlpbench.scoring.ids import Id, ids, text_problem
from vlpbench.types import Question

__all__ = ["Annotated", "Choices", "read_annotations", "read_choices"]


@dataclass(frozen=True)
class Annotated:
    """An annotations file. Questions are known by their place in it, so that ids may be numbers or texts."""

    document: Document
    """The file."""
    places: Mapping[Id, int]
    """Question id -> place, in file order."""
    questions: Mapping[int, Question]
    """Place -> question; `kind` and `answer_kind` are empty where the file does not say them."""
    majority: Mapping[int, str]
    """Place -> `multiple_choice_answer`, where it is a text: the commonest answer, or the right one of choices."""
    notes: tuple[str, ...]
    """What must be said about the file."""


@dataclass(frozen=True)
class Choices:
    """What a questions file adds."""

    questions: Mapping[int, Question]
    """Place -> question, now with its text and choices."""
    right: Mapping[int, str]
    """Place -> the right one of the choices; empty where there are no choices or the right one is not told."""
    notes: tuple[str, ...]
    """What must be said about the file."""


def read_annotations(document: Document) -> Annotated:
    """The annotations, `{"annotations": [...]}` or the list alone; UserError where they cannot be scored against.

    Answers may be objects with `answer` or plain texts. `question_type` and `answer_type` may be missing.
    """
    rows = rows_of(document, "annotation", listed(document, "annotations"))
    given = ids(rows, "question_id")
    places = {found: at for at, found in enumerate(given)}
    if len(places) < len(given):
        raise rows.error(doubled(given), "'question_id' came before")
    answers = [tuple(map(_text, said)) for said in rows.column("answers", _answers_problem)]
    singles = sum(len(said) == 1 for said in answers)
    if 0 < singles < len(answers):
        raise rows.error([at for at, said in enumerate(answers) if len(said) == 1],
                         "there is one answer, in others several: their scores are not of one kind",
                         "score the two groups apart")
    kinds = {key: _groups(rows, key) for key in ("question_type", "answer_type")}
    questions = {
        at: Question(at, "", said, kinds["question_type"][at], kinds["answer_type"][at])
        for at, said in enumerate(answers)
    }
    right = {at: row["multiple_choice_answer"] for at, row in enumerate(rows.found)
             if isinstance(row.get("multiple_choice_answer"), str)}
    return Annotated(document, places, questions, right, tuple(_notes(rows, answers, kinds)))


def read_choices(document: Document, annotated: Annotated) -> Choices:
    """The questions file of the same ids. UserError where ids differ, or where the right answer is no choice."""
    rows = rows_of(document, "question", listed(document, "questions"))
    given = ids(rows, "question_id")
    if len(set(given)) < len(given):
        raise rows.error(doubled(given), "'question_id' came before")
    _same(given, annotated, document)
    texts = rows.column("question", text_problem)
    choices: list[tuple[str, ...]] = [()] * len(rows)
    if any("multiple_choices" in row for row in rows.found):
        choices = [tuple(said) for said in rows.column("multiple_choices", _choices_problem)]
    questions = {
        annotated.places[found]: replace(annotated.questions[annotated.places[found]], text=text, choices=offered)
        for found, text, offered in zip(given, texts, choices, strict=True)
    }
    if not any(choices):
        return Choices(questions, {}, ())
    right = {at: annotated.majority[at] for at, question in questions.items()
             if annotated.majority.get(at) in question.choices}
    lost = [at for at, found in enumerate(given) if annotated.places[found] not in right]
    if not right:
        told = "the questions have choices, but the annotations tell no right one (multiple_choice_answer)"
        return Choices(questions, {}, (f"{told}: no score of multiple choice",))
    if lost:
        where = annotated.document.path.name
        raise rows.error(lost, f"no choice is the 'multiple_choice_answer' in {where}")
    return Choices(questions, right, ())


def _same(given: list[Id], annotated: Annotated, document: Document) -> None:
    """UserError unless the questions are those that are annotated."""
    extra, missing = set(given) - annotated.places.keys(), annotated.places.keys() - set(given)
    causes = [f"{len(found)} {what}: {first_few(sorted(found, key=str))}"
              for found, what in ((extra, "questions have no annotation"), (missing, "annotations have no question"))
              if found]
    if causes:
        raise UserError("; ".join(causes), f"{document.where}, {annotated.document.where}",
                        "give the questions file of the same split")


def _groups(rows: Rows, key: str) -> list[str]:
    """The group of each row, empty where the file does not say one; UserError for one that is no proper text."""
    found = [value if isinstance(value := row.get(key), str) else "" for row in rows.found]
    broken = [(at, wrong) for at, value in enumerate(found) if (wrong := text_problem(value))]
    if broken:
        raise rows.error([at for at, _ in broken], f"{key!r} {broken[0][1]}")
    return found


def _text(answer: Any) -> str:
    return str(answer["answer"] if isinstance(answer, dict) else answer)


def _answers_problem(value: Any) -> str | None:
    """What is wrong with the answers of a question, or None."""
    if not isinstance(value, list) or not value:
        return "is no list of answers" if not isinstance(value, list) else "is empty (hidden answers?)"
    for one in value:
        if isinstance(one, dict) and "answer" not in one:
            near = nearest("answer", one)
            return "has an entry without 'answer'" + (f" (did you mean its key {near!r}?)" if near else "")
        wrong = text_problem(one["answer"] if isinstance(one, dict) else one)
        if wrong:
            return f"has an answer that {wrong}"
    return None


def _choices_problem(value: Any) -> str | None:
    """What is wrong with the choices of a question, or None."""
    if not isinstance(value, list) or len(value) < 2 or any(map(text_problem, value)):
        return "is no list of two or more texts"
    return None


def _notes(rows: Rows, answers: list[tuple[str, ...]], kinds: Mapping[str, list[str]]) -> list[str]:
    """What must be said: groups that the file does not name, and numbers of answers other than ten or one."""
    name = rows.document.path.name
    said = []
    for key, groups in kinds.items():
        nameless = groups.count("")
        if nameless:
            whole = "no scores by it" if nameless == len(rows) else "they count in the overall score alone"
            said.append(f"{nameless} of {len(rows)} annotations in {name} have no {key!r}: {whole}")
    counts = sorted({len(one) for one in answers})
    if counts not in ([1], [10]):
        said.append(f"questions have {first_few(counts)} answers, not ten: leave-one-out over as many as there are")
    if counts[-1] in (2, 3):
        said.append("with 3 answers or fewer not even a unanimous answer scores 100")
    return said
