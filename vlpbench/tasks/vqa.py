"""Visual question answering as classification over the training answers (`metrics/vqa_accuracy.py` scores it).

Axes: N questions, A answers.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
import torch

from vlpbench.config.task_name import ProtocolName
from vlpbench.contract.abilities import Backbone
from vlpbench.data.examples import Examples, fitting
from vlpbench.data.splits import Split
from vlpbench.metrics.vqa_accuracy import soft_targets
from vlpbench.tasks.answering import NEEDS, Answering, AnsweringConfig, Form
from vlpbench.tasks.open_questions import OpenQuestions, answer_vocabulary
from vlpbench.tasks.questions import asked_of, question_examples
from vlpbench.tasks.task import Readout
from vlpbench.tasks.trial import Trial
from vlpbench.types import Batch

__all__ = ["Vqa", "answer_vocabulary"]


class Vqa(OpenQuestions):
    """Questions about pictures. A grid may fix the form of the readout: `vqa@decoder`, `vqa@fused`."""

    at_once = 256

    def __init__(self, form: Form | None = None) -> None:
        """`form` None takes the first that the backbone has the abilities for."""
        self.form = form

    def why_not(self, offers: Collection[str], trains: Collection[str], protocol: ProtocolName) -> str | None:
        """No objective here trains a classifier of answers, so there is no zero-shot form."""
        if self._form(offers):
            return None
        if self.form:
            return f"n/a: readout {self.form!r} needs {' and '.join(sorted(NEEDS[self.form]))}"
        return "n/a: needs context and decode, fused_tokens, or vectors"

    def needs(self, offers: Collection[str]) -> frozenset[str]:
        """By the form of the readout."""
        form = self._form(offers)
        return NEEDS[form] if form else frozenset()

    def readout(self, trial: Trial, facts: Mapping[str, Any]) -> Readout:
        """Decoder features where the backbone has them, else fused tokens, else two vectors."""
        form, answers = self._form(trial.blueprint.offers), facts["answers"]
        assert form is not None
        objective = Answering(AnsweringConfig(len(answers), form, trial.visible), trial.blueprint.spec)

        def begin(trained: Backbone) -> None:
            objective.start_from_words(trained, *_answer_words(answers, trial))

        return Readout(form, (objective,), facts, begin)

    def examples(self, trial: Trial, readout: Readout) -> Examples:
        """One example a question, its target the soft scores of the answers."""
        return _examples(trial.open_split("train", "train"), readout.facts["answers"], trial)

    def _form(self, offers: Collection[str]) -> Form | None:
        usable = [form for form, needs in NEEDS.items() if needs <= set(offers)]
        return next((form for form in usable if self.form in (None, form)), None)

    @torch.no_grad()
    def answers(
        self, backbone: Backbone, readout: Readout, pictures: torch.Tensor, questions: Sequence[str], trial: Trial
    ) -> list[tuple[str, float]]:
        """The likeliest answer to each question about each picture (B, 3, H, W), and its probability."""
        (objective,) = readout.objectives
        assert isinstance(objective, Answering)
        batch = _batch(questions, pictures, backbone, trial)
        with trial.device.autocast():
            features = objective.encode(backbone, batch)
        sure, best = objective.logits({"features": features["features"].float()}).softmax(1).max(1)
        known = readout.facts["answers"]
        return [(known[index], one) for index, one in zip(best.tolist(), sure.tolist(), strict=True)]


def _examples(split: Split, answers: Sequence[str], trial: Trial) -> Examples:
    """N: one example a question; `targets` (N, A) are the soft scores of the answers."""
    asked = asked_of(split)
    place = {answer: at for at, answer in enumerate(answers)}
    targets = np.zeros((len(asked), len(answers)), np.float32)
    for at, (_, question) in enumerate(asked):
        for answer, score in soft_targets(question.answers).items():
            if answer in place:
                targets[at, place[answer]] = score
    texts = [question.text for _, question in asked]
    return question_examples(split, [row for row, _ in asked], texts, {"targets": targets}, trial)


def _answer_words(answers: Sequence[str], trial: Trial) -> tuple[torch.Tensor, torch.Tensor]:
    """A, L: the ids of each answer and which of them are words; an empty answer is the end of the sentence."""
    tokens, mask = trial.tokenizer.encode(answers, fitting(answers, trial.tokenizer, trial.settings.text.length))
    words = mask & (tokens != trial.tokenizer.vocabulary.eos)
    words[:, 0] |= ~words.any(1)
    device = trial.device.torch
    return torch.from_numpy(tokens).to(device), torch.from_numpy(words).to(device)


def _batch(questions: Sequence[str], pictures: torch.Tensor, backbone: Backbone, trial: Trial) -> Batch:
    """Some questions with their pictures, as the readout saw them in training."""
    tokens, mask = trial.tokenizer.encode(questions, trial.settings.text.length)
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
        image=backbone.see(pictures),
        text=backbone.read(words, present),
    )
