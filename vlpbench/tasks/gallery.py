"""The pictures and texts of a split as one gallery, and what a backbone makes of each of them, once.

Axes: I pictures, T texts, U sentences (texts that differ), E joint width.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

from vlpbench.contract.abilities import Backbone, ImageState, TextState
from vlpbench.data.examples import described, fitting, text_ids
from vlpbench.data.splits import Split
from vlpbench.metrics.folds import Fold, folds_of
from vlpbench.tasks.trial import Trial

__all__ = ["KEPT_BYTES", "Gallery", "States"]

KEPT_BYTES = 2 << 30
"""Memory for pictures that are kept from one look to the next; those beyond it are seen twice."""
PICTURES, SENTENCES = 128, 512
"""How many are seen, or read, at once."""

State = TypeVar("State", ImageState, TextState)


class Gallery:
    """The pictures of a split that have captions, and those captions, cut into closed galleries (`folds`)."""

    def __init__(self, split: Split, folds: int = 1) -> None:
        """DataError for a split without captions, UserError for a number of folds that does not divide it."""
        self.split = split
        self.rows = described(split)
        many = [len(split.samples[row].captions) for row in self.rows]
        self.owner = np.repeat(np.arange(len(self.rows)), many)
        self.texts = [caption for row in self.rows for caption in split.samples[row].captions]
        self.sentence = text_ids(self.texts)
        self.images = [str(split.samples[row].id) for row in self.rows]
        numbers = np.concatenate([np.arange(number) for number in many])
        self.names = [f"{self.images[owner]}/{number}" for owner, number in zip(self.owner, numbers, strict=True)]
        self.folds: Sequence[Fold] = folds_of(self.owner, len(self.rows), folds)

    @property
    def sentences(self) -> list[str]:
        """U: the texts, each string once, in the order of their first appearance."""
        return list(dict.fromkeys(self.texts))


class States:
    """What a backbone makes of a gallery, block by block: a picture is seen once, a sentence read once.

    Equal strings are one sentence, so that their scores are equal to the last bit. A block of pictures never holds
    pictures of two folds. Where pictures are kept, as many stay as fit into `KEPT_BYTES`.
    """

    def __init__(self, gallery: Gallery, backbone: Backbone, trial: Trial) -> None:
        self.gallery, self.backbone, self.trial = gallery, backbone, trial
        self.image_blocks = [
            fold.start + block
            for fold in gallery.folds
            for block in trial.blocks(fold.stop - fold.start, PICTURES)
        ]
        sentences = gallery.sentences
        self.text_blocks = list(trial.blocks(len(sentences), SENTENCES))
        self.tokens, self.mask = trial.tokenizer.encode(
            sentences, fitting(sentences, trial.tokenizer, trial.settings.text.length)
        )
        self._images: dict[int, ImageState] = {}
        self._texts: dict[int, TextState] = {}

    def image(self, number: int, keep: bool) -> ImageState:
        """The pictures of a block; kept for the next look as far as there is room, or let go after the last."""
        if number in self._images:
            return self._images[number] if keep else self._images.pop(number)
        block = self.image_blocks[number]
        pictures = self.trial.pictures(self.gallery.split, [self.gallery.rows[at] for at in block])
        state = self.backbone.see(pictures)
        if keep and (number + 1) * self._bytes(pictures) <= KEPT_BYTES:
            self._images[number] = state
        return state

    def text(self, number: int, keep: bool) -> TextState:
        """The sentences of a block; kept, if wanted, whatever they take: they are small beside pictures."""
        if number in self._texts:
            return self._texts[number]
        block, device = self.text_blocks[number], self.trial.device.torch
        state = self.backbone.read(*(torch.from_numpy(array[block]).to(device) for array in (self.tokens, self.mask)))
        if keep:
            self._texts[number] = state
        return state

    @torch.no_grad()
    def vectors(self, keep: bool) -> tuple[np.ndarray, np.ndarray]:
        """I, E and U, E in fp32: of each picture and each sentence; `keep` where more will be asked of them."""

        def made(blocks: int, state: Callable[[int, bool], State], vector: Callable[[State], Tensor]) -> np.ndarray:
            return torch.cat([vector(state(at, keep)).float().cpu() for at in range(blocks)]).numpy()

        return (
            made(len(self.image_blocks), self.image, self.backbone.image_vector),
            made(len(self.text_blocks), self.text, self.backbone.text_vector),
        )

    def _bytes(self, pictures: Tensor) -> int:
        """What a block of pictures takes, about: pixels, and tokens before and after the layers."""
        rows, columns = self.backbone.spec.grid
        return len(pictures) * (4 * pictures[0].numel() + 8 * rows * columns * self.backbone.spec.width)
