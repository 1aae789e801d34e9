"""A training between two steps: all that its next steps hang on, taken out and put back to the bit.

The schedule, the batches and dropout are functions of the step, so what is left is tensors of the learner and of the
optimiser, losses that no point of the curve tells yet, and what a watch remembers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import torch
from torch import Tensor, nn

from vlpbench.config.settings import Optim
from vlpbench.parts import ranks
from vlpbench.training.course import Remembering, Training, Watch
from vlpbench.training.learner import Learner
from vlpbench.training.optimizer import Remembers, make_optimizer, optimizer_tensors, restore_optimizer
from vlpbench.training.snapshot import Snapshot

__all__ = ["Underway"]


class Underway:
    """One training and where it stands."""

    def __init__(self, learner: Learner, optim: Optim, watch: Watch | None = None) -> None:
        self.learner, self.optim, self.watch = learner, optim, watch
        self.optimizer: Remembers = make_optimizer(learner, optim)
        self.done = 0
        self.told = Training()
        self.pending: list[Tensor] = []
        """Losses (0-d, on the device) since the last point of the curve."""

    def decided_by(self, steps: int, seed: int, mark: str = "") -> dict[str, Any]:
        """What a snapshot must have in common with this training, asked before its first step."""
        tensors = {name: [str(x.dtype), *x.shape] for name, x in _tensors(self.learner).items()}
        trained = [name for name, weight in self.learner.named_parameters() if weight.requires_grad]
        return {
            "tensors": tensors, "trained": trained, "weights": self.learner.weights, "decays": self.learner.decays,
            "optim": asdict(self.optim), "steps": steps, "seed": seed, "mark": mark,
            "remembering": isinstance(self.watch, Remembering),
        }

    def snapshot(self) -> Snapshot:
        """All of it; the tensors are the living ones, not copies, and of those in parts the whole."""
        tensors = {f"learner/{name}": value for name, value in _tensors(self.learner).items()}
        held = optimizer_tensors(self.optimizer, self.learner)
        tensors |= {f"optimizer/{name}": value for name, value in held.items()}
        if self.pending:
            tensors["losses"] = torch.stack(self.pending)
        plain: dict[str, Any] = {"training": asdict(self.told)}
        if isinstance(self.watch, Remembering):
            remembered, plain["watch"] = self.watch.state()
            tensors |= {f"watch/{name}": value for name, value in remembered.items()}
        said = {name: ranks.whole(x).cpu() if ranks.is_in_parts(x) else x for name, x in tensors.items()}
        return Snapshot(self.done, said, plain)

    def go_on(self, snapshot: Snapshot) -> None:
        """Stand where the snapshot was taken."""
        _put_back(self.learner, _under(snapshot.tensors, "learner/"))
        restore_optimizer(self.optimizer, self.learner, _under(snapshot.tensors, "optimizer/"))
        losses = snapshot.tensors.get("losses")
        self.pending = [] if losses is None else list(losses.to(self.learner.backbone.device).unbind())
        self.told = Training(**snapshot.plain["training"])
        self.done = snapshot.step
        if isinstance(self.watch, Remembering):
            self.watch.restore(_under(snapshot.tensors, "watch/"), snapshot.plain["watch"])


def _tensors(model: nn.Module) -> dict[str, Tensor]:
    """Parameters and all buffers, those that are not saved with the weights included."""
    return {name: x.detach() for name, x in (*model.named_parameters(), *model.named_buffers())}


@torch.no_grad()
def _put_back(model: nn.Module, tensors: Mapping[str, Tensor]) -> None:
    """Into the tensors that are there, so that each keeps its place in memory and its memory format.

    A buffer that had another shape by then, or was made on the way, replaces the one that is there.
    """
    mine = _tensors(model)
    for name, value in tensors.items():
        here = mine.get(name)
        if here is not None and (here.shape, here.dtype) == (value.shape, value.dtype):
            ranks.filled(here, value)
        else:
            owner, _, leaf = name.rpartition(".")
            model.get_submodule(owner)._buffers[leaf] = value.to(next(model.parameters()).device)


def _under(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """Those whose names begin so, without it."""
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
