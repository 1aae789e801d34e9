"""Multiple choice by a matching head: the choice that, said behind its question, belongs to the picture most.

A fine-tune teaches a head like that of image-text matching by softmax cross-entropy over the choices of a question, the
usual fine-tune of cross-encoders (VCR in ViLBERT, arXiv 1908.02265, section 3.2): the choices compete, as they do when
they are scored. Zero-shot asks the head that pretraining left.
Axes: B questions, C choices of a question, T tokens of question and choice, D width.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from vlpbench.config.task_name import ProtocolName
from vlpbench.contract.abilities import Backbone, ImageState, TextState
from vlpbench.contract.objective import Objective
from vlpbench.data.examples import Examples, fitting
from vlpbench.data.splits import Split
from vlpbench.parts import full_precision, pooled_pair
from vlpbench.tasks.choice_questions import Choice, choice_row_scores, choice_rows, choices_of, filled
from vlpbench.tasks.prompting import PLACE, prompted, text_of
from vlpbench.tasks.questions import question_examples
from vlpbench.tasks.task import Readout, Row, Task
from vlpbench.tasks.trial import Scores, Trial
from vlpbench.types import Batch, Spec, Step

__all__ = ["ChoiceMatching", "ChoosingByMatch"]

NEEDS = frozenset({"fused_tokens"})


class ChoiceMatching(Objective):
    """-log softmax over a question's choices of the log-odds that picture, question and choice belong together."""

    name, needs = "choice-matching", NEEDS
    wants = ("choice_tokens", "choice_present", "choice_there", "right")

    def __init__(self, config: Any, spec: Spec) -> None:
        super().__init__(config, spec)
        self.head = nn.Linear(2 * spec.width, 1)

    def encode(self, backbone: Backbone, batch: Batch) -> Mapping[str, Tensor]:
        """log_odds (B, C): of each choice; each picture is encoded once."""
        tokens, mask = batch["choice_tokens"], batch["choice_present"]  # B, C, T
        rows = torch.arange(len(tokens), device=tokens.device).repeat_interleave(tokens.shape[1])
        text = backbone.read(tokens.flatten(0, 1).long(), mask.flatten(0, 1))
        return {"log_odds": self.match(backbone, batch.image.rows(rows), text).view(tokens.shape[:2])}

    def match(self, backbone: Backbone, image: ImageState, text: TextState) -> Tensor:
        """B: the head on the means of fused image and text tokens, in fp32: bf16 would make ties."""
        image_tokens, text_tokens = backbone.fused_tokens(image, text)
        pooled = pooled_pair(image_tokens, text_tokens, text.mask)
        with full_precision(pooled):
            return self.head(pooled.float())[:, 0]

    def loss(self, features: Mapping[str, Tensor], batch: Batch) -> Step:
        """Cross-entropy of the right choice (B), nats; and how often it is the highest."""
        scores = features["log_odds"].masked_fill(~batch["choice_there"], -torch.inf)
        right = batch["right"][:, None]
        chosen = (scores.argmax(1) == right[:, 0]).float().mean()
        return Step(-scores.log_softmax(1).gather(1, right)[:, 0], {"chosen": chosen})


class ChoosingByMatch(Task):
    """`vqa@choices-match`, fine-tuned or zero-shot."""

    name, primary = "vqa", "multiple_choice"

    def why_not(self, offers: Collection[str], trains: Collection[str], protocol: ProtocolName) -> str | None:
        """Needs fused tokens for a head of its own; zero-shot needs the head that pretraining trained."""
        if protocol == "zero-shot":
            return None if "match" in trains else "n/a: pretraining trained no matching head"
        return None if set(offers) >= NEEDS else "n/a: needs fused_tokens"

    def needs(self, offers: Collection[str]) -> frozenset[str]:
        """Fused tokens, where there are any: pretraining's head may do without."""
        return NEEDS & set(offers)

    def readout(self, trial: Trial, facts: Mapping[str, Any]) -> Readout:
        """A head of its own, or pretraining's."""
        spec = trial.blueprint.spec
        if not trial.zero_shot:
            return Readout("match of choices", (ChoiceMatching(ChoiceMatching.config_class(), spec),), facts)
        return Readout("match of choices", (trial.head("match"),), facts)

    def examples(self, trial: Trial, readout: Readout) -> Examples:
        """One example a question, with all its choices behind it and the place of the right one."""
        split = trial.open_split("train", "train")
        asked = choices_of(split)
        texts, there = _texts(asked, trial)
        tokens, mask = trial.tokenizer.encode(texts, fitting(texts, trial.tokenizer, trial.settings.text.length))
        fields = {
            "choice_tokens": tokens.astype("int32").reshape(*there.shape, -1),
            "choice_present": mask.reshape(*there.shape, -1),
            "choice_there": there,
            "right": there[:, 0] * [one.question.choices.index(one.right) for one in asked],
        }
        return question_examples(split, [one.row for one in asked], [one.question.text for one in asked], fields, trial)

    def predict(self, backbone: Backbone, readout: Readout, split: Split, trial: Trial) -> list[Row]:
        """The choice of each question that matches best, with the log-odds of each choice."""
        asked = choices_of(split)
        scores: list[list[float]] = []
        for block in trial.blocks(len(asked), 64):
            some = [asked[at] for at in block]
            pictures = trial.pictures(split, [one.row for one in some])
            found = self.log_odds(backbone, readout, pictures, some, trial).tolist()
            scores += [each[: len(one.question.choices)] for one, each in zip(some, found, strict=True)]
        way = {"prompt": f"{prompted(trial.protocol.prompt, [PLACE])[0]} {{choice}}"}
        return choice_rows(split, asked, scores, way, trial)

    @torch.no_grad()
    def log_odds(
        self, backbone: Backbone, readout: Readout, pictures: Tensor, asked: Sequence[Choice], trial: Trial
    ) -> Tensor:
        """B, C: log-odds of each choice; what stands where a question has fewer means nothing."""
        (objective,) = readout.objectives
        texts, there = _texts(asked, trial)
        text = text_of(texts, trial)
        with trial.device.autocast():
            image = backbone.see(pictures).each(there.shape[1])
            scores = objective.match(backbone, image, backbone.read(text.tokens, text.mask))
        return scores.float().view(there.shape)

    def score(self, rows: Sequence[Row], metrics: Sequence[str] | None = None) -> Scores:
        """Percent of right choices with the floors; a pure function of the rows."""
        return choice_row_scores(rows)


def _texts(asked: Sequence[Choice], trial: Trial) -> tuple[list[str], Any]:
    """B * C texts, each a question as it is worded and one of its choices; and where there is a choice (B, C).

    What is too long loses the last words of its question, so that the choice is read whole.
    """
    choices, there = filled(asked)
    worded = prompted(trial.protocol.prompt, [one.question.text for one in asked])
    words = [worded[at // there.shape[1]].split() for at in range(len(choices))]
    texts = [" ".join([*said, choice]).strip() for said, choice in zip(words, choices, strict=True)]
    room, lengths = trial.settings.text.length, trial.tokenizer.lengths(texts)
    for at in (lengths > room).nonzero()[0]:
        while words[at] and trial.tokenizer.cut([texts[at]], room):
            words[at] = words[at][:-1]
            texts[at] = " ".join([*words[at], choices[at]])
    return texts, there
