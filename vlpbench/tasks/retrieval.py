"""Image-text retrieval by similarity, both directions over one gallery, any number of captions an image.

Axes: I pictures, C captions, E joint width.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from vlpbench.config.task_name import ProtocolName
from vlpbench.contract.abilities import Backbone
from vlpbench.data.errors import DataError
from vlpbench.data.examples import Examples, caption_examples
from vlpbench.data.splits import Split
from vlpbench.metrics.recall import Ranks, chance, ranks, summary
from vlpbench.objectives.contrastive import Config, Contrastive
from vlpbench.tasks.task import Readout, Row, Task
from vlpbench.tasks.trial import Scores, Trial

__all__ = ["Retrieval"]

NEEDS = frozenset({"image_vector", "text_vector"})
KEPT = 50
"""Best items kept for each query."""
WAYS = ("image to text", "text to image")
"""Both directions, in the order of their rows."""


class Retrieval(Task):
    """Find the caption of a picture, and the picture of a caption."""

    name, primary = "retrieval", "rsum"

    def why_not(self, offers: Collection[str], trains: Collection[str], protocol: ProtocolName) -> str | None:
        """Needs vectors, and for zero-shot trained ones."""
        if not set(offers) >= NEEDS:
            return "n/a: needs image_vector and text_vector"
        if protocol == "zero-shot" and "vectors" not in trains:
            return "n/a: pretraining did not train vectors"
        return None

    def needs(self, offers: Collection[str]) -> frozenset[str]:
        """Both vectors."""
        return NEEDS

    def readout(self, trial: Trial, facts: Mapping[str, Any]) -> Readout:
        """The contrastive loss on the training pairs."""
        if trial.zero_shot:
            return Readout("vectors")
        return Readout("vectors", (Contrastive(Config(), trial.blueprint.build(NEEDS).spec),))

    def examples(self, trial: Trial, readout: Readout) -> Examples:
        """One example a picture, one of whose captions each step takes."""
        return caption_examples(trial.open_split("train", "train"), trial.tokenizer, trial.settings.text.length)

    def predict(self, backbone: Backbone, readout: Readout, split: Split, trial: Trial) -> list[Row]:
        """The rank of the right answer of each query and the best items found, with their scores."""
        gallery = _Gallery(split)
        scores = gallery.similarity(backbone, trial)
        by_image, by_text = ranks(scores, gallery.owner)
        images = [split.samples[row].id for row in gallery.rows]
        texts = [f"{images[owner]}/{number}" for owner, number in zip(gallery.owner, gallery.numbers, strict=True)]
        return [
            *_found("image to text", [str(image) for image in images], texts, scores, by_image),
            *_found("text to image", texts, [str(image) for image in images], scores.T, by_text),
        ]

    def score(self, rows: Sequence[Row], metrics: Sequence[str] | None = None) -> Scores:
        """R@k of both directions in percent, with the floor of a random order."""
        directions = [
            Ranks(*(np.array([row[name] for row in rows if row["direction"] == way], np.int64) for name in _PLACE))
            for way in WAYS
        ]
        queries = [[row["query"] for row in rows if row["direction"] == way] for way in WAYS]
        place = {image: at for at, image in enumerate(queries[0])}
        owner = [place[text.rpartition("/")[0]] for text in queries[1]]
        floors = {"chance": dict(chance(len(place), owner))}
        return Scores(dict(summary(*directions)), {}, floors, {}, len(rows))  # type: ignore[arg-type]


_PLACE = ("better", "tied", "right")


class _Gallery:
    """The pictures of a split that have captions, and those captions."""

    def __init__(self, split: Split) -> None:
        self.split = split
        self.rows = [row for row, sample in enumerate(split.samples) if sample.captions]
        if not self.rows:
            raise DataError(
                f"the {split.name} split of {split.dataset!r} has no captions",
                remedy="name a data set with captions in [protocol.retrieval] data, or take retrieval out of tasks",
            )
        self.texts = [caption for row in self.rows for caption in split.samples[row].captions]
        many = [len(split.samples[row].captions) for row in self.rows]
        self.owner = np.repeat(np.arange(len(self.rows)), many)
        self.numbers = np.concatenate([np.arange(number) for number in many])

    @torch.no_grad()
    def similarity(self, backbone: Backbone, trial: Trial) -> np.ndarray:
        """I, C in fp32."""
        tokens, mask = trial.tokenizer.encode(self.texts, trial.settings.text.length)
        device = trial.device.torch
        images: list[Tensor] = []
        texts: list[Tensor] = []
        with trial.device.autocast():
            for block in trial.blocks(len(self.rows), 256):
                seen = backbone.see(trial.pictures(self.split, [self.rows[at] for at in block]))
                images.append(backbone.image_vector(seen))
            for block in trial.blocks(len(self.texts), 512):
                words, present = (torch.from_numpy(array[block]).to(device) for array in (tokens, mask))
                texts.append(backbone.text_vector(backbone.read(words, present)))
        found = torch.cat(images).float() @ torch.cat(texts).float().T
        return found.cpu().numpy()


def _found(
    direction: str, queries: Sequence[str], items: Sequence[str], scores: np.ndarray, placed: Ranks
) -> list[dict[str, Any]]:
    """One row a query: its place and the best items, the first listed first where scores tie."""
    best = np.argsort(-scores, axis=1, kind="stable")[:, :KEPT]
    expected = placed.expected()
    return [
        {
            "direction": direction,
            "query": query,
            "better": int(placed.better[at]),
            "tied": int(placed.tied[at]),
            "right": int(placed.right[at]),
            "rank": float(expected[at]),
            "found": [items[item] for item in best[at]],
            "scores": [float(scores[at, item]) for item in best[at]],
        }
        for at, query in enumerate(queries)
    ]
