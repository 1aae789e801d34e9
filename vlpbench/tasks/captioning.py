"""Captioning: taught by likelihood, written by greedy or beam search, scored without Java (`metrics/captions.py`).

Zero-shot puts the words "a picture of" before the sentence (SimVLM, arXiv 2108.10904, section 4.2.3), in the decoder,
where every objective that trains to decode has seen words, and leaves them out of what is scored.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
import torch

from vlpbench.config.task_name import ProtocolName
from vlpbench.contract.abilities import Backbone
from vlpbench.data.examples import Examples, caption_examples, described
from vlpbench.data.splits import Split
from vlpbench.metrics.captions import PURE, caption_scores
from vlpbench.objectives.language_model import Config, LanguageModel
from vlpbench.streams import generator
from vlpbench.tasks.fixed_steps import graph_for
from vlpbench.tasks.generate import Search, Writer
from vlpbench.tasks.task import DECODING, Readout, Row, Task, why_not_decode
from vlpbench.tasks.trial import Scores, Trial

__all__ = ["PROMPT", "Captioning"]

PROMPT = "a picture of"
FLOORS = ("chance", "majority")
"""Columns of a row: a training caption drawn by chance, and the commonest one."""


class Captioning(Task):
    """A sentence for each picture."""

    name, primary = "captioning", "CIDEr"

    def why_not(self, offers: Collection[str], trains: Collection[str], protocol: ProtocolName) -> str | None:
        """Needs a decoder, and for zero-shot one that was trained."""
        return why_not_decode(offers, trains, protocol)

    def needs(self, offers: Collection[str]) -> frozenset[str]:
        """To decode."""
        return DECODING

    def readout(self, trial: Trial, facts: Mapping[str, Any]) -> Readout:
        """The likelihood of every word of a caption, given the picture."""
        if trial.zero_shot:
            return Readout("decoder")
        return Readout("decoder", (LanguageModel(Config(trial.visible), trial.blueprint.spec),))

    def examples(self, trial: Trial, readout: Readout) -> Examples:
        """One example a picture, one of whose captions each step says."""
        return caption_examples(trial.open_split("train", "train"), trial.tokenizer, trial.settings.text.length)

    def predict(self, backbone: Backbone, readout: Readout, split: Split, trial: Trial) -> list[Row]:
        """The likeliest sentence found for each picture that has captions, and two that never saw one."""
        shown = described(split)
        said: list[str] = []
        at_once = 64 if trial.device.kind == "cpu" else 256
        writer = writer_of(backbone, trial, again=len(shown) > (trial.pace.at_once or at_once))
        for block in trial.blocks(len(shown), at_once):
            said += write(backbone, trial.pictures(split, [shown[at] for at in block]), trial, block, writer)
        taught = trial.open_split("train", "train").samples if "train" in trial.splits else ()
        floors = _floors([text for one in taught for text in one.captions], len(shown))
        how, rows = {"prompt": prompt} if (prompt := prompt_of(trial)) else {}, []
        for at, (row, sentence) in enumerate(zip(shown, said, strict=True)):
            sample = split.samples[row]
            rows.append({
                "image_id": sample.id,
                "image": sample.image,
                "prediction": sentence,
                "references": list(sample.captions),
                **how,
                **{floor: sentences[at] for floor, sentences in floors.items()},
            })
        return rows

    def score(self, rows: Sequence[Row], metrics: Sequence[str] | None = None) -> Scores:
        """BLEU, ROUGE-L, CIDEr and, where they are asked for, METEOR and SPICE, which floors do without."""
        references = {row["image_id"]: row["references"] for row in rows}
        asked = PURE if metrics is None else metrics
        found = caption_scores({row["image_id"]: row["prediction"] for row in rows}, references, asked)
        for metric, per_image in found.per_image.items():
            for row in rows:
                row[metric] = per_image[row["image_id"]]
        pure = [metric for metric in asked if metric in PURE]
        floors = {
            floor: dict(caption_scores({row["image_id"]: row[floor] for row in rows}, references, pure).scores)
            for floor in FLOORS
            if floor in rows[0]
        }
        told: dict[str, Any] = {"images": len(rows), "tokenizer": "PTB"}
        if rows and "prompt" in rows[0]:
            told["prompt"] = rows[0]["prompt"]
        return Scores(dict(found.scores), dict(found.reasons), floors, {}, len(rows), told)


@torch.no_grad()
def write(
    backbone: Backbone, pictures: torch.Tensor, trial: Trial, keys: Sequence[int] | np.ndarray,
    writer: Writer | None = None,
) -> list[str]:
    """A sentence for each picture (B, 3, H, W), by the search of the task's protocol; `keys` (B) tell draws apart."""
    with trial.device.autocast():
        context = backbone.context(backbone.see(pictures), None, trial.visible)
        said = (writer or writer_of(backbone, trial)).write(context, [int(key) for key in keys])
    return [trial.tokenizer.decode(ids) for ids in said]


def writer_of(backbone: Backbone, trial: Trial, again: bool = False) -> Writer:
    """Writes by the task's protocol; `again` where more than one batch is to come: a GPU then captures its steps."""
    protocol = trial.protocol
    search = Search(
        beams=protocol.beams, length_penalty=protocol.length_penalty, no_repeat=protocol.no_repeat,
        top_p=protocol.top_p, seed=trial.settings.seed,
    )
    start = [trial.tokenizer.vocabulary.bos, *_words(trial, prompt_of(trial))]
    graph = graph_for(trial.device, trial.pace.compiled) if again else None
    return Writer(backbone, start, trial.settings.text.length, search, graph)


def prompt_of(trial: Trial) -> str:
    """The words that every sentence begins with, which are not scored."""
    return trial.protocol.prompt or (PROMPT if trial.zero_shot else "")


def _words(trial: Trial, prompt: str) -> list[int]:
    """The ids of a prompt, without the end of the sentence."""
    if not prompt:
        return []
    tokens, mask = trial.tokenizer.encode([prompt], trial.settings.text.length)
    return [int(token) for token in tokens[0][mask[0]][:-1]]


def _floors(taught: Sequence[str], many: int) -> dict[str, list[str]]:
    """For each of so many pictures: a training caption drawn by chance, and the commonest (of equals, by alphabet)."""
    if not taught:
        return {}
    rng = generator(0, "captioning/chance")
    commonest = min(Counter(taught).items(), key=lambda item: (-item[1], item[0]))[0]
    return {"chance": [taught[int(rng.integers(len(taught)))] for _ in range(many)], "majority": [commonest] * many}
