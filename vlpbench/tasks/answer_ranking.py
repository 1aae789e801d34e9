"""Open-ended VQA by ranking: every training answer by log P(answer, end | picture, question), the likeliest is given.

The answers are ranked by the sum over their words, end of sentence included, which is their probability; what several
begin with is read once a question (`answer_scores`). Axes: B questions, A answers.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from vlpbench.config.task_name import ProtocolName
from vlpbench.contract.abilities import Backbone
from vlpbench.data.examples import Examples
from vlpbench.metrics.vqa_accuracy import soft_targets
from vlpbench.tasks.answer_likelihood import AnswerLikelihood, LikelihoodConfig, answer_fields
from vlpbench.tasks.answer_scores import answer_scores
from vlpbench.tasks.open_questions import OpenQuestions
from vlpbench.tasks.prompting import PLACE, asked_context, prompted, text_of, visible_of
from vlpbench.tasks.questions import asked_of, question_examples
from vlpbench.tasks.task import DECODING, Readout, why_not_decode
from vlpbench.tasks.trial import Trial

__all__ = ["AnswerRanking", "taught_likelihood", "way_of"]


class AnswerRanking(OpenQuestions):
    """`vqa@ranking`, fine-tuned or zero-shot."""

    at_once = 128

    def why_not(self, offers: Collection[str], trains: Collection[str], protocol: ProtocolName) -> str | None:
        """Needs a decoder, and for zero-shot one that was trained."""
        return why_not_decode(offers, trains, protocol)

    def needs(self, offers: Collection[str]) -> frozenset[str]:
        """To decode."""
        return DECODING

    def readout(self, trial: Trial, facts: Mapping[str, Any]) -> Readout:
        """The likelihood of an answer; it has no weights of its own, so zero-shot asks it as it is."""
        return Readout("ranking", (taught_likelihood(trial),), facts)

    def examples(self, trial: Trial, readout: Readout) -> Examples:
        """One example a question; what it teaches are the answers that were given, by their soft scores.

        All of them, as in ALBEF and BLIP: an answer too rare for the list still tells how its words are said.
        """
        split = trial.open_split("train", "train")
        asked = asked_of(split)
        worth = [soft_targets(question.answers) for _, question in asked]
        texts = prompted(trial.protocol.prompt, [question.text for _, question in asked])
        fields = answer_fields(worth, trial.tokenizer, trial.settings.text.length)
        return question_examples(split, [row for row, _ in asked], texts, fields, trial)

    def way(self, readout: Readout, trial: Trial) -> dict[str, str]:
        """How a question was worded and read."""
        return way_of(readout, trial)

    @torch.no_grad()
    def answers(
        self, backbone: Backbone, readout: Readout, pictures: Tensor, questions: Sequence[str], trial: Trial
    ) -> list[tuple[str, float]]:
        """The likeliest answer to each question about each picture, and its probability among all of the list."""
        (objective,) = readout.objectives
        known: Sequence[str] = readout.facts["answers"]
        with trial.device.autocast():
            context = asked_context(backbone, pictures, questions, objective.config.visible, trial)
            scores = answer_scores(backbone, context, text_of(known, trial), [trial.tokenizer.vocabulary.bos])
        sure, best = scores.float().softmax(1).max(1)
        return [(known[index], one) for index, one in zip(best.tolist(), sure.tolist(), strict=True)]


def taught_likelihood(trial: Trial) -> AnswerLikelihood:
    """The objective for a trial's backbone, reading questions as that backbone can."""
    backbone = trial.blueprint.build(DECODING)
    return AnswerLikelihood(LikelihoodConfig(visible_of(backbone, trial)), backbone.spec)


def way_of(readout: Readout, trial: Trial) -> dict[str, str]:
    """How a question was worded and read, for each row."""
    return {"prompt": prompted(trial.protocol.prompt, [PLACE])[0], "visible": readout.objectives[0].config.visible}
