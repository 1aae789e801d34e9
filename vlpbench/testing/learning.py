"""A learner with fixed batches that takes steps as the loop takes them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Self

import torch
from torch import Tensor

from vlpbench.device import Device
from vlpbench.testing.chance import seeded_anew
from vlpbench.testing.rounds import corrupted, crossed, play
from vlpbench.testing.subject import Subject
from vlpbench.training.gradient import joint_gradient
from vlpbench.training.learner import Learner, Term
from vlpbench.types import Batch

__all__ = ["CPU", "Study"]

CPU = Device("cpu")


@dataclass
class Study:
    """A learner that learns two steps' batches by heart."""

    learner: Learner
    """A tiny backbone with one objective."""
    name: str
    """The objective's."""
    batches: list[dict[str, Batch]]
    """What each step sees, by kind; corrupted once, so that every turn is the same."""
    rate: float = 2e-3
    """Learning rate of AdamW."""
    done: int = 0
    """Steps taken."""

    @classmethod
    def of(cls, subject: Subject, seed: int = 0, rate: float = 2e-3, steps: int = 2) -> Self:
        """Weights depend on `seed`, batches do not."""
        backbone = subject.backbone(seed, taught=False)
        learner = Learner(backbone, [Term(1.0, subject.objective(backbone, seed))])
        batches = [
            {kind: crossed(corrupted(subject, host, number)) for kind, host in subject.hosts(number).items()}
            for number in range(steps)
        ]
        return cls(learner, subject.cls.name, batches, rate)

    @cached_property
    def optimizer(self) -> torch.optim.Optimizer:
        """AdamW without decay; made when first asked for, since torch loads its compiler with it."""
        weights = [weight for weight in self.learner.parameters() if weight.requires_grad]
        return torch.optim.AdamW(weights, lr=self.rate, weight_decay=0.0)

    def gradient(self, number: int = 0, micro_batch: int = 0) -> tuple[Tensor, dict[str, Tensor]]:
        """The loss of a step and the gradient of each weight that has one; the learner is as it was, but for those."""
        self.learner.zero_grad(set_to_none=True)
        loss = self._backward(number, micro_batch)[0]
        found = {n: w.grad.clone() for n, w in self.learner.named_parameters() if w.grad is not None}
        return loss.detach(), found

    def _backward(self, number: int, micro_batch: int = 0) -> tuple[Tensor, dict[str, dict[str, Tensor]]]:
        views = {kind: {self.name: batch} for kind, batch in self.batches[number].items()}
        with seeded_anew(0):
            loss, _figures, carries = joint_gradient(self.learner, views, CPU, micro_batch)
        return loss, carries

    def learn(self) -> float:
        """One step; gives its loss."""
        self.learner.train()
        self.learner.zero_grad(set_to_none=True)
        loss, carries = self._backward(self.done % len(self.batches))
        self.optimizer.step()
        self._after(carries)
        self.learner.follow()
        self.done += 1
        self.learner.eval()
        return float(loss)

    def carry_on(self) -> None:
        """Hand a step's carry to `after_step`, without moving weights by a gradient."""
        self.learner.zero_grad(set_to_none=True)
        self._after(self._backward(0)[1])

    def _after(self, carries: dict[str, dict[str, Tensor]]) -> None:
        with torch.no_grad():
            for name, carry in carries.items():
                self.learner.objective(name).after_step(carry)

    @torch.no_grad()
    def losses(self) -> dict[str, Tensor]:
        """Each loss on each batch, B."""
        self.learner.eval()
        found: dict[str, Tensor] = {}
        for number, batches in enumerate(self.batches):
            for kind, batch in batches.items():
                made = play(self.learner.objective(self.name), self.learner.backbone, batch)
                found |= {f"{name} on {kind} {number}": rows for name, rows in made.rows.items()}
        return found
