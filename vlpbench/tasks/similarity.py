"""How alike pictures and texts are by the objective that trained it, all pairs of a fold, each direction by itself.

A picture's texts may be ordered by other numbers than a text's pictures (FILIP, arXiv 2111.07783), so there are two
matrices. Axes: I pictures, T texts of a fold; N pictures, M texts of a block.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from vlpbench.contract.abilities import Backbone, ImageState, TextState
from vlpbench.contract.objective import Objective
from vlpbench.errors import UserError
from vlpbench.metrics.folds import Fold
from vlpbench.tasks.gallery import States
from vlpbench.tasks.trial import Trial, blocks

__all__ = ["Similarity", "all_similarities"]

PICTURES, TEXTS = 64, 128
"""How many are compared at once: what compares tokens with tokens makes many numbers of each pair."""


@dataclass(frozen=True)
class Similarity:
    """The method of an objective, asked for a block at a time; higher is more alike."""

    backbone: Backbone
    """What it asks."""
    head: Objective
    """The objective that trained it, with the weights that pretraining left."""
    trial: Trial
    """Says how many are compared at once."""

    @torch.no_grad()
    def between(self, image: ImageState, text: TextState) -> tuple[np.ndarray, np.ndarray]:
        """N, M twice in fp32: how well M texts suit each of N pictures, and how well N pictures suit each of M texts.

        What towers and stem made of each alone is shared by all its pairs. UserError for what is no such matrix.
        """
        device = self.trial.device.torch
        both = tuple(torch.empty(len(image), len(text), device=device) for _ in range(2))
        most = self.trial.pace.at_once or TEXTS
        for rows in blocks(len(image), min(PICTURES, most)):
            seen = image if len(rows) == len(image) else image.rows(torch.from_numpy(rows).to(device))
            for columns in blocks(len(text), min(TEXTS, most)):
                read = text if len(columns) == len(text) else text.rows(torch.from_numpy(columns).to(device))
                found = self.head.similarity(self.backbone, seen, read)
                place = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
                for matrix, made in zip(both, _matrices(found, self.head.name, len(rows), len(columns)), strict=True):
                    matrix[place] = made.float()
        return both[0].cpu().numpy(), both[1].cpu().numpy()


def all_similarities(states: States, similarity: Similarity, fold: Fold) -> tuple[np.ndarray, np.ndarray]:
    """I, T twice in fp32: every picture of a fold with each of its texts; equal texts score equal to the last bit."""
    kinds, place = np.unique(states.gallery.sentence[fold.texts], return_inverse=True)
    both = tuple(np.empty((fold.stop - fold.start, len(place)), np.float32) for _ in range(2))
    for number, whole in enumerate(states.image_blocks):
        if not fold.start <= whole[0] < fold.stop:  # a block is never of two folds
            continue
        image, found = states.image(number, keep=False), [np.empty((len(whole), len(kinds)), np.float32) for _ in both]
        for columns, text in _texts(states, kinds):
            for matrix, made in zip(found, similarity.between(image, text), strict=True):
                matrix[:, columns] = made
        for matrix, made in zip(both, found, strict=True):
            matrix[whole - fold.start] = made[:, place]
    return both[0], both[1]


def _texts(states: States, kinds: np.ndarray) -> Iterator[tuple[np.ndarray, TextState]]:
    """Some sentences of the gallery (their numbers, ascending), block by block: which of them, and their state."""
    for number, block in enumerate(states.text_blocks):
        here = np.flatnonzero(np.isin(block, kinds))
        if len(here):
            text = states.text(number, keep=True)
            some = text if len(here) == len(block) else text.rows(torch.from_numpy(here).to(states.trial.device.torch))
            yield np.searchsorted(kinds, block[here]), some


def _matrices(found: Any, name: str, pictures: int, texts: int) -> tuple[Tensor, Tensor]:
    """What `similarity` returned, or a UserError that says what it should have been."""
    is_pair = isinstance(found, tuple | list) and len(found) == 2
    if is_pair and all(isinstance(one, Tensor) and one.shape == (pictures, texts) for one in found):
        return found[0], found[1]
    parts = found if isinstance(found, tuple | list) else [found]
    said = ", ".join(str(tuple(one.shape)) if isinstance(one, Tensor) else type(one).__name__ for one in parts)
    raise UserError(
        f"similarity() of {name!r} returned {said or 'nothing'}, not two matrices of {(pictures, texts)}",
        remedy="give (texts of each picture, pictures of each text), both with a row a picture and a column a text",
    )
