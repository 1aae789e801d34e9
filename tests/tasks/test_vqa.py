"""Question answering: the vocabulary of answers, the rows, and scores that anybody can add up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import numpy as np
import pytest

from vlpbench.data.splits import Split
from vlpbench.metrics.vqa_accuracy import normalise, soft_score
from vlpbench.tasks.answering import Answering
from vlpbench.tasks.fine_tuning import ready
from vlpbench.tasks.task import Readout
from vlpbench.tasks.trial import Trial
from vlpbench.tasks.vqa import Vqa
from vlpbench.types import Question, Sample

Made = Callable[..., Trial]


def built(made: Trial) -> Readout:
    """The readout of a trial, from its training split."""
    return Vqa().readout(made, Vqa().facts(made))


def asked(*answers: tuple[str, ...]) -> Split:
    """A split of one sample with these answers to its questions."""
    questions = tuple(Question(number, "what", given, kind="what") for number, given in enumerate(answers))
    return Split("made", "train", (Sample(1, "a.png", (), questions),), np.zeros((1, 4, 4, 3), np.uint8), ())


def test_questions_without_answers_are_not_asked(trial: Made) -> None:
    split = asked(("yes",), (), ("no",))
    made = trial("vqa", opener=lambda name, purpose: split)
    readout = built(made)
    assert len(Vqa().examples(made, readout)) == 2 and readout.facts["answers"] == ["no", "yes"]


@pytest.mark.parametrize(
    ("offers", "reason"),
    [
        ({"context", "decode"}, None),
        ({"fused_tokens"}, None),
        ({"image_vector", "text_vector"}, None),
        ({"image_vector", "decode"}, "n/a: needs context and decode, fused_tokens, or vectors"),
        (set(), "n/a: needs context and decode, fused_tokens, or vectors"),
    ],
)
def test_why_not(offers: set[str], reason: str | None) -> None:
    assert Vqa().why_not(offers, set(), "fine-tune") == reason


def test_the_readout_takes_the_first_form_that_the_trunk_has(trial: Made, towers: Made) -> None:
    assert built(trial("vqa")).head == "decoder"
    assert built(towers("vqa")).head == "vectors"


def test_what_is_taught_are_the_soft_scores(trial: Made, opened: Callable[..., Split]) -> None:
    made, split = trial("vqa"), opened("train", "train")
    readout = built(made)
    questions = [(row, q) for row, sample in enumerate(split.samples) for q in sample.questions]
    examples = Vqa().examples(made, readout)
    answers = readout.facts["answers"]
    assert len(examples) == len(questions) and len(answers) <= 30
    for at, (row, question) in enumerate(questions):
        assert examples.image_rows[at] == row and examples.image_ids[at] == split.samples[row].id
        assert made.tokenizer.decode(examples.tokens[examples.first[at]]) == question.text
        expected = [soft_score(answer, question.answers) for answer in answers]
        assert examples.fields["targets"][at].tolist() == pytest.approx(expected)
    assert (examples.many == 1).all()


def test_rows_and_scores(trial: Made, opened: Callable[..., Split]) -> None:
    task, made, split = Vqa(), trial("vqa"), opened("test")
    asked_one = ready(task, made)
    rows, again = (task.predict(asked_one.backbone, asked_one.readout, split, made) for _ in range(2))
    assert rows == again
    scores, answers = task.score(rows), asked_one.readout.facts["answers"]
    questions = {q.id: q for sample in split.samples for q in sample.questions}
    assert [row["question_id"] for row in rows] == list(questions)
    assert all(row["prediction"] in answers and 0 < row["probability"] <= 1 for row in rows)
    each = [soft_score(row["prediction"], questions[row["question_id"]].answers) for row in rows]
    assert [row["accuracy"] for row in rows] == each
    assert scores.values["accuracy"] == pytest.approx(100 * np.mean(each))
    assert scores.examples == len(rows) == len(questions)
    for kind in {q.kind for q in questions.values()}:
        mine = [score for row, score in zip(rows, each, strict=True) if row["question_type"] == kind]
        assert scores.values[f"accuracy[kind={kind}]"] == pytest.approx(100 * np.mean(mine))


def test_floors_and_ceiling(trial: Made, opened: Callable[..., Split]) -> None:
    task, made, split = Vqa(), trial("vqa"), opened("test")
    readout = built(made)
    answers = readout.facts["answers"]
    rows = task.predict(made.build(readout.needs).eval(), readout, split, made)
    scores = task.score(rows)
    given = [q for sample in split.samples for q in sample.questions]
    taught = [q for sample in opened("train", "train").samples for q in sample.questions]
    by_answer = [np.mean([soft_score(answer, q.answers) for q in given]) for answer in answers]
    assert scores.floors["chance"]["accuracy"] == pytest.approx(100 * np.mean(by_answer))
    worth: Counter[str] = Counter()
    for question in taught:
        for answer in {normalise(answer) for answer in question.answers}:
            worth[answer] += soft_score(answer, question.answers)  # type: ignore[assignment]
    best = min(worth, key=lambda answer: (-worth[answer], answer))
    expected = 100 * np.mean([soft_score(best, q.answers) for q in given])
    assert scores.floors["majority"]["accuracy"] == pytest.approx(expected)
    assert scores.floors["majority of its question type"]["accuracy"] >= expected  # type: ignore[operator]
    most = 100 * np.mean([max(soft_score(answer, q.answers) for answer in answers) for q in given])
    assert scores.ceilings == {"accuracy": pytest.approx(most)}


def test_one_answer_a_question_is_exact_match(trial: Made) -> None:
    split = asked(("Red",), ("blue",), ("green",))
    made = trial("vqa", opener=lambda name, purpose: split)
    readout = built(made)
    assert readout.facts["answers"] == ["blue", "green", "red"]
    rows = Vqa().predict(made.build(readout.needs).eval(), readout, split, made)
    scores = Vqa().score([{**row, "prediction": "red"} for row in rows])
    assert scores.values["exact_normalised"] == pytest.approx(100 / 3)
    assert scores.values["exact"] == 0.0, "as written, red is not Red"
    assert scores.floors["chance"] == {"exact_normalised": pytest.approx(100 / 3)}
    assert scores.ceilings["exact_normalised"] == 100.0 and scores.ceilings["exact"] == pytest.approx(200 / 3)


def test_a_blind_trial_answers_by_the_question_alone(trial: Made, opened: Callable[..., Split]) -> None:
    task = Vqa()
    for blind in (False, True):
        made = trial("vqa", blind=blind)
        readout = built(made)
        assert isinstance(readout.objectives[0], Answering)
        backbone = made.build(readout.needs).eval()
        rows = task.predict(backbone, readout, made.open_split("test", "evaluate"), made)
        by_question: dict[str, set[float]] = {}
        for row in rows:
            by_question.setdefault(row["question"], set()).add(round(row["probability"], 5))
        repeated = [row["question"] for row in rows]
        assert len(set(repeated)) < len(repeated)
        assert (max(len(found) for found in by_question.values()) == 1) is blind
