"""Checks of state: written in `after_step` alone, and whole in a checkpoint."""

from __future__ import annotations

import copy
import sys
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from vlpbench.contract.abilities import Backbone
from vlpbench.contract.objective import Objective
from vlpbench.testing.findings import CheckFailed
from vlpbench.testing.learning import Study
from vlpbench.testing.rounds import corrupted, crossed, far, play
from vlpbench.testing.rows import SHARED
from vlpbench.testing.subject import Subject
from vlpbench.training.checkpoint import load_weights, read_weights, save_weights
from vlpbench.types import Batch

__all__ = ["check_batch_left_alone", "check_state_round_trip", "check_state_written_in_after_step"]


def check_state_written_in_after_step(subject: Subject) -> None:
    """corrupt, encode and loss leave weights, buffers and attributes alone, of the objective and of the backbone.

    A value that is made once and kept (a cache) may appear on the first call, but not change.
    """
    for training in (True, False):
        backbone = subject.backbone().train(training)
        objective = subject.objective(backbone).train(training)
        tensors = _tensors(objective, backbone)
        kept: dict[str, Any] = {}
        for seed in range(3):
            for kind, host in subject.hosts(seed).items():
                play(objective, backbone, crossed(corrupted(subject, host, seed)))
                _compare(tensors, _tensors(objective, backbone), kind)
                others = _attributes(objective, backbone)
                if seed:  # the first batch of each kind may fill a cache
                    _compare(kept, others, kind)
                kept = others


def _compare(before: Mapping[str, Any], after: Mapping[str, Any], kind: str) -> None:
    for name, value in before.items():
        if name not in after or not _equal(value, after[name]):
            cause = f"{name} was changed by corrupt, encode or loss on {kind}"
            raise CheckFailed(cause, "hand rows to Step(carry=...) and write in after_step(carry): once a step")


def _tensors(objective: Objective, backbone: Backbone) -> dict[str, Any]:
    """Parameters and buffers, those that are not saved included, each with the number of times it was written."""
    found: dict[str, Any] = {}
    for label, module in (("objective", objective), ("backbone", backbone)):
        batch_norm = [name for name, one in module.named_modules() if isinstance(one, nn.modules.batchnorm._BatchNorm)]
        for name, value in (*module.named_parameters(), *module.named_buffers()):
            if label == "backbone" and name.rpartition(".")[0] in batch_norm:
                continue  # a stem's running statistics are its own affair
            found[f"{label}.{name}"] = (value.detach().clone(), value._version)
    return found


def _attributes(objective: Objective, backbone: Backbone) -> dict[str, Any]:
    """Copies of all plain attributes of the objective, its submodules and its classes, and of its module's lists."""
    found: dict[str, Any] = {}
    for label, whole in (("objective", objective), ("backbone", backbone)):
        for prefix, module in whole.named_modules():
            for name, value in vars(module).items():
                if not (name in _TORCH or name.startswith("_forward") or name == "_teacher"):
                    found[f"{label}.{prefix}.{name}".replace("..", ".")] = _copy(value)
    for cls in type(objective).__mro__:
        if issubclass(cls, Objective) and cls is not Objective:
            for name, value in vars(cls).items():
                if not name.startswith("__") and not callable(value):
                    found[f"class {cls.__name__}.{name}"] = _copy(value)
    home = vars(sys.modules[type(objective).__module__]) if type(objective).__module__ in sys.modules else {}
    for name, value in home.items():
        if not name.startswith("__") and isinstance(value, list | dict | set | int | float | Tensor | np.ndarray):
            found[f"module variable {name}"] = _copy(value)
    return found


_TORCH = frozenset(vars(nn.Module())) - {"training"}


def _copy(value: Any) -> Any:
    """A copy of plain values; what cannot be copied or compared is left out of sight."""
    if isinstance(value, Tensor):
        return value.detach().clone()
    if isinstance(value, np.ndarray | int | float | str | bool | bytes | type(None)):
        return copy.copy(value)
    if isinstance(value, nn.Module):
        return None
    if isinstance(value, Mapping):
        return {repr(key): _copy(one) for key, one in value.items()}
    if hasattr(value, "__iter__") and hasattr(value, "__len__"):
        return [_copy(one) for one in value]
    if hasattr(value, "__dict__") and not callable(value):
        return {name: _copy(one) for name, one in vars(value).items() if not isinstance(one, nn.Module)}
    return None


def _equal(a: Any, b: Any) -> bool:
    if isinstance(a, Tensor | np.ndarray):
        x, y = np.asarray(a), np.asarray(b)
        return bool(np.array_equal(x, y, equal_nan=x.dtype.kind == "f"))
    if isinstance(a, Mapping):
        return isinstance(b, Mapping) and a.keys() == b.keys() and all(_equal(a[key], b[key]) for key in a)
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(_equal, a, b))
    return bool(a == b)


def check_batch_left_alone(subject: Subject) -> None:
    """encode and loss do not write into the batch, which other objectives of the step read, too."""
    for kind, host in subject.hosts().items():
        batch = crossed(corrupted(subject, host))
        before = {name: (array.clone(), array._version) for name, array in _arrays(batch).items()}
        backbone = subject.backbone()
        play(subject.objective(backbone), backbone, batch)
        for name, array in _arrays(batch).items():
            copied, version = before[name]
            if array._version != version or not torch.equal(array, copied):
                raise CheckFailed(f"encode or loss wrote into {name!r} of the batch of {kind}", "work on a clone")


def _arrays(batch: Batch) -> dict[str, Tensor]:
    named = {name: getattr(batch, name) for name in ("images", *SHARED)} | dict(batch.extras)
    return {name: x for name, x in named.items() if x is not None}


def check_state_round_trip(subject: Subject) -> None:
    """After some steps, a learner that is saved and loaded has the same losses, also after one step more."""
    study = Study.of(subject)
    for _ in range(3):
        study.learn()
    with TemporaryDirectory() as folder:
        path = Path(folder) / "weights.safetensors"
        save_weights(study.learner, path)
        again = Study.of(subject, seed=1)
        kept, unused = load_weights(again.learner, read_weights(path))
    if kept or unused:
        cause = f"a checkpoint does not fit its own objective: {', '.join((*kept, *unused)[:5])}"
        raise CheckFailed(cause, "shapes of parameters and buffers depend on config and spec alone")
    for when in ("at once", "after one step more"):
        first, second = study.losses(), again.losses()
        for name, rows in first.items():
            apart = far(second[name], rows)
            if apart is not None:
                cause = f"{name} differs by {apart:.2g} {when} when the objective was saved and loaded"
                raise CheckFailed(cause, "keep state in parameters and persistent buffers: register_buffer()")
        study.carry_on()
        again.carry_on()
