"""The only file that says "cuda": which device, which precision, how many threads, how much memory, what time."""

from __future__ import annotations

import contextlib
import os
import platform
import resource
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass

import psutil
import torch

from vlpbench.errors import UserError

__all__ = ["Device", "environment", "prepare_process"]


@dataclass(frozen=True)
class Device:
    """Where a cell runs."""

    kind: str
    """ "cpu" or "cuda"."""

    @classmethod
    def choose(cls, wish: str = "auto") -> Device:
        """The device asked for, or the GPU where there is one; a wish that cannot be met is a UserError."""
        found = torch.cuda.is_available()
        if wish == "auto":
            return cls("cuda" if found else "cpu")
        if wish not in ("cpu", "cuda"):
            raise UserError(f"unknown device {wish!r}", "--device", "known: auto, cpu, cuda")
        if wish == "cuda" and not found:
            raise UserError("no GPU is visible to torch", "--device cuda", "use --device cpu, or install a driver")
        return cls(wish)

    @property
    def torch(self) -> torch.device:
        """The same as torch says it."""
        return torch.device(self.kind)

    @property
    def name(self) -> str:
        """The model: of the GPU, or the processor's kind."""
        return torch.cuda.get_device_name() if self.kind == "cuda" else f"cpu ({platform.machine()})"

    def autocast(self) -> contextlib.AbstractContextManager[None]:
        """bf16 where the hardware has it; fp32 on a CPU."""
        return torch.autocast(self.kind, torch.bfloat16, enabled=self.kind == "cuda")

    def full_precision(self) -> contextlib.AbstractContextManager[None]:
        """No automatic casts: where a formula is computed."""
        return torch.autocast(self.kind, enabled=False)

    def seconds(self) -> float:
        """A clock for durations, after all queued work is done."""
        if self.kind == "cuda":
            torch.cuda.synchronize()
        return time.perf_counter()

    def peak_bytes(self) -> int:
        """Most memory held so far: of the GPU's, or of this process's."""
        if self.kind == "cuda":
            return int(torch.cuda.max_memory_allocated())
        unit = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def prepare_process(device: Device) -> None:
    """What every process that computes must do first.

    One thread on a CPU, so that numbers do not depend on how many cells run at once; subnormal floats are flushed to
    zero (they were seen to cost a factor of four); matrix products of a GPU may use tf32.
    """
    torch.set_flush_denormal(True)
    if device.kind == "cpu":
        torch.set_num_threads(1)
        return
    torch.backends.cuda.matmul.allow_tf32 = True
    torch.backends.cudnn.allow_tf32 = True
    torch.backends.cudnn.benchmark = True


def environment(device: Device) -> Mapping[str, str]:
    """What differs from machine to machine: versions and hardware, without any name of a person or host."""
    return {
        "python": platform.python_version(),
        "torch": torch.__version__,
        "system": f"{platform.system()} {platform.machine()}",
        "device": device.name,
        "cpu_capability": torch.backends.cpu.get_cpu_capability(),
        "cores": str(psutil.cpu_count(logical=False) or os.cpu_count()),
        "memory": f"{psutil.virtual_memory().total / 2**30:.0f} GiB",
    }
