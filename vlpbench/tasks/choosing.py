"""Multiple choice by likelihood: the choice with the highest log P(choice, end | picture, question).

The sum over a choice's tokens decides, which is its probability as a whole sentence; the mean over its tokens, which
favours long choices, is scored beside it. A fine-tune teaches the likelihood of the right choice alone (so Visual7W's
own model, arXiv 1511.03416): what is compared stays a language model, the same that zero-shot asks, and one decode a
question is enough. Contrast between choices is what `vqa@choices-match` teaches.
Axes: B questions, C choices of a question, T tokens of a text.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from vlpbench.config.task_name import ProtocolName
from vlpbench.contract.abilities import Backbone, TextState
from vlpbench.data.examples import Examples
from vlpbench.data.splits import Split
from vlpbench.tasks.answer_likelihood import answer_fields
from vlpbench.tasks.answer_ranking import taught_likelihood, way_of
from vlpbench.tasks.choice_questions import Choice, choice_row_scores, choice_rows, choices_of, filled
from vlpbench.tasks.likelihood import candidate_scores
from vlpbench.tasks.prompting import asked_context, prompted, text_of
from vlpbench.tasks.questions import question_examples
from vlpbench.tasks.task import DECODING, Readout, Row, Task, why_not_decode
from vlpbench.tasks.trial import Scores, Trial

__all__ = ["Choosing"]


class Choosing(Task):
    """`vqa@choices`, fine-tuned or zero-shot."""

    name, primary = "vqa", "multiple_choice"

    def why_not(self, offers: Collection[str], trains: Collection[str], protocol: ProtocolName) -> str | None:
        """Needs a decoder, and for zero-shot one that was trained."""
        return why_not_decode(offers, trains, protocol)

    def needs(self, offers: Collection[str]) -> frozenset[str]:
        """To decode."""
        return DECODING

    def readout(self, trial: Trial, facts: Mapping[str, Any]) -> Readout:
        """The likelihood of a choice; it has no weights of its own, so zero-shot asks it as it is."""
        return Readout("likelihood of choices", (taught_likelihood(trial),), facts)

    def examples(self, trial: Trial, readout: Readout) -> Examples:
        """One example a question; what it teaches is the right choice, as written."""
        split = trial.open_split("train", "train")
        asked = choices_of(split)
        fields = answer_fields([{one.right: 1.0} for one in asked], trial.tokenizer, trial.settings.text.length)
        texts = prompted(trial.protocol.prompt, [one.question.text for one in asked])
        return question_examples(split, [one.row for one in asked], texts, fields, trial)

    def predict(self, backbone: Backbone, readout: Readout, split: Split, trial: Trial) -> list[Row]:
        """The likeliest choice of each question, with the log-likelihood (nats) and the tokens of each choice."""
        asked = choices_of(split)
        scores: list[list[float]] = []
        tokens: list[list[int]] = []
        for block in trial.blocks(len(asked), 64):
            some = [asked[at] for at in block]
            pictures = trial.pictures(split, [one.row for one in some])
            found, many = self.likelihoods(backbone, readout, pictures, some, trial)
            scores += [each[: len(one.question.choices)] for one, each in zip(some, found.tolist(), strict=True)]
            tokens += [each[: len(one.question.choices)] for one, each in zip(some, many.tolist(), strict=True)]
        rows = choice_rows(split, asked, scores, way_of(readout, trial), trial)
        return [row | {"tokens": many} for row, many in zip(rows, tokens, strict=True)]

    @torch.no_grad()
    def likelihoods(
        self, backbone: Backbone, readout: Readout, pictures: Tensor, asked: Sequence[Choice], trial: Trial
    ) -> tuple[Tensor, Tensor]:
        """B, C: log P of each choice in nats, minus infinity where there is none; and the tokens of each."""
        texts, there = filled(asked)
        flat = text_of(texts, trial)
        mask = flat.mask.view(*there.shape, -1) & torch.from_numpy(there).to(flat.mask.device)[:, :, None]
        candidates = TextState(flat.tokens.view(mask.shape), mask)
        (objective,) = readout.objectives
        with trial.device.autocast():
            questions = [one.question.text for one in asked]
            context = asked_context(backbone, pictures, questions, objective.config.visible, trial)
            scores = candidate_scores(backbone, context, candidates, [trial.tokenizer.vocabulary.bos])
        return scores.float(), mask.sum(2)

    def score(self, rows: Sequence[Row], metrics: Sequence[str] | None = None) -> Scores:
        """Percent of right choices with the floors; a pure function of the rows."""
        return choice_row_scores(rows)
