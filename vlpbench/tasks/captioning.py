"""Captioning: taught by likelihood, written by greedy or beam search, scored without Java (`metrics/captions.py`).

Zero-shot puts the words "a picture of" before the sentence (SimVLM, arXiv 2108.10904, section 4.2.3), in the decoder,
where every objective that trains to decode has seen words, and leaves them out of what is scored.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from typing import Any

import torch

from vlpbench.contract.abilities import Backbone
from vlpbench.data.errors import DataError
from vlpbench.data.examples import caption_examples
from vlpbench.data.splits import Split
from vlpbench.metrics.captions import caption_scores
from vlpbench.objectives.language_model import Config, LanguageModel
from vlpbench.streams import generator
from vlpbench.tasks.generate import generate
from vlpbench.tasks.task import Readout, Task
from vlpbench.tasks.trial import Scores, Trial, blocks

__all__ = ["Captioning"]

PROMPT = "a picture of"


class Captioning(Task):
    """A sentence for each picture."""

    name, primary = "captioning", "CIDEr"

    def why_not(self, offers: Collection[str], trains: Collection[str], zero_shot: bool) -> str | None:
        """Needs a decoder, and for zero-shot one that was trained."""
        if not {"context", "decode"} <= set(offers):
            return "n/a: needs decode"
        if zero_shot and "decode" not in trains:
            return "n/a: pretraining did not train decode"
        return None

    def needs(self, offers: Collection[str]) -> frozenset[str]:
        """To decode."""
        return frozenset({"context", "decode"})

    def readout(self, trial: Trial) -> Readout:
        """The likelihood of every word of a caption, given the picture."""
        examples = caption_examples(trial.open_split("train", "train"), trial.tokenizer, trial.settings.text.length)
        spec = trial.blueprint.build(self.needs(trial.blueprint.offers)).spec
        return Readout(LanguageModel(Config(trial.visible), spec), examples, "decoder")

    def predict(self, backbone: Backbone, readout: Readout | None, split: Split, trial: Trial) -> list[dict[str, Any]]:
        """The likeliest sentence found for each picture that has captions."""
        prompt = trial.protocol.prompt or (PROMPT if trial.zero_shot else "")
        start = [trial.tokenizer.vocabulary.bos, *_words(trial, prompt)]
        described = _described(split)
        length, rows = trial.settings.text.length, []
        for block in blocks(len(described), 64):
            some = [described[at] for at in block]
            with torch.no_grad(), trial.device.autocast():
                context = backbone.context(backbone.see(trial.pictures(split, some)), None, trial.visible)
                said = generate(backbone, context, start, length, trial.protocol.beams)
            for row, ids in zip(some, said, strict=True):
                sample = split.samples[row]
                rows.append({
                    "image_id": sample.id,
                    "image": sample.image,
                    "prediction": trial.tokenizer.decode(ids),
                    "references": list(sample.captions),
                })
        return rows

    def score(self, rows: Sequence[dict[str, Any]], split: Split, readout: Readout | None, trial: Trial) -> Scores:
        """BLEU, ROUGE-L and CIDEr, beside two sentences that never saw the picture."""
        references = {row["image_id"]: row["references"] for row in rows}
        found = caption_scores({row["image_id"]: row["prediction"] for row in rows}, references)
        for metric, per_image in found.per_image.items():
            for row in rows:
                row[metric] = per_image[row["image_id"]]
        taught = trial.open_split("train", "train")
        floors = {
            name: dict(caption_scores(said, references).scores)
            for name, said in _floors([s for sample in taught.samples for s in sample.captions], references).items()
        }
        return Scores(dict(found.scores), dict(found.reasons), floors, {}, len(rows))


def _words(trial: Trial, prompt: str) -> list[int]:
    """The ids of a prompt, without the end of the sentence."""
    if not prompt:
        return []
    tokens, mask = trial.tokenizer.encode([prompt], trial.settings.text.length)
    return [int(token) for token in tokens[0][mask[0]][:-1]]


def _described(split: Split) -> list[int]:
    rows = [row for row, sample in enumerate(split.samples) if sample.captions]
    if not rows:
        raise DataError(
            f"the {split.name} split of {split.dataset!r} has no captions",
            remedy="name a data set with captions in [protocol.captioning] data, or take captioning out of tasks",
        )
    return rows


def _floors(taught: Sequence[str], references: dict[int, list[str]]) -> dict[str, dict[int, str]]:
    """For every picture: a training caption drawn by chance, and the commonest one (the alphabet breaks ties)."""
    rng = generator(0, "captioning/chance")
    commonest = min(Counter(taught).items(), key=lambda item: (-item[1], item[0]))[0]
    return {
        "chance": {key: taught[int(rng.integers(len(taught)))] for key in sorted(references)},
        "majority": dict.fromkeys(references, commonest),
    }
