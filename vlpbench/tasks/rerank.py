"""Scores of picture and text judged together, for the pairs that are worth it and for no other, each pair once.

Pairs are walked picture by picture: a block of pictures meets one class of sentences after the other, several of them
side by side, and takes with it what was made of it alone (`gallery.States`). What that is depends on the backbone: by
likelihood, or where words look at pictures and not the other way, all but what the words compute; where both look at
each other in every layer, what stands below those layers alone.
Axes: I pictures, T texts, N pairs, k listed items, G groups, C places of a group.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from vlpbench.contract.abilities import Backbone, ImageState, TextState
from vlpbench.contract.objective import Objective
from vlpbench.metrics.folds import Fold
from vlpbench.metrics.shortlist import Shortlist
from vlpbench.tasks.gallery import States
from vlpbench.tasks.grouping import Groups
from vlpbench.tasks.likelihood import TEXTS, pair_scores
from vlpbench.tasks.trial import Trial

__all__ = ["Judge", "Likelihood", "Match", "all_scores", "block_scores", "listed_scores"]

PAIRS, ON_GPU = 256, 1024
"""How many are judged at once, on a CPU and on a GPU."""

Scorer = Callable[[TextState, np.ndarray], Tensor]
"""Sentences and pairs (N, 2: row of the picture, row of the sentence) -> N scores, on the device."""


class Judge(ABC):
    """Tells how well a picture and a text go together; higher is better."""

    @abstractmethod
    def of(self, image: ImageState) -> Scorer:
        """What scores pairs with some of these pictures, after what needs no text is done for all of them."""


@dataclass(frozen=True)
class Match(Judge):
    """The log-odds of a matching head."""

    backbone: Backbone
    """What it asks."""
    head: Objective
    """The objective that has the head."""
    trial: Trial
    """Says how many pairs are judged at once."""

    def of(self, image: ImageState) -> Scorer:
        """The head on both states; what towers and stem made of each alone is shared by all its pairs."""
        most = at_once(self.trial)

        def score(text: TextState, pairs: np.ndarray) -> Tensor:
            groups, device = Groups.of(pairs, min(most, TEXTS)), self.trial.device.torch
            wide = groups.texts.shape[1]
            picture, said = (torch.from_numpy(one).to(device) for one in (groups.picture, groups.texts))
            high = max(1, most // wide)
            found = [
                self.head.match(self.backbone, image.rows(some).each(wide), text.rows(chosen.flatten())).float()
                for some, chosen in zip(picture.split(high), said.split(high), strict=True)
            ]
            return torch.cat(found)[torch.from_numpy(groups.place).to(device)]

        return score


@dataclass(frozen=True)
class Likelihood(Judge):
    """log P of a word of the text, on average, the end of the sentence among them, given the picture: nats a token.

    The mean, not the sum: texts of many lengths compete for one picture, and a sum would favour the short ones. For
    one text all pictures are divided by the same number, so that their order is the same either way. That common
    texts are likely whatever the picture shows is left as it is.
    """

    backbone: Backbone
    """What it asks."""
    start: list[int]
    """BOS and the words of a prompt."""
    trial: Trial
    """Says how many sentences are read at once, and who sees whom in a context."""

    def of(self, image: ImageState) -> Scorer:
        """The decoder after a context that is made once a picture."""
        context = self.backbone.context(image, None, self.trial.visible)
        block = self.trial.pace.at_once or 2 * at_once(self.trial)

        def score(text: TextState, pairs: np.ndarray) -> Tensor:
            some = torch.from_numpy(pairs)
            return pair_scores(self.backbone, context, text, self.start, some, block, per_token=True).float()

        return score


def at_once(trial: Trial) -> int:
    """Pairs that are judged at once."""
    return trial.pace.at_once or (PAIRS if trial.device.kind == "cpu" else ON_GPU)


@torch.no_grad()
def listed_scores(states: States, judge: Judge, fold: Fold, listed: Shortlist) -> tuple[np.ndarray, np.ndarray]:
    """I, k and T, k: the scores of both shortlists of a fold (rows and columns within it).

    A pair that both directions list is judged once, and so are equal texts beside one picture.
    """
    images = np.arange(fold.start, fold.stop)
    sentence = states.gallery.sentence[fold.texts]
    many = int(states.gallery.sentence.max()) + 1
    keys = [
        images[:, None] * many + sentence[listed.texts_of_image],
        images[listed.images_of_text] * many + sentence[:, None],
    ]
    wanted = np.unique(np.concatenate([one.ravel() for one in keys]))

    def pairs_of(block: np.ndarray) -> np.ndarray:
        first, last = np.searchsorted(wanted, (block[0] * many, (block[-1] + 1) * many))
        return np.stack(np.divmod(wanted[first:last], many), 1)

    found = [scores for _, scores in _judged(states, judge, fold, pairs_of)]
    scores = np.concatenate(found)
    of_images, of_texts = (scores[np.searchsorted(wanted, one)] for one in keys)
    return of_images, of_texts


@torch.no_grad()
def all_scores(states: States, judge: Judge, fold: Fold) -> np.ndarray:
    """I, T in fp32: every picture of a fold with each of its texts."""
    kinds, place = np.unique(states.gallery.sentence[fold.texts], return_inverse=True)
    matrix = np.empty((fold.stop - fold.start, len(fold.texts)), np.float32)

    def pairs_of(block: np.ndarray) -> np.ndarray:
        return np.stack([np.repeat(block, len(kinds)), np.tile(kinds, len(block))], 1)

    for block, scores in _judged(states, judge, fold, pairs_of):
        matrix[block - fold.start] = scores.reshape(len(block), len(kinds))[:, place]
    return matrix


def _judged(
    states: States, judge: Judge, fold: Fold, pairs_of: Callable[[np.ndarray], np.ndarray]
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """The pictures of each block that are in a fold, and the scores of their pairs.

    `pairs_of`: pictures -> N, 2: picture and sentence of the gallery, in the order of the scores.
    """
    for number, whole in enumerate(states.image_blocks):
        block = whole[(whole >= fold.start) & (whole < fold.stop)]
        if len(block):
            yield block, block_scores(states, judge, number, pairs_of(block))


@torch.no_grad()
def block_scores(states: States, judge: Judge, number: int, pairs: np.ndarray) -> np.ndarray:
    """N in fp32: of pairs (N, 2: picture and sentence of the gallery) whose pictures are all of one block."""
    score = judge.of(states.image(number, keep=False))
    kind, row = states.place[pairs[:, 1]].T
    order = np.argsort(kind, kind="stable")
    local = np.stack([pairs[:, 0] - states.image_blocks[number][0], row], 1)
    parts = [
        score(states.of_class(int(kind[here[0]])), local[here])
        for here in np.split(order, np.flatnonzero(np.diff(kind[order])) + 1)
    ]
    found = np.empty(len(pairs), np.float32)
    found[order] = torch.cat(parts).cpu().numpy()  # the one wait for the device
    return found
