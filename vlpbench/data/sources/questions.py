"""VQAv2's two files joined: each question with what people answered; what does not fit together is named."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vlpbench.contract.dataset import BadSample
from vlpbench.data.sources.json_file import read_json, rows, text_problem, unique_rows, whole_number
from vlpbench.types import Question

__all__ = ["Asked", "read_questions"]

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Asked:
    """What the two files say together."""

    by_image: Mapping[int, tuple[Question, ...]]
    """Questions by image id, in file order."""
    images: Mapping[int, int]
    """Image id by question id."""
    right: Mapping[int, str]
    """The right one of a question's choices, as written, by question id; for questions with choices."""
    problems: tuple[BadSample, ...]
    """What cannot be used: repeated ids, questions without annotation, annotations without question, bad texts."""


def read_questions(document: Row, path: Path, annotations: Path | None) -> Asked:
    """Join a questions document (read from `path`) with the annotations file; None: the answers are hidden."""
    questions, problems = unique_rows(rows(document, "questions", path), "question", "question_id", path)
    answered: Mapping[int, Row] = {}
    if annotations is not None:
        found = rows(read_json(annotations), "annotations", annotations)
        answered, bad = unique_rows(found, "annotation", "question_id", annotations)
        problems += bad
        problems += [
            BadSample(f"{annotations.name}: annotation of question {number}", f"has no question in {path.name}")
            for number in answered if number not in questions
        ]
    by_image: dict[int, list[Question]] = {}
    images: dict[int, int] = {}
    right: dict[int, str] = {}
    for number, row in questions.items():
        answer = answered.get(number)
        wrong = _problem(row, answer, annotations)
        if wrong:
            problems.append(BadSample(f"{path.name}: question {number}", wrong))
            continue
        image = whole_number(row["image_id"])
        assert image is not None, "checked by _problem"
        question = _question(number, row, answer or {})
        by_image.setdefault(image, []).append(question)
        images[number] = image
        if question.choices and answer:
            right[number] = answer["multiple_choice_answer"]
    return Asked({image: tuple(asked) for image, asked in by_image.items()}, images, right, tuple(problems))


def _problem(row: Row, answer: Row | None, annotations: Path | None) -> str | None:
    """What is wrong with a question or its annotation, or None."""
    if whole_number(row.get("image_id")) is None:
        return f"image_id {row.get('image_id')!r} is not a whole number"
    wrong = text_problem(row.get("question"), "question")
    choices = row.get("multiple_choices", [])
    if wrong is None and not (isinstance(choices, list) and all(isinstance(choice, str) for choice in choices)):
        wrong = "'multiple_choices' is not a list of texts"
    if wrong or annotations is None:
        return wrong
    if answer is None:
        return f"has no annotation in {annotations.name}"
    if "image_id" in answer and whole_number(answer["image_id"]) != whole_number(row["image_id"]):
        return f"its annotation is about another image ({answer['image_id']!r}, not {row['image_id']!r})"
    if choices and answer.get("multiple_choice_answer") not in choices:
        return "the right answer is not among its choices"
    return _answers_problem(answer.get("answers"))


def _answers_problem(answers: Any) -> str | None:
    """What is wrong with the list of answers. One of several may be empty (a person said nothing), not all."""
    if not isinstance(answers, list) or not answers:
        return "its annotation has no 'answers'"
    given: list[Any] = [row.get("answer") if isinstance(row, dict) else None for row in answers]
    said = [text for text in given if isinstance(text, str)]
    if len(said) < len(given):
        return "one of its answers is not a text"
    wrong = [problem for text in set(said) if text.strip() and (problem := text_problem(text, "answer"))]
    if wrong:
        return f"one {wrong[0]}"
    return None if any(map(str.strip, said)) else "its answer is empty"


def _question(number: int, row: Row, answer: Row) -> Question:
    return Question(
        number,
        row["question"],
        tuple(given["answer"] for given in answer.get("answers", ())),
        str(answer.get("question_type", "")),
        str(answer.get("answer_type", "other")),
        tuple(row.get("multiple_choices", ())),
    )
