"""Multiple choice: the percent of questions whose chosen choice is the right one, with chance and the blind floor.

For sets with choices (Visual7W telling, Zhu et al. 2016; A-OKVQA, Schwenk et al. 2022). Choices are compared as
written, not normalised: a prediction has to be one of them. How a model chooses is not known here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from vlpbench.errors import UserError
from vlpbench.metrics.ids import listed, same_ids
from vlpbench.metrics.vqa_questions import check_predictions, grouped, percent
from vlpbench.types import Question

__all__ = ["ChoiceScores", "choice_scores", "commonest_choice"]


@dataclass(frozen=True)
class ChoiceScores:
    """Scores of a set of multiple-choice questions."""

    overall: float
    """Percent of the questions whose right choice was chosen."""
    per_question_type: Mapping[str, float]
    """The same for the questions of each type, in the order of the alphabet."""
    per_question: Mapping[int, float]
    """Question id -> 1.0 where the right choice was chosen, else 0.0; in the order of the questions."""
    chance: float
    """Percent that drawing a choice at random gets right on average: the mean of 1 / number of choices."""
    questions: int
    """Number of questions."""
    outside: int
    """How many predictions are none of the question's choices; they count as wrong."""


def choice_scores(
    predictions: Mapping[int, str], questions: Mapping[int, Question], right: Mapping[int, str]
) -> ChoiceScores:
    """Score exactly one chosen choice for each question; `right` is the right choice as written, by question id.

    `Question.choices` holds all choices, the right one too. UserError for ids that do not fit, questions without
    choices or whose right choice is not among them, and predictions that are not strings.
    """
    check_predictions(predictions, questions)
    same_ids(right.keys(), questions.keys(), "question", given="right choices")
    _check_choices(questions)
    strange = [key for key, question in questions.items() if right[key] not in question.choices]
    if strange:
        raise UserError(
            f"the right choice of {len(strange)} questions is not among their choices: {listed(strange)}",
            remedy="give it as it is written there",
        )
    scores = {key: float(predictions[key] == right[key]) for key in questions}
    values = list(scores.values())
    return ChoiceScores(
        percent(values),
        {
            name: percent([values[at] for at in positions])
            for name, positions in grouped(questions.values()).question_type.items()
        },
        scores,
        percent([q.choices.count(right[key]) / len(q.choices) for key, q in questions.items()]),
        len(questions),
        sum(predictions[key] not in question.choices for key, question in questions.items()),
    )


def commonest_choice(questions: Mapping[int, Question], seen: Iterable[str]) -> dict[int, str]:
    """For each question the choice that was most often the right one in training, without a look at anything else.

    `seen`: the right choices of the training questions, as written. The choice that is listed first breaks ties, those
    between choices never seen too. On visual7w-mini's test split this chooses right for 46.9 %, where chance is 25.
    """
    _check_choices(questions)
    counts = Counter(seen)
    if not counts:
        raise UserError("there is no training question to count right choices of")
    return {key: max(question.choices, key=counts.__getitem__) for key, question in questions.items()}


def _check_choices(questions: Mapping[int, Question]) -> None:
    """UserError that names the questions without choices."""
    bare = [key for key, question in questions.items() if not question.choices]
    if bare:
        raise UserError(
            f"{len(bare)} questions have no choices: {listed(bare)}",
            remedy="score free answers by accuracy or exact match; only sets with choices have this score",
        )
