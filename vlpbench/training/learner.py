"""A backbone, the weighted objectives that teach it, and the teachers that some of these ask for."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor, nn

from vlpbench.contract.abilities import Backbone
from vlpbench.contract.objective import Objective
from vlpbench.contract.teacher import Teacher
from vlpbench.parts import ranks
from vlpbench.training.sharing import Sharing

__all__ = ["Learner", "Term"]


@dataclass(frozen=True)
class Term:
    """One objective of a weighted sum."""

    weight: float
    """What its mean loss is multiplied by."""
    objective: Objective
    """The objective; its name tells its figures and its part of a batch apart from the others'."""


class Learner(nn.Module):
    """All that is trained together. A teacher is a copy of the backbone without gradient, one a decay."""

    followed: Tensor
    """0-d: steps that the teachers have followed; only where one warms up."""

    def __init__(self, backbone: Backbone, terms: Sequence[Term]) -> None:
        super().__init__()
        self.backbone = backbone
        self.terms = nn.ModuleDict({term.objective.name: term.objective for term in terms})
        self.weights = {term.objective.name: term.weight for term in terms}
        taught = [term.objective for term in terms if term.objective.teacher is not None]
        self.decays = {_key(one): one.teacher or 0.0 for one in taught}
        self.warm = frozenset(_key(one) for one in taught if one.teacher_warms_up)
        self.teachers = nn.ModuleDict({key: _average(backbone) for key in self.decays})
        self.sharing: Sharing | None = None  # who adds up gradients while several processes train
        if self.warm:  # a tensor, so that a checkpoint holds it
            self.register_buffer("followed", torch.zeros(()))

    def train(self, mode: bool = True) -> Self:
        """As usual, but a teacher stays in evaluation mode."""
        super().train(mode)
        self.teachers.eval()
        return self

    def objective(self, name: str) -> Objective:
        """The objective of a term, with the backbone's `teacher` set to the one that it asks for."""
        objective = self.terms[name]
        assert isinstance(objective, Objective)
        key = None if objective.teacher is None else _key(objective)
        average = None if key is None else self.teachers[key]
        assert average is None or isinstance(average, Backbone)
        self.backbone.taught_by(None if average is None else Teacher(average, f"teacher {key}"))
        return objective

    @torch.no_grad()
    def follow(self) -> None:
        """Move each teacher a step towards the backbone; what is no weight (a norm's statistics) is copied.

        At the end of step n (1 for the first) the decay of a teacher that warms up is min(decay, (1 + n) / (10 + n)),
        as in OTTER's official code (facebookresearch/OTTER: models/ema.py).
        """
        if self.warm:
            self.followed += 1
        mine = dict(self.backbone.named_parameters()) | dict(self.backbone.named_buffers())
        for key, average in self.teachers.items():
            pull = 1 - self._decay(key)
            for name, weight in average.named_parameters():
                ranks.part(weight).lerp_(ranks.part(mine[name]), pull)
            for name, buffer in average.named_buffers():
                buffer.copy_(mine[name])

    def _decay(self, key: str) -> Tensor | float:
        if key not in self.warm:
            return self.decays[key]
        return ((1 + self.followed) / (10 + self.followed)).clamp_max(self.decays[key])


def _key(objective: Objective) -> str:
    decay = str(objective.teacher).replace(".", "_")  # a module's name may hold no dot
    return f"{decay}_warm" if objective.teacher_warms_up else decay


def _average(backbone: Backbone) -> Backbone:
    return copy.deepcopy(backbone).eval().requires_grad_(False)
