"""What can be scored without looking: the answer that is worth most in training, of all and of each question type."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from vlpbench.errors import UserError
from vlpbench.metrics.vqa_questions import check_answers
from vlpbench.metrics.vqa_rules import normalise, soft_targets
from vlpbench.types import Question

__all__ = ["Majority", "majority"]


@dataclass(frozen=True)
class Majority:
    """The answers to give without looking: the floor that a table prints under its rows."""

    answer: str
    """The most common training answer of all."""
    by_kind: Mapping[str, str]
    """The most common training answer of each question kind."""

    def predictions(self, questions: Iterable[Question], per_kind: bool = False) -> dict[int, str]:
        """Question id -> majority answer (of the question's kind, where training had that kind)."""
        return {q.id: self.by_kind.get(q.kind, self.answer) if per_kind else self.answer for q in questions}


def majority(questions: Iterable[Question]) -> Majority:
    """The one answer that scores most on these (training) questions, and that of each question kind.

    Answers are added up by their soft scores under rule `always`, and given back in their most common spelling; the
    alphabet breaks ties. With one answer a question that is the most common answer. Questions without answers: error.
    """
    asked = list(questions)
    check_answers([(question.id, question.answers) for question in asked])
    worth: dict[str | None, Counter[str]] = {None: Counter()}
    spellings: dict[str, Counter[str]] = {}
    for question in asked:
        targets = soft_targets(question.answers)
        for group in (None, question.kind):
            worth.setdefault(group, Counter()).update(targets)
        for answer in question.answers:
            spellings.setdefault(normalise(answer), Counter())[answer] += 1
    if not spellings:
        raise UserError("there is no training question to take the majority answer from")
    spelt = {key: _most(counter) for key, counter in spellings.items()}
    best = {group: spelt[_most(counter)] for group, counter in worth.items()}
    return Majority(best[None], {group: answer for group, answer in best.items() if group is not None})


def _most(counter: Counter[str]) -> str:
    """The key of the largest count; the first by alphabet of several."""
    return min(counter, key=lambda key: (-counter[key], key))
