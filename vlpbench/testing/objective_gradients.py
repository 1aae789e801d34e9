"""Checks of gradients: every weight that is trained gets one, and none goes through a teacher."""

from __future__ import annotations

import re

import torch

from vlpbench.contract.objective import Objective
from vlpbench.testing.findings import CheckFailed
from vlpbench.testing.rounds import Round, corrupted, crossed, far, mean_loss, play
from vlpbench.testing.subject import Subject
from vlpbench.types import Batch

__all__ = ["check_no_dead_head", "check_teacher"]

_STEPS = 3
"""Optimiser steps in which each weight must have been moved once: a layer that starts at zero hides those behind it."""


def check_no_dead_head(subject: Subject) -> None:
    """Every weight of the objective that requires a gradient gets one, not always zero; all gradients are finite."""
    backbone = subject.backbone()
    objective = subject.objective(backbone)
    mine = {f"objective.{name}": w for name, w in objective.named_parameters() if w.requires_grad}
    weights = mine | {f"backbone.{name}": w for name, w in backbone.named_parameters() if w.requires_grad}
    optimizer = torch.optim.AdamW(weights.values(), lr=1e-3, weight_decay=0.0)
    alive: set[str] = set()
    for step in range(_STEPS):
        optimizer.zero_grad(set_to_none=True)
        for host in subject.hosts(step).values():
            loss = mean_loss(play(objective, backbone, crossed(corrupted(subject, host, step))))
            if loss.requires_grad:
                loss.backward()
        for name, weight in weights.items():
            if weight.grad is not None and not torch.isfinite(weight.grad).all():
                raise CheckFailed(f"the gradient of {name} is not finite", "clamp what is divided by or rooted")
            if weight.grad is not None and weight.grad.any():
                alive.add(name)
        optimizer.step()
    dead = [name for name in mine if name not in alive]
    if dead:
        shown = ", ".join(dead[:5]) + (f" and {len(dead) - 5} more" if len(dead) > 5 else "")
        cause = f"expected a gradient for every trained weight, saw none (or always zero) for {shown}"
        raise CheckFailed(cause, "use it, remove it, or declare it frozen: requires_grad=False, or a buffer")
    if not alive:
        cause = "no weight of the backbone gets a gradient"
        raise CheckFailed(cause, "build the loss on what encode() was answered, without detach()")


_TEACHER = re.compile(r"(^|[._])(teacher|momentum|ema|moving_average)([._]|$)")
_FOLLOWER = re.compile(r"(^|[._])(target|slow|average|averaged)([._]|$)")
"""Names that mean a teacher where weights are moved in `after_step` or a teacher is declared."""


def check_teacher(subject: Subject) -> None:
    """Who declares a teacher hears it, and no gradient reaches or passes it; who declares none asks for none."""
    if subject.cls.teacher is None:
        _check_none_asked(subject)
    else:
        decay = subject.cls.teacher
        if isinstance(decay, bool) or not isinstance(decay, float | int) or not 0 <= decay < 1:
            raise CheckFailed(f"teacher is {decay!r}", "it is a decay from 0 to below 1, such as 0.995")
    heard = False
    for kind, host in subject.hosts().items():
        _check_no_gradient(subject, crossed(corrupted(subject, host)), kind)
        heard = heard or _depends(subject, crossed(corrupted(subject, host)))
    if subject.cls.teacher is not None and not heard:
        cause = "a teacher is declared, but the loss is the same whatever it says"
        raise CheckFailed(cause, "ask backbone.teacher in encode(), or drop `teacher`")


def _check_none_asked(subject: Subject) -> None:
    for host in subject.hosts().values():
        backbone = subject.backbone(taught=False)
        objective = subject.objective(backbone)
        try:
            play(objective, backbone, crossed(corrupted(subject, host)))
        except RuntimeError as wrong:
            if "teacher" not in str(wrong):
                raise
            cause = "encode() asks for backbone.teacher, but no teacher is declared"
            raise CheckFailed(cause, "declare its decay: teacher = 0.995") from wrong


def _check_no_gradient(subject: Subject, batch: Batch, kind: str) -> None:
    """With the loop's frozen teacher, and with one that would take a gradient if one came."""
    for open_to in (False, True):
        backbone = subject.backbone()
        average = backbone.teacher.average.requires_grad_(open_to)
        objective = subject.objective(backbone)
        made = play(objective, backbone, batch)
        opened = [name for name, weight in average.named_parameters() if weight.requires_grad and not open_to]
        loss = mean_loss(made)
        if loss.requires_grad:
            loss.backward()
        reached = [name for name, weight in average.named_parameters() if weight.grad is not None]
        if opened or reached:
            what = f"the gradient reaches it at {reached[0]}" if reached else f"{opened[0]} was made to require one"
            cause = f"on {kind}, what the teacher says is trained through: {what}"
            raise CheckFailed(cause, "ask backbone.teacher itself, which answers without gradient, or detach()")
        _check_own_teachers(objective, kind)


def _check_own_teachers(objective: Objective, kind: str) -> None:
    """Weights of the objective that are called a teacher's are not trained."""
    follows = objective.teacher is not None or type(objective).after_step is not Objective.after_step
    for name, weight in objective.named_parameters():
        called = _TEACHER.search(name) or (follows and _FOLLOWER.search(name))
        if called and weight.grad is not None and weight.grad.any():
            cause = f"on {kind}, {name!r} is called a teacher's and is trained by gradient"
            raise CheckFailed(cause, "ask it under torch.no_grad(), set requires_grad=False, move it in after_step")


def _depends(subject: Subject, batch: Batch) -> bool:
    """Whether another teacher makes another loss."""
    made: list[Round] = []
    for seed in (500, 600):
        backbone = subject.backbone(taught=False)
        subject.teach(backbone, seed)
        with torch.no_grad():
            made.append(play(subject.objective(backbone), backbone, batch))
    return any(far(rows, made[1].rows[name]) is not None for name, rows in made[0].rows.items())
