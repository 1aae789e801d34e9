"""The pictures and texts of a split as one gallery, and what a backbone makes of each of them, once.

Sentences are read by length, so that little of what is computed is padding: most captions are half as long as the
longest. Axes: I pictures, T texts, U sentences (texts that differ), E joint width.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

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
STEP = 4
"""Tokens of a sentence are filled up to a multiple of it, so that there are few lengths."""

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


class _Joined(TextState):
    """Several texts of one length as one: what was made of each is put together when it is asked for, not made anew."""

    def __init__(self, parts: Sequence[TextState]) -> None:
        super().__init__(torch.cat([part.tokens for part in parts]), torch.cat([part.mask for part in parts]))
        self._parts = parts

    def once(self, name: str, make: Callable[[Any], Any]) -> Any:
        """The product `name`, a tensor or a tuple of them; what else it may be is made of the whole."""
        if name not in self._made:
            made = [part.once(name, make) for part in self._parts]
            self._made[name] = _cat(made) if isinstance(made[0], Tensor | tuple) else make(self)
        return self._made[name]


def _cat(made: Sequence[Any]) -> Any:
    if isinstance(made[0], Tensor):
        return made[0] if len(made) == 1 else torch.cat(list(made))
    return tuple(_cat(parts) for parts in zip(*made, strict=True))


class States:
    """What a backbone makes of a gallery, block by block: a picture is seen once, a sentence read once.

    Equal strings are one sentence, so that their scores are equal to the last bit. A block of pictures never holds
    pictures of two folds. Where pictures are kept, as many stay as fit into `KEPT_BYTES`. A block of sentences holds
    neighbours in length; blocks of one length are a class, and its sentences one state.
    """

    def __init__(self, gallery: Gallery, backbone: Backbone, trial: Trial) -> None:
        self.gallery, self.backbone, self.trial = gallery, backbone, trial
        self.image_blocks = [
            fold.start + block
            for fold in gallery.folds
            for block in trial.blocks(fold.stop - fold.start, PICTURES)
        ]
        sentences = gallery.sentences
        self.tokens, self.mask = trial.tokenizer.encode(
            sentences, fitting(sentences, trial.tokenizer, trial.settings.text.length)
        )
        words = self.mask.sum(1)
        by_length = np.argsort(words, kind="stable")
        self.text_blocks = [by_length[block] for block in trial.blocks(len(sentences), SENTENCES)]
        longest = self.tokens.shape[1]
        self._lengths = [min(longest, -(-int(words[block].max()) // STEP) * STEP) for block in self.text_blocks]
        lengths, kind = np.unique(self._lengths, return_inverse=True)
        self.classes = [np.flatnonzero(kind == one) for one in range(len(lengths))]
        self.place = np.empty((len(sentences), 2), np.int64)
        """U, 2: the class of each sentence, and its row there."""
        for one, blocks in enumerate(self.classes):
            rows = np.concatenate([self.text_blocks[block] for block in blocks])
            self.place[rows, 0], self.place[rows, 1] = one, np.arange(len(rows))
        self._images: dict[int, ImageState] = {}
        self._texts: dict[int, TextState] = {}
        self._joined: dict[int, TextState] = {}

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
        tokens, mask = (array[block, : self._lengths[number]] for array in (self.tokens, self.mask))
        state = self.backbone.read(torch.from_numpy(tokens).to(device), torch.from_numpy(mask).to(device))
        if keep:
            self._texts[number] = state
        return state

    def of_class(self, number: int) -> TextState:
        """All sentences of a class, in the order of their blocks; kept."""
        if number not in self._joined:
            self._joined[number] = _Joined([self.text(int(block), keep=True) for block in self.classes[number]])
        return self._joined[number]

    @torch.no_grad()
    def vectors(self, keep: bool) -> tuple[np.ndarray, np.ndarray]:
        """I, E and U, E in fp32: of each picture and each sentence; `keep` where more will be asked of them."""

        def made(blocks: int, state: Callable[[int, bool], State], vector: Callable[[State], Tensor]) -> np.ndarray:
            return torch.cat([vector(state(at, keep)).float() for at in range(blocks)]).cpu().numpy()

        texts = made(len(self.text_blocks), self.text, self.backbone.text_vector)
        sorted_back = np.argsort(np.concatenate(self.text_blocks))
        return made(len(self.image_blocks), self.image, self.backbone.image_vector), texts[sorted_back]

    def _bytes(self, pictures: Tensor) -> int:
        """What a block of pictures takes, about: pixels, and tokens before and after the layers."""
        rows, columns = self.backbone.spec.grid
        return len(pictures) * (4 * pictures[0].numel() + 8 * rows * columns * self.backbone.spec.width)
