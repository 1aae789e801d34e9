"""Buffers as they were before an attempt that failed, so that a step can be done again."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from vlpbench.training.learner import Learner

__all__ = ["Undoing"]


@dataclass
class _Before:
    """One buffer at the beginning of a step."""

    buffer: Tensor
    """The tensor itself: an attempt may have put another in its place."""
    version: int
    """Torch's count of writes to it."""
    copy: Tensor | None
    """Its numbers; None where no step was seen to write it."""


class Undoing:
    """Keeps what a gradient may overwrite: the statistics of norms, and what an objective or a trunk writes itself.

    Copies cost time and memory, and almost no buffer is written before `after_step`. So all are copied before the
    first step, and later only those that a step was seen to write. Teachers do not train, so theirs stay.
    """

    def __init__(self, learner: Learner) -> None:
        teachers = set(learner.teachers.modules())
        own = [(name, module) for name, module in learner.named_modules() if module not in teachers]
        self._where = [(f"{name}.{key}".lstrip("."), module, key) for name, module in own for key in module._buffers]
        # batch norm's kernels write without torch counting it
        self._written = {where for where, module, _ in self._where if getattr(module, "track_running_stats", False)}
        self._first = True
        self._before: dict[str, _Before] = {}

    def begin(self) -> None:
        """Remember the buffers: a step begins."""
        for where, module, key in self._where:
            buffer = module._buffers[key]
            if buffer is not None:
                copy = buffer.detach().clone() if self._first or where in self._written else None
                self._before[where] = _Before(buffer, buffer._version, copy)

    @torch.no_grad()
    def undo(self) -> str | None:
        """Put all buffers back; the name of one that was written and of which there is no copy, else None."""
        for where, module, key in self._where:
            before = self._before.get(where)
            if before is None:
                module._buffers[key] = None
                continue
            module._buffers[key] = before.buffer
            if before.copy is not None:
                before.buffer.copy_(before.copy)
                before.version = before.buffer._version
            elif before.buffer._version != before.version:
                return where
        return None

    def end(self) -> None:
        """The step's gradient is there: learn from it which buffers are written."""
        for where, module, key in self._where:
            before, now = self._before.get(where), module._buffers[key]
            if before is None or now is not before.buffer or now._version != before.version:
                self._written.add(where)
        self._first = False
        self._before = {}
