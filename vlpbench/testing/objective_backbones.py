"""A check that an objective is at home on every trunk that has its abilities, and a sentence on the others."""

from __future__ import annotations

from dataclasses import replace

import torch

from vlpbench.backbones import vlpbench_trunks
from vlpbench.contract.teacher import Teacher
from vlpbench.contract.wiring import Trunk
from vlpbench.testing.findings import CheckFailed, CheckSkipped
from vlpbench.testing.rounds import corrupted, crossed, mean_loss, play
from vlpbench.testing.subject import Subject
from vlpbench.testing.tiny import PIXELS, ROOM, tiny_backbone
from vlpbench.types import Batch

__all__ = ["check_each_backbone"]


def check_each_backbone(subject: Subject) -> str:
    """On every trunk with the abilities that it needs, a step has a finite loss and gradient; tells of the others."""
    if subject.make is not None:
        raise CheckSkipped("own-backbone")
    needs = frozenset(subject.cls.needs_with(subject.config))
    ran, without = [], []
    for trunk in dict.fromkeys((*subject.trunks, *vlpbench_trunks())):
        lacking = sorted(needs - trunk.offers_with(trunk.config_class()))
        if lacking:
            without.append(f"{trunk.name} (needs {', '.join(lacking)})")
        else:
            _step(subject, trunk)
            ran.append(trunk.name)
    told = f"ran on {', '.join(sorted(ran))}"
    return f"{told}; n/a on {', '.join(sorted(without))}" if without else told


_TIMES, _LENGTH = 2, ROOM - 1
"""Pictures and texts are larger than in other checks: what relies on one number of tokens falls over."""


def _larger(host: Batch) -> Batch:
    if host.images is None or host.images.shape[-1] != PIXELS:
        return host
    images, *others = (one.repeat(_TIMES, 2).repeat(_TIMES, 3) for one in (host.images, *host.others))
    return replace(host, images=images, others=tuple(others))


def _step(subject: Subject, trunk: type[Trunk]) -> None:
    here = replace(subject, trunks=(trunk,))
    needs = subject.cls.needs_with(subject.config)
    for kind, host in here.hosts(length=_LENGTH).items():
        host = _larger(host)
        backbone = tiny_backbone(needs, trunk, pixels=_TIMES * PIXELS).train()
        average = tiny_backbone(needs, trunk, seed=100, pixels=_TIMES * PIXELS)
        backbone.taught_by(Teacher(average.requires_grad_(False), "teacher"))
        objective = here.objective(backbone).train()
        try:
            loss = mean_loss(play(objective, backbone, crossed(corrupted(here, host))))
            if loss.requires_grad:
                loss.backward()
        except (RuntimeError, ValueError, IndexError, TypeError) as wrong:
            cause = f"on {kind} behind {trunk.name}, expected a loss, saw {type(wrong).__name__}: {wrong}"
            raise CheckFailed(cause, "rely on the shapes that abilities promise, not on those of one trunk") from wrong
        weights = [*backbone.named_parameters(), *objective.named_parameters()]
        bad = [name for name, weight in weights if weight.grad is not None and not torch.isfinite(weight.grad).all()]
        if bad or not torch.isfinite(loss):
            what = f"the gradient of {bad[0]}" if bad else f"the loss, {float(loss)},"
            cause = f"on {kind} behind {trunk.name}, {what} is not finite"
            raise CheckFailed(cause, "clamp what is divided by or rooted")
