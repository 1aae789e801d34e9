"""Checks of declarations: abilities asked are those declared, both ways, and nothing that was asked is thrown away."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor

from vlpbench.contract.abilities import ABILITIES
from vlpbench.testing.findings import CheckFailed
from vlpbench.testing.recording import Call, recorded
from vlpbench.testing.rounds import corrupted, crossed, mean_loss, play
from vlpbench.testing.subject import Subject

__all__ = ["check_abilities_declared", "check_abilities_used"]


def check_abilities_declared(subject: Subject) -> None:
    """`encode` asks for nothing beside `needs` and `welcomes`, whether the backbone was built with little or much."""
    needs, welcomes = frozenset(subject.cls.needs_with(subject.config)), frozenset(subject.cls.welcomes)
    offered = frozenset(subject.offers)
    for more in (offered, welcomes & offered, frozenset[str]()):
        asked = _asked(subject, more)[0]
        wrong = sorted(asked - needs - welcomes)
        if wrong:
            cause = f"encode() asks for {', '.join(wrong)}, which is in neither `needs` nor `welcomes`"
            raise CheckFailed(cause, "name it in `needs`, so that the backbone is built with it")


def check_abilities_used(subject: Subject) -> None:
    """Each ability in `needs` is asked on one of the batches that it uses, and its answer enters the loss."""
    needs = frozenset(subject.cls.needs_with(subject.config))
    asked, heard = _asked(subject, frozenset())
    unused = sorted(needs - asked)
    if unused:
        cause = f"`needs` names {', '.join(unused)}, which encode() never asks for on {' or '.join(subject.kinds)}"
        raise CheckFailed(cause, "drop it from `needs`: it costs parameters that nobody trains")
    ignored = sorted(needs - heard)
    if ignored:
        cause = f"encode() asks for {', '.join(ignored)}, but the loss does not depend on the answer (no gradient)"
        raise CheckFailed(cause, "use it, or neither ask nor declare it; detach() cuts its gradient")


def _asked(subject: Subject, more: frozenset[str]) -> tuple[frozenset[str], frozenset[str]]:
    """The abilities that were asked on any kind of batch, and those whose answers the losses depend on."""
    asked: set[str] = set()
    heard: set[str] = set()
    for host in subject.hosts().values():
        backbone = subject.backbone(more=more)
        objective = subject.objective(backbone)
        average = backbone.teacher.average
        with recorded(backbone) as calls, recorded(average) as taught:
            made = play(objective, backbone, crossed(corrupted(subject, host)))
        asked |= {call.name for call in (*calls, *taught) if call.name in ABILITIES}
        heard |= {call.name for call in taught}  # a teacher is heard without gradient
        heard |= _heard(mean_loss(made), calls)
    return frozenset(asked), frozenset(heard)


def _heard(loss: Tensor, calls: Iterable[Call]) -> set[str]:
    pairs = [(call.name, x) for call in calls if call.name in ABILITIES for x in call.outputs if x.requires_grad]
    if not loss.requires_grad or not pairs:
        return set()
    found = torch.autograd.grad(loss, [x for _, x in pairs], allow_unused=True)
    return {name for (name, _), gradient in zip(pairs, found, strict=True) if gradient is not None and gradient.any()}
