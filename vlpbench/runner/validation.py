"""Looks at the validation split while a model is pretrained: the joint loss and its figures, on the same batches."""

from __future__ import annotations

import torch
from torch import Tensor

from vlpbench.data.shard import shard
from vlpbench.parts import ranks
from vlpbench.runner.batches import validation_loader
from vlpbench.runner.workbench import Workbench
from vlpbench.training.joint import StepBatches, joint_loss
from vlpbench.training.learner import Learner

__all__ = ["Validation"]


class Validation:
    """Called after each step; at some of them it gives `validation/loss` and the objectives' figures.

    Looking changes no weight: dropout is off, and the next step's chance depends on the step alone.
    """

    def __init__(self, bench: Workbench, learner: Learner, steps: int) -> None:
        self.bench, self.learner = bench, learner
        looks = bench.settings.budget.looks
        self.at = {max(1, round(steps * (look + 1) / looks)) for look in range(looks)}
        self.loader = validation_loader(bench) if looks else None

    def __call__(self, done: int) -> dict[str, float] | None:
        """The means over the validation batches after `done` steps; None where this is no step to look at."""
        if self.loader is None or done not in self.at:
            return None
        self.learner.eval()
        seen = [self._one(host.to(self.bench.device.torch)) for host in shard(self.loader)]
        self.learner.train()
        return {f"validation/{name}": float(sum(one[name] for one in seen)) / len(seen) for name in seen[0]}

    @torch.no_grad()
    def _one(self, views: StepBatches) -> dict[str, Tensor]:
        loss, figures, _ = joint_loss(self.learner, views, self.bench.device)
        return {"loss": ranks.total(loss), **figures}
