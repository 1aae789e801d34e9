"""Label leaks where no words are predicted: with equal pictures and equal texts there is nothing to learn.

Whoever tells a match from a mismatch, or a sample from its neighbours, must then stay at chance. An objective that goes
far below it in a few dozen steps reads its answer from somewhere else (a label, a row's number, a mark in the text).
What is learnt by saying the same for all samples (a constant target) is no leak: it is taken away by averaging.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from vlpbench.contract.abilities import Backbone
from vlpbench.contract.objective import Objective
from vlpbench.testing.findings import CheckFailed
from vlpbench.testing.rounds import Round, corrupted, crossed, mean_loss, play, rows_of
from vlpbench.testing.subject import Subject
from vlpbench.types import Batch

__all__ = ["check_chance_of_constants"]

_STEPS, _SEEDS = 40, 4

_NUMBERS = 4
"""What has as many numbers a sample, or fewer, is taken for scores of several pairs, not for a vector."""


def check_chance_of_constants(subject: Subject) -> None:
    """Learn batches whose samples are all alike; CheckFailed if the loss goes where only knowing the answer leads."""
    backbone = subject.backbone().train()
    objective = subject.objective(backbone).train()
    rates = ((backbone, 3e-3), (objective, 1e-1))  # a head that is told the answer shows it fast
    groups = [{"params": [w for w in one.parameters() if w.requires_grad], "lr": rate} for one, rate in rates]
    optimizer = torch.optim.AdamW([group for group in groups if group["params"]], weight_decay=0.0)
    for kind in subject.kinds:
        host = _constant(subject.hosts()[kind])
        start = _measured(subject, objective, backbone, host)[0]
        for step in range(_STEPS):
            made = play(objective, backbone, crossed(corrupted(subject, host, 100 + step % 8)))
            loss = mean_loss(made)
            if not loss.requires_grad:
                return
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            with torch.no_grad():
                objective.after_step({name: rows.detach() for name, rows in made.step.carry.items()})
        learnt, alike = _measured(subject, objective, backbone, host)
        if learnt < 0.5 * alike and alike - learnt > 0.1 and (learnt < 0.5 * start or start < 0.5 * alike):
            cause = (
                f"all pictures and all texts of {kind} were made equal, and yet the loss went from {start:.3g} to "
                f"{learnt:.3g}; saying the same for all samples would give {alike:.3g}"
            )
            raise CheckFailed(cause, "look for a label, a row's number or a mark that encode() can see")


def _constant(host: Batch) -> Batch:
    """Every sample has the picture, the text and the fields of the longest; ids stay apart."""
    first = int(np.argmax(host.mask.sum(1)))

    def spread(array: np.ndarray) -> np.ndarray:
        return np.repeat(array[first : first + 1], len(host), 0)

    images = None if host.images is None else spread(host.images)
    others = () if images is None else (images,) * len(host.others)
    fields = {name: spread(array) for name, array in host.extras.items()}
    said: dict[str, Any] = {"tokens": spread(host.tokens), "mask": spread(host.mask), "extras": fields}
    return replace(host, images=images, others=others, **said)


def _measured(subject: Subject, objective: Objective, backbone: Backbone, host: Batch) -> tuple[float, float]:
    """The mean loss over a few seeds, as it is, and with features that are the same for all samples."""
    losses, alike = [], []
    with torch.no_grad():
        for seed in range(_SEEDS):
            made = play(objective, backbone, crossed(corrupted(subject, host, seed)))
            losses.append(float(mean_loss(made)))
            step = objective.loss(_averaged(made.features, bool(subject.cls.wants)), made.batch)
            if all(rows.shape == (len(host),) for rows in rows_of(step).values()):
                alike.append(float(mean_loss(Round(made.batch, made.features, step))))
    return sum(losses) / len(losses), sum(alike) / max(1, len(alike))


def _averaged(features: Mapping[str, Tensor], has_fields: bool) -> dict[str, Tensor]:
    """Each feature's mean over samples; where a sample has few numbers, the mean of all features of that shape.

    Of an objective that wants fields, few numbers may be an answer of several parts (left, top, width and height), and
    the field, like the picture, is the same for all samples: an answer by parts is no leak.
    """
    averaged: dict[str, Tensor] = {}
    for name, x in features.items():
        if not x.is_floating_point():
            averaged[name] = x
            continue
        few = x[0].numel() <= _NUMBERS and not has_fields
        same = [y.float() for y in features.values() if few and y.is_floating_point() and y.shape == x.shape]
        mean = torch.stack(same).mean() if few else x.float().mean(0, keepdim=True)
        averaged[name] = mean.expand_as(x).clone()
    return averaged
