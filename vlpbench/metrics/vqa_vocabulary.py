"""The vocabulary score of ViLT, METER and BEiT-3: soft targets looked up in a fixed list of answers; not VQA accuracy.

Definition: hengyuan-hu/bottom-up-attention-vqa, `tools/compute_softscore.py` (same recipe in METER, LXMERT, ViLT's
`vilt/utils/write_vqa.py`, BEiT-3's `beit3/datasets.py`); the usual list has 3,129 entries. Answers are looked up as
written, not normalised, and each entry has the leave-one-out credit of the number of people who gave it. It differs
from VQA accuracy where an answer is written unlike its entry. Those codebases drop questions none of whose answers is
in the list, and so print a higher number; here all questions count, and theirs is told beside it (`over_answerable`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from vlpbench.errors import UserError
from vlpbench.metrics.answer_text import strip_punctuation, to_digits
from vlpbench.metrics.vqa_questions import check_answers, check_predictions, percent
from vlpbench.metrics.vqa_rules import credits_of, normalise, soft_targets
from vlpbench.types import Question

__all__ = ["VocabularyScores", "build_vocabulary", "ceiling", "vocabulary_scores"]


@dataclass(frozen=True)
class VocabularyScores:
    """What a model scores whose only answers are those of a list."""

    overall: float
    """Mean soft target of the predicted entry over ALL questions, percent."""
    ceiling: float
    """What `overall` would be if the best entry were predicted for every question, percent."""
    accuracy_ceiling: float
    """VQA accuracy (rule `always`) of the best entry for every question, percent: the ceiling of that other score."""
    over_answerable: float | None
    """The mean over the answerable questions alone, percent: what ViLT, METER and BEiT-3 print; None if none is."""
    questions: int
    """Number of questions, all of which are in `overall`."""
    unanswerable: int
    """How many of them have no answer that is in the list, as written; they count as 0."""
    outside: int
    """How many predictions are not in the list; they count as 0."""
    per_question: Mapping[int, float]
    """Question id -> soft target of its prediction, 0 to 1, in the order of the questions."""


def vocabulary_scores(
    predictions: Mapping[int, str], questions: Mapping[int, Question], vocabulary: Collection[str]
) -> VocabularyScores:
    """Score exactly one prediction for each question against the entries of `vocabulary`, compared as written.

    With one answer a question its soft target is 1. UserError for ids that do not fit, for predictions, answers or
    entries that are missing or no strings.
    """
    check_predictions(predictions, questions)
    answers = {key: question.answers for key, question in questions.items()}
    check_answers(answers.items())
    known = _entries(vocabulary)
    scores, best, answerable = {}, [], []
    for key, given in answers.items():
        targets = {answer: worth for answer, worth in credits_of(given).items() if answer in known}
        scores[key] = targets.get(predictions[key], 0.0)
        best.append(max(targets.values(), default=0.0))
        if targets:
            answerable.append(scores[key])
    return VocabularyScores(
        percent(scores.values()),
        percent(best),
        ceiling(answers.values(), known),
        percent(answerable) if answerable else None,
        len(answers),
        len(answers) - len(answerable),
        sum(prediction not in known for prediction in predictions.values()),
        scores,
    )


def build_vocabulary(questions: Iterable[Question], least: int = 9) -> tuple[str, ...]:
    """The entries that are the (normalised) majority answer of at least `least` questions, most common first.

    The published lists take `multiple_choice_answer` of train and val; a `Question` does not hold it, so its most
    common answer as written stands in, the first given of several. Commas go, as the recipe asks: with the other
    marks. The alphabet breaks ties of order: a label's number means nothing without its list.
    """
    asked = list(questions)
    check_answers([(question.id, question.answers) for question in asked])
    most = (Counter(question.answers).most_common(1)[0][0] for question in asked)
    counts = Counter(to_digits(strip_punctuation(answer)) for answer in most)
    kept = [entry for entry, count in counts.items() if count >= least]
    return tuple(sorted(kept, key=lambda entry: (-counts[entry], entry)))


def ceiling(answers: Iterable[Sequence[str]], vocabulary: Collection[str], normalised: bool = True) -> float:
    """Percent that a model could reach whose only words are those of the vocabulary; over ALL questions given.

    `answers` are the given answers question by question; the best vocabulary entry counts, 0 where none fits. With
    one answer a question this is the share of answers in the vocabulary, as written if not `normalised`.
    """
    given = dict(enumerate(answers))
    if not given:
        raise UserError("there is no question to find the ceiling of")
    check_answers(given.items())
    known = {normalise(word) for word in vocabulary} if normalised else set(vocabulary)
    if not normalised and any(len(each) > 1 for each in given.values()):
        raise ValueError("answers can be compared as written only where a question has one")
    targets = soft_targets if normalised else credits_of
    best = (max((score for a, score in targets(g).items() if a in known), default=0.0) for g in given.values())
    return percent(list(best))


def _entries(vocabulary: Collection[str]) -> frozenset[str]:
    """The entries; UserError where there are none, or some are no strings."""
    if isinstance(vocabulary, str) or not vocabulary:
        raise UserError(f"the answer vocabulary is not a list of answers, but {vocabulary!r}")
    wrong = [entry for entry in vocabulary if not isinstance(entry, str)]
    if wrong:
        raise UserError(f"{len(wrong)} entries of the answer vocabulary are not strings, such as {wrong[0]!r}")
    return frozenset(vocabulary)
