"""Visual question answering as classification over the training answers (`metrics/vqa_accuracy.py` scores it).

Axes: N questions, A answers.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
import torch

from vlpbench.contract.abilities import Backbone
from vlpbench.data.errors import DataError
from vlpbench.data.examples import Examples, fitting, text_ids
from vlpbench.data.splits import Split
from vlpbench.metrics.vqa_accuracy import (
    ceiling,
    example_scores,
    majority,
    normalise,
    soft_targets,
    vqa_scores,
)
from vlpbench.tasks.answering import NEEDS, Answering, AnsweringConfig, Form
from vlpbench.tasks.task import Readout, Task
from vlpbench.tasks.trial import Scores, Trial, blocks
from vlpbench.types import Batch, Question

__all__ = ["Vqa", "answer_vocabulary"]


class Vqa(Task):
    """Questions about pictures. A grid may fix the form of the readout: `vqa@decoder`, `vqa@fused`."""

    name, primary = "vqa", "accuracy"

    def __init__(self, form: Form | None = None) -> None:
        """`form` None takes the first that the backbone has the abilities for."""
        self.form = form

    def why_not(self, offers: Collection[str], trains: Collection[str], zero_shot: bool) -> str | None:
        """No objective here trains answers, so there is no zero-shot form."""
        if zero_shot:
            return "n/a: answers are a classifier that only the fine-tune trains"
        if self._form(offers):
            return None
        if self.form:
            return f"n/a: readout {self.form!r} needs {' and '.join(sorted(NEEDS[self.form]))}"
        return "n/a: needs context and decode, fused_tokens, or vectors"

    def needs(self, offers: Collection[str]) -> frozenset[str]:
        """By the form of the readout."""
        form = self._form(offers)
        return NEEDS[form] if form else frozenset()

    def readout(self, trial: Trial) -> Readout:
        """Decoder features where the backbone has them, else fused tokens, else two vectors."""
        split = trial.open_split("train", "train")
        answers = answer_vocabulary(split, trial.protocol.answers)
        form = self._form(trial.blueprint.offers)
        assert form is not None
        config = AnsweringConfig(len(answers), form, trial.visible)
        backbone = trial.blueprint.build(NEEDS[form])  # only its widths are read
        objective = Answering(config, backbone.spec)

        def begin(trained: Backbone) -> None:
            objective.start_from_words(trained, *_answer_words(answers, trial))

        return Readout(objective, _examples(split, answers, trial), form, answers, begin)

    def _form(self, offers: Collection[str]) -> Form | None:
        usable = [form for form, needs in NEEDS.items() if needs <= set(offers)]
        return next((form for form in usable if self.form in (None, form)), None)

    def predict(self, backbone: Backbone, readout: Readout | None, split: Split, trial: Trial) -> list[dict[str, Any]]:
        """The likeliest answer to each question, with its probability."""
        assert readout is not None and isinstance(readout.objective, Answering)
        asked = _asked(split)
        objective, rows = readout.objective, []
        for block in blocks(len(asked), 256):
            some = [asked[at] for at in block]
            batch = _batch([question for _, question in some], [row for row, _ in some], split, backbone, trial)
            with torch.no_grad(), trial.device.autocast():
                features = objective.encode(backbone, batch)
            with torch.no_grad():
                sure, best = objective.logits({"features": features["features"].float()}).softmax(1).max(1)
            for (row, question), index, probability in zip(some, best.tolist(), sure.tolist(), strict=True):
                rows.append({
                    "question_id": question.id,
                    "image_id": split.samples[row].id,
                    "question": question.text,
                    "question_type": question.kind,
                    "answer_type": question.answer_kind,
                    "answers": list(question.answers),
                    "prediction": readout.answers[index],
                    "probability": probability,
                })
        return rows

    def score(self, rows: Sequence[dict[str, Any]], split: Split, readout: Readout | None, trial: Trial) -> Scores:
        """Leave-one-out accuracy, or exact match where questions have one answer, with the floors and the ceiling."""
        assert readout is not None
        asked = {question.id: question for _, question in _asked(split)}
        predictions = {row["question_id"]: row["prediction"] for row in rows}
        for metric, found in example_scores(predictions, asked).items():
            for row in rows:
                row[metric] = found[row["question_id"]]
        values = vqa_scores(predictions, asked)
        whole = [metric for metric in values if "[" not in metric]
        taught = trial.open_split("train", "train")
        most = majority([question for _, question in _asked(taught)])
        floors = {
            "chance": {whole[-1]: _chance(asked.values(), readout.answers)},
            "majority": _only(whole, vqa_scores(most.predictions(asked.values()), asked)),
            "majority of its question type": _only(whole, vqa_scores(most.predictions(asked.values(), True), asked)),
        }
        given = [question.answers for question in asked.values()]
        ceilings = {metric: ceiling(given, readout.answers, metric != "exact") for metric in whole}
        return Scores(dict(values), {}, floors, ceilings, len(rows))  # type: ignore[arg-type]


def answer_vocabulary(split: Split, most: int) -> tuple[str, ...]:
    """The most frequent answers of a training split, normalised, counted once a question; the alphabet breaks ties."""
    counts: Counter[str] = Counter()
    for _, question in _asked(split):
        counts.update(dict.fromkeys(soft_targets(question.answers), 1))
    return tuple(answer for answer, _ in sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:most])


def _asked(split: Split) -> list[tuple[int, Question]]:
    """Each question that has answers, with the row of its sample."""
    asked = [(row, q) for row, sample in enumerate(split.samples) for q in sample.questions if q.answers]
    if not asked:
        raise DataError(
            f"the {split.name} split of {split.dataset!r} has no questions with answers",
            remedy="name a data set with questions in [protocol.vqa] data, or take vqa out of tasks",
        )
    return asked


def _examples(split: Split, answers: Sequence[str], trial: Trial) -> Examples:
    """N: one example a question; `targets` (N, A) are the soft scores of the answers."""
    asked = _asked(split)
    place = {answer: at for at, answer in enumerate(answers)}
    targets = np.zeros((len(asked), len(answers)), np.float32)
    for at, (_, question) in enumerate(asked):
        for answer, score in soft_targets(question.answers).items():
            if answer in place:
                targets[at, place[answer]] = score
    texts = [question.text for _, question in asked]
    tokens, mask = trial.tokenizer.encode(texts, fitting(texts, trial.tokenizer, trial.settings.text.length))
    rows = np.array([row for row, _ in asked], np.int64)
    return Examples(
        pixels=split.pixels,
        image_rows=rows,
        image_ids=np.array([split.samples[row].id for row in rows], np.int64),
        tokens=tokens,
        mask=mask,
        caption_ids=text_ids(texts),
        first=np.arange(len(asked)),
        many=np.ones(len(asked), np.int64),
        fields={"targets": targets},
    )


def _answer_words(answers: Sequence[str], trial: Trial) -> tuple[torch.Tensor, torch.Tensor]:
    """A, L: the ids of each answer and which of them are words; an empty answer is the end of the sentence."""
    tokens, mask = trial.tokenizer.encode(answers, fitting(answers, trial.tokenizer, trial.settings.text.length))
    words = mask & (tokens != trial.tokenizer.vocabulary.eos)
    words[:, 0] |= ~words.any(1)
    device = trial.device.torch
    return torch.from_numpy(tokens).to(device), torch.from_numpy(words).to(device)


def _batch(
    questions: Sequence[Question], rows: Sequence[int], split: Split, backbone: Backbone, trial: Trial
) -> Batch:
    """Some questions with their pictures, as the readout saw them in training."""
    tokens, mask = trial.tokenizer.encode([question.text for question in questions], trial.settings.text.length)
    ids = np.zeros(len(tokens), np.int64)
    host = Batch(None, tokens, mask, ids, ids, np.array(1.0), trial.tokenizer.vocabulary)
    device = trial.device.torch
    extras = Answering.corrupt(host, np.random.default_rng(0), AnsweringConfig())
    words, present = torch.from_numpy(tokens).to(device), torch.from_numpy(mask).to(device)
    return Batch(
        images=None,
        tokens=words,
        mask=present,
        image_ids=words[:, 0],
        caption_ids=words[:, 0],
        progress=torch.ones(()),
        vocabulary=trial.tokenizer.vocabulary,
        extras={name: torch.from_numpy(array).to(device) for name, array in extras.items()},
        image=backbone.see(trial.pictures(split, rows)),
        text=backbone.read(words, present),
    )


def _only(metrics: Sequence[str], values: dict[str, float]) -> dict[str, float | None]:
    return {metric: values[metric] for metric in metrics}


def _chance(questions: Collection[Question], answers: Sequence[str]) -> float:
    """Percent expected of an answer drawn evenly from the vocabulary."""
    known = {normalise(answer) for answer in answers}
    total = sum(score for q in questions for answer, score in soft_targets(q.answers).items() if answer in known)
    return 100.0 * total / (len(questions) * max(1, len(answers)))
