"""Open questions: a task that gives the likeliest answer of the training answers, however it comes to it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, ClassVar

from vlpbench.contract.abilities import Backbone
from vlpbench.data.splits import Split
from vlpbench.metrics.vqa_accuracy import soft_targets
from vlpbench.tasks.questions import answer_scores, asked_of, floor_columns, question_columns
from vlpbench.tasks.task import Answers, Readout, Row
from vlpbench.tasks.trial import Scores, Trial

__all__ = ["OpenQuestions", "answer_vocabulary"]


class OpenQuestions(Answers):
    """What the forms of open-ended VQA share: the answers that can be given, the rows, and the scores."""

    name, primary = "vqa", "accuracy"
    at_once: ClassVar[int]
    """Questions asked at once, where a trial does not say."""

    def facts(self, trial: Trial) -> dict[str, Any]:
        """The answers that can be given."""
        return {"answers": list(answer_vocabulary(trial.open_split("train", "train"), trial.protocol.answers))}

    def predict(self, backbone: Backbone, readout: Readout, split: Split, trial: Trial) -> list[Row]:
        """The likeliest answer to each question, with its probability, and what floors and ceiling would say."""
        asked = asked_of(split)
        answers: Sequence[str] = readout.facts["answers"]
        said: list[tuple[str, float]] = []
        for block in trial.blocks(len(asked), self.at_once):
            some = [asked[at] for at in block]
            pictures = trial.pictures(split, [row for row, _ in some])
            said += self.answers(backbone, readout, pictures, [question.text for _, question in some], trial)
        floors, way = floor_columns([question for _, question in asked], answers, trial), self.way(readout, trial)
        return [
            question_columns(split.samples[row], question) | {"prediction": answer, "probability": sure} | floor | way
            for (row, question), (answer, sure), floor in zip(asked, said, floors, strict=True)
        ]

    def way(self, readout: Readout, trial: Trial) -> dict[str, str]:
        """What each row says of how it was asked, where a form leaves a choice."""
        return {}

    def score(self, rows: Sequence[Row], metrics: Sequence[str] | None = None) -> Scores:
        """Leave-one-out accuracy, or exact match where questions have one answer, with the floors and the ceiling."""
        return answer_scores(rows)


def answer_vocabulary(split: Split, most: int) -> tuple[str, ...]:
    """The most frequent answers of a training split, normalised, counted once a question; the alphabet breaks ties."""
    counts: Counter[str] = Counter()
    for _, question in asked_of(split):
        counts.update(dict.fromkeys(soft_targets(question.answers), 1))
    return tuple(answer for answer, _ in sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:most])
