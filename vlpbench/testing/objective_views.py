"""Checks of what a batch holds beside words: further views of its pictures, and numbers that are only names."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from vlpbench.testing.findings import CheckFailed, CheckSkipped
from vlpbench.testing.rounds import corrupted, crossed, far, play
from vlpbench.testing.subject import Subject
from vlpbench.types import Batch

__all__ = ["check_ids_are_names", "check_views"]


def check_views(subject: Subject) -> None:
    """Each view that is declared changes the loss when its pictures change, and no other view is asked for."""
    if "pairs" not in subject.kinds:
        raise CheckSkipped("no-pictures")
    host = corrupted(subject, subject.hosts()["pairs"])
    views = subject.cls.views
    if len(host.others) < views - 1:
        raise CheckSkipped("own-batches", f"they have {len(host.others) + 1} views, and {views} are declared")
    base = _rows(subject, replace(host, others=host.others[: views - 1]))
    for number in range(views - 1):
        others = list(host.others)
        others[number] = np.flip(others[number], 0).copy()
        if _is_same(base, _rows(subject, replace(host, others=tuple(others)))):
            cause = f"`views` is {views}, and the loss is the same whatever the view {number + 1} shows"
            raise CheckFailed(cause, f"use batch.views[{number + 1}] in encode(), or declare fewer views")


def _rows(subject: Subject, host: Batch) -> dict[str, Tensor]:
    backbone = subject.backbone()
    objective = subject.objective(backbone)
    with torch.no_grad():
        try:
            return play(objective, backbone, crossed(host)).rows
        except IndexError as wrong:
            if len(host.others) >= subject.cls.views - 1 and _asks_for_a_view(wrong):
                cause = f"encode() asks for a view that is not there: `views` is {subject.cls.views}"
                raise CheckFailed(cause, "declare how many there are: views = 2") from wrong
            raise


def _asks_for_a_view(wrong: IndexError) -> bool:
    return "tuple index out of range" in str(wrong)


def _is_same(a: dict[str, Tensor], b: dict[str, Tensor]) -> bool:
    return all(far(a[name], rows) is None for name, rows in b.items())


def check_ids_are_names(subject: Subject) -> None:
    """Ids of pictures and captions say which are equal and nothing else: other numbers for them change no loss."""
    for kind, host in subject.hosts().items():
        base = _rows(subject, corrupted(subject, host))
        other = _rows(subject, corrupted(subject, replace(host, **_renamed(host))))
        if not _is_same(other, base):
            cause = f"the loss on {kind} depends on the numbers that images and captions have as ids"
            raise CheckFailed(cause, "only ask which ids are equal: parts.same(batch.image_ids)")


def _renamed(host: Batch) -> dict[str, Any]:
    """Other ids, equal where they were equal, in no order."""
    made = {}
    for name, seed in (("image_ids", 0), ("caption_ids", 1)):
        values, places = np.unique(getattr(host, name), return_inverse=True)
        made[name] = np.random.default_rng(seed).permutation(7 + 13 * np.arange(len(values)))[places]
    return made
