"""VQA accuracy of a whole set: overall, by answer type and by question type, under each normalisation rule by name.

The accuracy of one question and the three rules are defined in `vqa_rules`. The score of a set is the mean over its
questions (not over its types) in percent, unrounded, where the official file rounds to two digits. Any number of
answers from two on is scored alike, even mixed. A set with one answer a question (GQA, Visual7W) has no such accuracy:
it has `exact`, equality as written but for blanks at the ends, and `exact_normalised`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from vlpbench.errors import unknown
from vlpbench.metrics.vqa_floors import Majority, majority
from vlpbench.metrics.vqa_questions import (
    Groups,
    check_answers,
    check_predictions,
    grouped,
    percent,
    single_answers,
)
from vlpbench.metrics.vqa_rules import (
    RULES,
    Rule,
    Spellings,
    credit,
    exact,
    normalise,
    soft_score,
    soft_targets,
)
from vlpbench.metrics.vqa_vocabulary import ceiling
from vlpbench.types import Question

__all__ = [
    "EXACT",
    "RULES",
    "Counts",
    "Majority",
    "Rule",
    "VqaTable",
    "ceiling",
    "exact",
    "example_scores",
    "majority",
    "normalise",
    "soft_score",
    "soft_targets",
    "vqa_scores",
    "vqa_table",
]

EXACT = ("exact", "exact_normalised")
"""What stands in the place of the rules where questions have one answer."""


@dataclass(frozen=True)
class Counts:
    """Numbers of questions."""

    overall: int
    """All of them."""
    per_answer_type: Mapping[str, int]
    """By answer type."""
    per_question_type: Mapping[str, int]
    """By question type; questions without one are not counted here."""


@dataclass(frozen=True)
class VqaTable:
    """All scores of a set. A *rule* is one of `RULES`, or of `EXACT` where questions have one answer."""

    overall: Mapping[str, float]
    """Rule -> percent, the mean over all questions."""
    per_answer_type: Mapping[str, Mapping[str, float]]
    """Answer type -> rule -> percent; types in the order of the alphabet."""
    per_question_type: Mapping[str, Mapping[str, float]]
    """Question type -> rule -> percent; questions without a type are in none."""
    per_question: Mapping[str, Mapping[int, float]]
    """Rule -> question id -> score, 0 to 1, in the order of the questions."""
    counts: Counts
    """How many questions there are of each type."""


def vqa_table(
    predictions: Mapping[int, str], questions: Mapping[int, Question], rules: Sequence[Rule] = RULES
) -> VqaTable:
    """Score exactly one prediction (a string) for each question; neither argument is changed.

    `rules` says when strings are normalised if questions have several answers; those with one give both of `EXACT`.
    UserError for ids that do not fit, predictions or answers that are missing or no strings, or a mixed set.
    """
    for rule in rules:
        if rule not in RULES:
            raise unknown("VQA rule", rule, RULES)
    check_predictions(predictions, questions)
    answers = {key: question.answers for key, question in questions.items()}
    check_answers(answers.items())
    if single_answers(answers):
        scores = _exact_scores(predictions, answers)
    else:
        spellings = Spellings.remembered()
        scores = {rule: _soft_scores(predictions, answers, rule, spellings) for rule in rules}
    groups = grouped(questions.values())
    return VqaTable(
        {rule: percent(found) for rule, found in scores.items()},
        {name: _of(at, scores) for name, at in groups.answer_type.items()},
        {name: _of(at, scores) for name, at in groups.question_type.items()},
        {rule: dict(zip(questions, found, strict=True)) for rule, found in scores.items()},
        _counts(groups),
    )


def example_scores(
    predictions: Mapping[int, str], questions: Mapping[int, Question], rule: Rule = "always"
) -> dict[str, dict[int, float]]:
    """Metric -> question id -> score of that question (0 to 1), in the order of `questions`.

    Sets with several answers a question have `accuracy` (under `rule`), sets with one have both of `EXACT`. Errors as
    in `vqa_table`.
    """
    table = vqa_table(predictions, questions, (rule,))
    return {_metric(name, rule): dict(scores) for name, scores in table.per_question.items()}


def vqa_scores(
    predictions: Mapping[int, str], questions: Mapping[int, Question], rule: Rule = "always"
) -> dict[str, float]:
    """Scores of a whole set in percent, flat: `accuracy`, or both of `EXACT`, each followed by its groups.

    Groups are named `accuracy[answer_kind=number]` and `accuracy[kind=what color]`. Errors as in `vqa_table`.
    """
    table = vqa_table(predictions, questions, (rule,))
    found: dict[str, float] = {}
    for name, score in table.overall.items():
        metric = _metric(name, rule)
        found[metric] = score
        for key, types in (("answer_kind", table.per_answer_type), ("kind", table.per_question_type)):
            found.update({f"{metric}[{key}={group}]": scores[name] for group, scores in types.items()})
    return found


def _soft_scores(
    predictions: Mapping[int, str], answers: Mapping[int, Sequence[str]], rule: Rule, spellings: Spellings
) -> list[float]:
    """Leave-one-out accuracy of each question under a rule."""
    matches = spellings.matches
    return [credit(matches(predictions[key], given, rule), len(given)) for key, given in answers.items()]


def _exact_scores(
    predictions: Mapping[int, str], answers: Mapping[int, Sequence[str]]
) -> dict[str, list[float]]:
    """Both exact scores of each question, which has one answer."""
    pairs = [(predictions[key].strip(), given[0].strip()) for key, given in answers.items()]
    written, normalised = EXACT
    return {
        written: [exact(*pair, normalised=False) for pair in pairs],
        normalised: [exact(*pair, normalised=True) for pair in pairs],
    }


def _of(at: Sequence[int], scores: Mapping[str, Sequence[float]]) -> dict[str, float]:
    """Percent of the questions at these positions, by rule."""
    return {rule: percent([found[i] for i in at]) for rule, found in scores.items()}


def _counts(groups: Groups) -> Counts:
    per_answer_type = {name: len(at) for name, at in groups.answer_type.items()}
    return Counts(groups.questions, per_answer_type, {name: len(at) for name, at in groups.question_type.items()})


def _metric(name: str, rule: Rule) -> str:
    """How the flat scores call a column of the table."""
    return "accuracy" if name == rule else name
