"""Which pictures teach a probe and which choose its C: never those that it is scored on.

Scored on the test split, a probe chooses C on the validation split and is fitted to training and validation pictures
(CLIP's protocol, arXiv 2103.00020, appendix A.3). Scored on the validation split, it chooses C on a fifth of the
training pictures and is fitted to all training pictures, and to no others.
Axes: N, H pictures, D width of features.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vlpbench.contract.abilities import Backbone
from vlpbench.data.errors import DataError
from vlpbench.streams import generator
from vlpbench.tasks.labelled import Labelled
from vlpbench.tasks.probe import Probe
from vlpbench.tasks.trial import Trial

__all__ = ["HELD_OUT", "Taught", "fitted_on", "held_out", "taught"]

HELD_OUT = 5
"""One training picture of so many of each class chooses C where the validation split must not."""


@dataclass(frozen=True)
class Taught:
    """Features of pictures, and the places of their classes among the training split's."""

    features: NDArray[Any]
    """N, D: what each try is fitted to."""
    labels: NDArray[Any]
    """N."""
    held_features: NDArray[Any]
    """H, D: what C is chosen by."""
    held_labels: NDArray[Any]
    """H; -1 for a class that training does not have."""
    whole_features: NDArray[Any]
    """What the probe is fitted to in the end."""
    whole_labels: NDArray[Any]
    """The same."""
    told: Mapping[str, Any]
    """Names of splits, numbers of pictures."""


def fitted_on(scored: str) -> list[str]:
    """The splits that a probe is fitted to which is scored on this one."""
    return ["train"] if scored == "val" else ["train", "val"]


def taught(head: Probe, backbone: Backbone, classes: Sequence[str], trial: Trial) -> Taught:
    """Open the splits that the probe may see, and look at each of their pictures once."""

    def of(labelled: Labelled) -> tuple[NDArray[Any], NDArray[Any]]:
        features = labelled.features(lambda image: head.seen(backbone, image), backbone, trial)
        return features, labelled.numbers(classes)

    train = Labelled(trial.open_split("train", "train"))
    told = {"fitted_on": fitted_on(trial.settings.split)}
    if trial.settings.split == "val":
        return _of_training(train, *of(train), told)
    val = Labelled(trial.open_split("val", "select"))
    return _with_validation(train, val, of(train), of(val), told)


def _of_training(
    train: Labelled, features: NDArray[Any], labels: NDArray[Any], told: Mapping[str, Any]
) -> Taught:
    held = held_out(labels)
    more = {
        "chosen_on": f"1/{HELD_OUT} of train, held out while C was chosen",
        "images": {"train": len(train), "held_out": int(held.sum())},
        "unlabelled": {"train": train.left_out},
    }
    return Taught(features[~held], labels[~held], features[held], labels[held], features, labels, {**told, **more})


def _with_validation(
    train: Labelled,
    val: Labelled,
    of_train: tuple[NDArray[Any], NDArray[Any]],
    of_val: tuple[NDArray[Any], NDArray[Any]],
    told: Mapping[str, Any],
) -> Taught:
    """Pictures of a class that training does not have count as wrong while C is chosen, and teach nothing."""
    known = of_val[1] >= 0
    if not known.any():
        raise DataError(
            f"no picture of the val split of {val.split.dataset!r} has a class that training pictures have",
            remedy="name a data set whose splits share their classes in [protocol.classification] data",
        )
    more = {
        "chosen_on": "val",
        "images": {"train": len(train), "val": len(val), "val_of_classes_not_in_train": int((~known).sum())},
        "unlabelled": {"train": train.left_out, "val": val.left_out},
    }
    features, labels = (np.concatenate([mine, others[known]]) for mine, others in zip(of_train, of_val, strict=True))
    return Taught(*of_train, *of_val, features, labels, {**told, **more})


def held_out(labels: NDArray[Any]) -> NDArray[np.bool_]:
    """N: True on a fifth of the pictures of each class, rounded down, drawn alike for all rows and seeds."""
    held = np.zeros(len(labels), bool)
    for number in np.unique(labels):
        rows = generator(0, "classification/held-out", int(number)).permutation(np.flatnonzero(labels == number))
        held[rows[: len(rows) // HELD_OUT]] = True
    if not held.any():
        raise DataError(
            f"no class has {HELD_OUT} training pictures, so none can be held out to choose C",
            remedy='score on the test split (split = "test"), where the validation split chooses C',
        )
    return held
