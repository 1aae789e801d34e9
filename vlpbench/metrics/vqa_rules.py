"""VQA accuracy of one question: how many of the people who were asked gave this answer.

Definition: leave each person out in turn, take min(1, matches among the others / 3), average (Antol et al. 2015,
arXiv 1505.00468); official evaluator: GT-Vision-Lab/VQA, `PythonEvaluationTools/vqaEvaluation/vqaEval.py`. Three rules
of that evaluator's history are in use for *when* a string is normalised, and they differ by points, so every result has
to name its own:

| rule | prediction | given answers |
| --- | --- | --- |
| `always` (ours) | normalised | normalised |
| `2021` (commit a013f00) | only if the given answers, trimmed, are not all equal; trimmed otherwise | the same |
| `2016` (commit 458a8b2) | normalised | only punctuation, and only if they are not all equal; never trimmed |

Departures from the official files: people are left out by position, not by value (which goes wrong where answers carry
no `answer_id`); nothing is rewritten in place; nothing is rounded. Scores of one question are fractions, 0 to 1.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, get_args

from vlpbench.errors import unknown
from vlpbench.metrics.answer_text import strip_punctuation, to_digits, trim

__all__ = ["RULES", "Rule", "Spellings", "credit", "credits_of", "exact", "normalise", "soft_score", "soft_targets"]

Rule = Literal["always", "2016", "2021"]
"""When strings are normalised; see the table above."""
RULES: tuple[Rule, ...] = get_args(Rule)
ENOUGH = 3
"""Matches among the other people that make an answer fully right."""


@lru_cache(maxsize=1 << 17)
def normalise(answer: str) -> str:
    """The answer as the official evaluator compares it, quirks included: "none" is "0", "a" is "", "dont" is "don't".

    >>> normalise("The U.S.A., two dogs!")
    'usa 2 dogs'
    """
    return to_digits(strip_punctuation(trim(answer)))


def soft_score(prediction: str, answers: Sequence[str], rule: Rule = "always") -> float:
    """Accuracy of one prediction against the N >= 2 given answers: 0, .3, .6, .9, 1 for 0, 1, 2, 3, 4+ matches of 10.

    With n matches the leave-one-out mean over N is (n * min(1, (n-1)/3) + (N-n) * min(1, n/3)) / N. With N of 3 or
    less even a unanimous answer stays below 1. ValueError for fewer than two answers: use `exact`.
    """
    if isinstance(answers, str) or len(answers) < 2:
        raise ValueError(f"leave-one-out accuracy needs two or more answers, got {answers!r}; use exact() for one")
    return credit(Spellings(trim, strip_punctuation, normalise).matches(prediction, answers, rule), len(answers))


def exact(prediction: str, answer: str, normalised: bool) -> float:
    """1.0 where the prediction is the one given answer, else 0.0; both sides normalised first, or neither."""
    return float(normalise(prediction) == normalise(answer) if normalised else prediction == answer)


def soft_targets(answers: Sequence[str]) -> dict[str, float]:
    """Each distinct normalised answer -> its soft score, most common first; of a single answer the score is 1.

    Rule `always`. This is also the target of training with one output an answer (arXiv 1707.07998).

    >>> soft_targets(["Two"] * 7 + ["3"] * 2 + ["none"])
    {'2': 1.0, '3': 0.6, '0': 0.3}
    """
    return dict(_soft_targets(tuple(answers)))


@lru_cache(maxsize=1 << 16)
def _soft_targets(answers: tuple[str, ...]) -> tuple[tuple[str, float], ...]:
    """The same, once for all questions that were answered alike."""
    return tuple(credits_of(map(normalise, answers)).items())


def credits_of(answers: Iterable[str]) -> dict[str, float]:
    """Each distinct string among N >= 1 -> its credit, most common first; of a single one the credit is 1."""
    counts = Counter(answers)
    people = counts.total()
    return {answer: credit(count, people) if people > 1 else 1.0 for answer, count in counts.most_common()}


@dataclass(frozen=True)
class Spellings:
    """How many given answers match a prediction, with the three ways to spell a string that the rules choose from."""

    trimmed: Callable[[str], str]
    """Line breaks and tabs as spaces, no blanks at the ends."""
    unpunctuated: Callable[[str], str]
    """Without punctuation, not trimmed."""
    normalised: Callable[[str], str]
    """All steps."""

    @classmethod
    def remembered(cls) -> Spellings:
        """For a whole set: each distinct string is worked out once."""
        return cls(*(_Remembered(step).__getitem__ for step in (trim, strip_punctuation, normalise.__wrapped__)))

    def matches(self, prediction: str, answers: Sequence[str], rule: Rule) -> int:
        """Number of the answers that are the prediction's, as the rule compares them."""
        if rule == "always":
            return list(map(self.normalised, answers)).count(self.normalised(prediction))
        if rule == "2016":
            unanimous = answers.count(answers[0]) == len(answers)
            given = list(answers if unanimous else map(self.unpunctuated, answers))
            return given.count(self.normalised(prediction))
        if rule == "2021":
            given = list(map(self.trimmed, answers))
            if given.count(given[0]) == len(given):
                return len(given) if given[0] == self.trimmed(prediction) else 0
            return list(map(self.normalised, answers)).count(self.normalised(prediction))
        raise unknown("VQA rule", rule, RULES)


class _Remembered(dict[str, str]):
    """Text -> the text after a step, which is taken once for each text."""

    def __init__(self, step: Callable[[str], str]) -> None:
        self.step = step

    def __missing__(self, text: str) -> str:
        self[text] = found = self.step(text)
        return found


@lru_cache(maxsize=1 << 12)
def credit(matches: int, people: int) -> float:
    """The leave-one-out mean in closed form; whole numbers until the one division, so that .3 is .3."""
    others = matches * min(ENOUGH, max(matches - 1, 0)) + (people - matches) * min(ENOUGH, matches)
    return others / (ENOUGH * people)
