"""A backbone, the weighted objectives that teach it, and the teachers that some of these ask for."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import torch
from torch import nn

from vlpbench.contract.abilities import Backbone
from vlpbench.contract.objective import Objective
from vlpbench.contract.teacher import Teacher

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

    def __init__(self, backbone: Backbone, terms: Sequence[Term]) -> None:
        super().__init__()
        self.backbone = backbone
        self.terms = nn.ModuleDict({term.objective.name: term.objective for term in terms})
        self.weights = {term.objective.name: term.weight for term in terms}
        self.decays = {_key(decay): decay for term in terms if (decay := term.objective.teacher) is not None}
        self.teachers = nn.ModuleDict({key: _average(backbone) for key in self.decays})

    def train(self, mode: bool = True) -> Self:
        """As usual, but a teacher stays in evaluation mode."""
        super().train(mode)
        self.teachers.eval()
        return self

    def objective(self, name: str) -> Objective:
        """The objective of a term, with the backbone's `teacher` set to the one that it asks for."""
        objective = self.terms[name]
        assert isinstance(objective, Objective)
        key = None if objective.teacher is None else _key(objective.teacher)
        average = None if key is None else self.teachers[key]
        assert average is None or isinstance(average, Backbone)
        self.backbone.taught_by(None if average is None else Teacher(average, f"teacher {key}"))
        return objective

    @torch.no_grad()
    def follow(self) -> None:
        """Move each teacher a step towards the backbone; what is no weight (a norm's statistics) is copied."""
        mine = dict(self.backbone.named_parameters()) | dict(self.backbone.named_buffers())
        for key, average in self.teachers.items():
            for name, weight in average.named_parameters():
                weight.lerp_(mine[name], 1 - self.decays[key])
            for name, buffer in average.named_buffers():
                buffer.copy_(mine[name])


def _key(decay: float) -> str:
    return str(decay).replace(".", "_")  # a module's name may hold no dot


def _average(backbone: Backbone) -> Backbone:
    return copy.deepcopy(backbone).eval().requires_grad_(False)
