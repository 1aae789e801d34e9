"""A classifier made of words: the vectors of sentences that name a class (CLIP, arXiv 2103.00020, section 3.1.4).

Each template is filled with the class's name and read; each vector is made to have length one, the vectors of a class
are averaged, and the average is made to have length one again. Averaging vectors of unequal lengths, or leaving the
average as it is, are other classifiers. By a similarity in place of vectors, a class scores the mean of its prompts.
Axes: N pictures, C classes, K templates, E joint width.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray

from vlpbench.contract.abilities import Backbone, TextState
from vlpbench.data.examples import fitting
from vlpbench.tasks.gallery import KEPT_BYTES
from vlpbench.tasks.labelled import Labelled
from vlpbench.tasks.similarity import Similarity
from vlpbench.tasks.trial import Trial

__all__ = ["Prompts", "class_similarities", "class_vectors", "cosines", "prompt_vectors", "prompts_of"]

SLOT = "{}"
PICTURES, SENTENCES = 128, 512
"""How many are seen, or read, at once."""


def prompts_of(classes: Sequence[str], templates: Sequence[str]) -> list[str]:
    """C * K sentences: each template with each class's name in it, class by class. Templates without a place are
    refused with the grid.
    """
    return [template.replace(SLOT, name) for name in classes for template in templates]


@dataclass(frozen=True)
class Prompts:
    """Sentences as a backbone reads them; those of equal tokens once, so that classes that read alike tie exactly."""

    tokens: NDArray[np.int64]
    """U, T: those that differ."""
    mask: NDArray[np.bool_]
    """U, T: bool, True on words and EOS."""
    which: NDArray[np.int64]
    """C * K: the row that each prompt is read as."""
    cut: int
    """How many were longer than T and lost their end."""

    @classmethod
    def of(cls, prompts: Sequence[str], trial: Trial) -> Self:
        """As the trial's tokenizer cuts them."""
        length = trial.settings.text.length
        tokens, mask = trial.tokenizer.encode(prompts, fitting(prompts, trial.tokenizer, length))
        _, first, which = np.unique(np.where(mask, tokens, -1), axis=0, return_index=True, return_inverse=True)
        cut = int((trial.tokenizer.lengths(prompts) > length).sum())
        return cls(tokens[first], mask[first], which.ravel(), cut)

    def states(self, backbone: Backbone, trial: Trial) -> Iterator[TextState]:
        """Those that differ, block by block."""
        for block in trial.blocks(len(self.tokens), SENTENCES):
            some = (torch.from_numpy(one[block]).to(trial.device.torch) for one in (self.tokens, self.mask))
            yield backbone.read(*some)


@torch.no_grad()
def prompt_vectors(prompts: Prompts, backbone: Backbone, trial: Trial) -> NDArray[np.float64]:
    """C * K, E: one vector a prompt."""
    made = [backbone.text_vector(text).float().cpu() for text in prompts.states(backbone, trial)]
    vectors: NDArray[np.float64] = torch.cat(made).double().numpy()
    return vectors[prompts.which]


@torch.no_grad()
def class_similarities(
    similarity: Similarity, shown: Labelled, prompts: Prompts, classes: int
) -> Iterator[NDArray[np.float64]]:
    """N, C of some pictures after others: how well the prompts of a class suit each of them, on average."""
    backbone, trial = similarity.backbone, similarity.trial
    kept: dict[int, TextState] = {}
    size = 8 * prompts.tokens[:SENTENCES].size * backbone.spec.width
    for block in trial.blocks(len(shown), PICTURES):
        image, found = backbone.see(trial.pictures(shown.split, [shown.rows[at] for at in block])), []
        for number, read in enumerate(prompts.states(backbone, trial)):
            text = kept.get(number, read)
            found.append(similarity.between(image, text)[0])
            if (number + 1) * size <= KEPT_BYTES:  # those beyond are read again
                kept[number] = text
        scores = np.concatenate(found, 1)[:, prompts.which]
        yield scores.reshape(len(block), classes, -1).mean(2, dtype=np.float64)


def class_vectors(vectors: NDArray[np.float64], classes: int) -> NDArray[np.float64]:
    """C, E of unit length: the mean direction of each class's K vectors (C * K, E, class by class)."""
    by_class = _unit(vectors).reshape(classes, -1, vectors.shape[1])
    return _unit(by_class.mean(1))


def cosines(images: NDArray[np.float64], classes: NDArray[np.float64]) -> NDArray[np.float64]:
    """N, E and C, E of unit length -> N, C; classes of equal vectors score equal to the last bit."""
    distinct, where = np.unique(classes, axis=0, return_inverse=True)
    scores: NDArray[np.float64] = (images @ distinct.T)[:, where.ravel()]
    return scores


def _unit(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    """Each row divided by its length; a row of nought stays as it is."""
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return vectors / np.where(lengths > 0, lengths, 1.0)
