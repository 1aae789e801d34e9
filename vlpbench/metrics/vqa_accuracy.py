"""VQA accuracy: how many of the people who were asked gave this answer (leave-one-out mean of min(1, matches / 3)).

Definition: Antol et al. 2015 (arXiv 1505.00468) and its official evaluator, GT-Vision-Lab/VQA, file
`PythonEvaluationTools/vqaEvaluation/vqaEval.py`. Three rules of that evaluator's history are in use for *when* a
string is normalised, and they differ by points, so every result has to name its own:

| rule | prediction | given answers |
| --- | --- | --- |
| `always` (ours) | normalised | normalised |
| `2021` (commit a013f00) | only if the given answers are not all equal | the same |
| `2016` (commit 458a8b2) | normalised | only punctuation, and only if they are not all equal |

Scores of one question are fractions, 0 to 1; whole-set scores are percent. The leave-one-out goes by position, not by
value as in the official file, which goes wrong where answers carry no `answer_id`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, get_args

from vlpbench.errors import UserError, unknown
from vlpbench.metrics.answer_text import strip_punctuation, to_digits, trim
from vlpbench.metrics.ids import same_ids
from vlpbench.types import Question

__all__ = [
    "RULES",
    "Majority",
    "Rule",
    "ceiling",
    "exact",
    "example_scores",
    "majority",
    "normalise",
    "soft_score",
    "soft_targets",
    "vqa_scores",
]

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
    said, given = _compared(prediction, answers, rule)
    return _credit(sum(answer == said for answer in given), len(given))


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
    counts = Counter(map(normalise, answers))
    if len(answers) == 1:
        return tuple((answer, 1.0) for answer in counts)
    return tuple((answer, _credit(count, len(answers))) for answer, count in counts.most_common())


def ceiling(answers: Iterable[Sequence[str]], vocabulary: Collection[str], normalised: bool = True) -> float:
    """Percent that a model could reach whose only words are those of the vocabulary; over ALL questions given.

    `answers` are the given answers question by question; the best vocabulary entry counts, 0 where none fits. With
    one answer a question this is the share of answers in the vocabulary, as written if not `normalised`.
    """
    known = {normalise(word) for word in vocabulary} if normalised else set(vocabulary)
    best = []
    for given in answers:
        _check_answers(given)
        if normalised:
            targets = soft_targets(given)
        elif len(given) == 1:
            targets = {given[0]: 1.0}
        else:
            raise ValueError("answers can be compared as written only where a question has one")
        best.append(max((score for answer, score in targets.items() if answer in known), default=0.0))
    if not best:
        raise UserError("there is no question to find the ceiling of")
    return _percent(best)


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
    worth: dict[str | None, Counter[str]] = {None: Counter()}
    spellings: dict[str, Counter[str]] = {}
    for question in questions:
        _check_answers(question.answers, question.id)
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


def example_scores(
    predictions: Mapping[int, str], questions: Mapping[int, Question], rule: Rule = "always"
) -> dict[str, dict[int, float]]:
    """Metric -> question id -> score of that question (0 to 1), in the order of `questions`.

    Sets with several answers a question have `accuracy`; sets with one have `exact` (as written, but for blanks at
    the ends) and `exact_normalised`. UserError for ids that do not fit, answers that are missing, or a mixed set.
    """
    if rule not in RULES:
        raise unknown("VQA rule", rule, RULES)
    same_ids(predictions.keys(), questions.keys(), "question")
    for key, question in questions.items():
        _check_answers(question.answers, key)
        if not isinstance(predictions[key], str):
            raise UserError(f"the prediction for question {key} is {predictions[key]!r}, not a string")
    single = {len(question.answers) == 1 for question in questions.values()}
    if len(single) > 1:
        raise UserError(
            "some questions have one answer and some have several: their scores are not of one kind",
            remedy="score the two groups apart",
        )
    if single == {False}:
        return {"accuracy": {i: soft_score(predictions[i], q.answers, rule) for i, q in questions.items()}}
    pairs = {i: (predictions[i].strip(), q.answers[0].strip()) for i, q in questions.items()}
    return {
        "exact": {i: exact(*pair, normalised=False) for i, pair in pairs.items()},
        "exact_normalised": {i: exact(*pair, normalised=True) for i, pair in pairs.items()},
    }


def vqa_scores(
    predictions: Mapping[int, str], questions: Mapping[int, Question], rule: Rule = "always"
) -> dict[str, float]:
    """Scores of a whole set in percent, unrounded: `accuracy`, or `exact` and `exact_normalised` (`example_scores`).

    Each also by group, as `accuracy[answer_kind=number]` and `accuracy[kind=what color]`. The whole is the mean over
    questions, not the mean of the groups.
    """
    found: dict[str, float] = {}
    for metric, scores in example_scores(predictions, questions, rule).items():
        found[metric] = _percent(scores.values())
        groups: dict[str, list[float]] = {}
        for key, score in scores.items():
            question = questions[key]
            groups.setdefault(f"{metric}[answer_kind={question.answer_kind}]", []).append(score)
            if question.kind:
                groups.setdefault(f"{metric}[kind={question.kind}]", []).append(score)
        found.update({name: _percent(groups[name]) for name in sorted(groups)})
    return found


def _compared(prediction: str, answers: Sequence[str], rule: Rule) -> tuple[str, list[str]]:
    """Prediction and given answers as the rule compares them."""
    if rule == "always":
        return normalise(prediction), [normalise(answer) for answer in answers]
    if rule == "2016":
        raw = list(answers)
        return normalise(prediction), raw if len(set(raw)) == 1 else [strip_punctuation(answer) for answer in raw]
    if rule == "2021":
        trimmed = [trim(answer) for answer in answers]
        if len(set(trimmed)) == 1:
            return trim(prediction), trimmed
        return normalise(prediction), [normalise(answer) for answer in answers]
    raise unknown("VQA rule", rule, RULES)


def _credit(matches: int, people: int) -> float:
    """The leave-one-out mean in closed form; whole numbers until the one division, so that .3 is .3."""
    others = matches * min(ENOUGH, max(matches - 1, 0)) + (people - matches) * min(ENOUGH, matches)
    return others / (ENOUGH * people)


def _percent(scores: Collection[float]) -> float:
    """100 times the mean of the fractions."""
    return 100.0 * sum(scores) / len(scores)


def _most(counter: Counter[str]) -> str:
    """The key of the largest count; the first by alphabet of several."""
    return min(counter, key=lambda key: (-counter[key], key))


def _check_answers(answers: Sequence[str], key: int | None = None) -> None:
    """UserError where there are no answers, or where a string stands for a list of them."""
    if isinstance(answers, str) or not answers:
        where = "" if key is None else f" {key}"
        raise UserError(
            f"question{where} has no list of answers, but {answers!r}",
            remedy="score a split whose answers are public; those of test-dev and test-std are not",
        )
