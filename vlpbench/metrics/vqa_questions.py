"""What every VQA score needs of a set: predictions and answers that fit, groups by type, means in percent."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from math import fsum

from vlpbench.errors import UserError
from vlpbench.metrics.ids import listed, only_strings, same_ids
from vlpbench.types import Question

__all__ = ["Groups", "check_answers", "check_predictions", "grouped", "percent", "single_answers"]


@dataclass(frozen=True)
class Groups:
    """Which questions are of which type, by their position in the set; names in the order of the alphabet."""

    questions: int
    """Number of questions."""
    answer_type: Mapping[str, Sequence[int]]
    """Positions by `Question.answer_kind`."""
    question_type: Mapping[str, Sequence[int]]
    """Positions by `Question.kind`; questions without one are in no group."""


def grouped(questions: Collection[Question]) -> Groups:
    """The positions of the questions of each answer type and of each question type."""
    answer_type: dict[str, list[int]] = {}
    question_type: dict[str, list[int]] = {}
    for at, question in enumerate(questions):
        answer_type.setdefault(question.answer_kind, []).append(at)
        if question.kind:
            question_type.setdefault(question.kind, []).append(at)
    return Groups(len(questions), dict(sorted(answer_type.items())), dict(sorted(question_type.items())))


def check_predictions(predictions: Mapping[int, str], questions: Mapping[int, Question]) -> None:
    """UserError unless there is exactly one prediction for each question, and all are strings."""
    same_ids(predictions.keys(), questions.keys(), "question")
    only_strings(predictions, "question")


def check_answers(answers: Collection[tuple[int, Sequence[str]]]) -> None:
    """UserError that names the questions (id, answers) without answers, and those with one that is not a string."""
    bare = {key: given for key, given in answers if isinstance(given, str) or not given}
    if bare:
        first, found = next(iter(bare.items()))
        which = f"question {first!r} has" if len(bare) == 1 else f"{len(bare)} questions ({listed(bare)}) have"
        raise UserError(
            f"{which} no list of answers, but {found!r}",
            remedy="score a split whose answers are public; those of test-dev and test-std are not",
        )
    if _all_strings(given for _, given in answers):
        return
    wrong = [key for key, given in answers if not all(isinstance(answer, str) for answer in given)]
    raise UserError(
        f"{len(wrong)} questions have an answer that is not a string: {listed(wrong)}",
        remedy='write each as text, such as "2" for 2',
    )


def _all_strings(answers: Iterable[Sequence[str]]) -> bool:
    """Whether all answers of all questions are strings; each distinct one is looked at once."""
    try:
        return all(isinstance(answer, str) for answer in set(chain.from_iterable(answers)))
    except TypeError:  # one of them is a list or a dictionary, which cannot be in a set
        return False


def single_answers(answers: Mapping[int, Sequence[str]]) -> bool:
    """Whether each question has one answer; UserError where some have one and some have several."""
    single = [key for key, given in answers.items() if len(given) == 1]
    if len(single) not in (0, len(answers)):
        raise UserError(
            "some questions have one answer and some have several: their scores are not of one kind"
            f" ({len(single)} of {len(answers)} have one: {listed(single)})",
            remedy="score the two groups apart",
        )
    return bool(single)


def percent(scores: Collection[float]) -> float:
    """100 times the mean of the fractions; the same in whatever order they come."""
    return 100.0 * fsum(scores) / len(scores)
