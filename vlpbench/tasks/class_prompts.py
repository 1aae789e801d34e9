"""A classifier made of words: the vectors of sentences that name a class (CLIP, arXiv 2103.00020, section 3.1.4).

Each template is filled with the class's name and read; each vector is made to have length one, the vectors of a class
are averaged, and the average is made to have length one again. Averaging vectors of unequal lengths, or leaving the
average as it is, are other classifiers.
Axes: N pictures, C classes, K templates, E joint width.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from vlpbench.contract.abilities import Backbone
from vlpbench.data.examples import fitting
from vlpbench.tasks.trial import Trial

__all__ = ["class_vectors", "cosines", "prompt_vectors", "prompts_of"]

SLOT = "{}"
SENTENCES = 512
"""How many are read at once."""


def prompts_of(classes: Sequence[str], templates: Sequence[str]) -> list[str]:
    """C * K sentences: each template with each class's name in it, class by class. Templates without a place are
    refused with the grid.
    """
    return [template.replace(SLOT, name) for name in classes for template in templates]


@torch.no_grad()
def prompt_vectors(prompts: Sequence[str], backbone: Backbone, trial: Trial) -> tuple[NDArray[np.float64], int]:
    """One vector a prompt (E), and how many prompts were longer than T and lost their end.

    Prompts of equal tokens are read once, so that classes that read alike tie to the last bit.
    """
    length = trial.settings.text.length
    tokens, mask = trial.tokenizer.encode(prompts, fitting(prompts, trial.tokenizer, length))
    _, first, where = np.unique(np.where(mask, tokens, -1), axis=0, return_index=True, return_inverse=True)
    device = trial.device.torch
    made = [
        backbone.text_vector(backbone.read(*(torch.from_numpy(one[first[block]]).to(device) for one in (tokens, mask))))
        for block in trial.blocks(len(first), SENTENCES)
    ]
    vectors: NDArray[np.float64] = torch.cat([one.float().cpu() for one in made]).double().numpy()
    return vectors[where.ravel()], int((trial.tokenizer.lengths(prompts) > length).sum())


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
