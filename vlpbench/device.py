"""The only file that says "cuda": which device, which precision, how many threads, how much memory, what time."""

from __future__ import annotations

import contextlib
import os
import platform
import resource
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import psutil
import torch
from torch import dtype

from vlpbench.errors import UserError
from vlpbench.hardware import driver, processor

__all__ = ["Beside", "Device", "environment", "prepare_process"]

_AT_ONCE = {"cpu": 1, "cuda": 10}
"""Matrix products between two looks at the clock."""


class Beside:
    """A GPU's queue beside the one that computes: what is copied on it is copied while a step runs."""

    def __init__(self) -> None:
        self._queue = torch.cuda.Stream()

    def working(self) -> contextlib.AbstractContextManager[None]:
        """Whatever is asked of the GPU meanwhile goes to this queue."""
        return torch.cuda.stream(self._queue)

    def hand_over(self, made: Iterable[torch.Tensor]) -> None:
        """The queue that computes waits for what was asked here; the host does not. No memory is reused too early."""
        computing = torch.cuda.current_stream()
        computing.wait_stream(self._queue)
        for one in made:
            one.record_stream(computing)


@dataclass(frozen=True)
class Device:
    """Where a cell runs."""

    kind: str
    """ "cpu" or "cuda"; "meta" has shapes alone."""

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

    @staticmethod
    def cores() -> int:
        """Cores that this process may use."""
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1

    @staticmethod
    def visible() -> tuple[str, ...]:
        """The GPUs as CUDA_VISIBLE_DEVICES names them (numbers, UUIDs, MIG names), or numbers where it is not set."""
        said = os.environ.get("CUDA_VISIBLE_DEVICES")
        if said is None:
            return tuple(str(number) for number in range(torch.cuda.device_count()))
        return tuple(one.strip() for one in said.split(",") if one.strip())[: torch.cuda.device_count()]

    def take(self, number: int) -> None:
        """Compute on the GPU of this number from here on; on a CPU nothing."""
        if self.kind == "cuda":
            torch.cuda.set_device(number)

    @property
    def name(self) -> str:
        """The model: of the GPU, or the processor's kind."""
        return torch.cuda.get_device_name() if self.kind == "cuda" else f"cpu ({platform.machine()})"

    def autocast(self) -> contextlib.AbstractContextManager[None]:
        """bf16 where the hardware has it; fp32 on a CPU."""
        if self.kind == "meta":  # shapes alone, on which work is counted
            return contextlib.nullcontext()
        return torch.autocast(self.kind, torch.bfloat16, enabled=self.kind == "cuda")

    def full_precision(self) -> contextlib.AbstractContextManager[None]:
        """No automatic casts: where a formula is computed."""
        return contextlib.nullcontext() if self.kind == "meta" else torch.autocast(self.kind, enabled=False)

    @property
    def precision(self) -> dtype:
        """What matrices are multiplied in: bf16 on a GPU, fp32 on a CPU."""
        return torch.bfloat16 if self.kind == "cuda" else torch.float32

    def seconds(self) -> float:
        """A clock for durations, after all queued work is done."""
        if self.kind == "cuda":
            torch.cuda.synchronize()
        return time.perf_counter()

    def stamp(self) -> Any:
        """A moment of this device, for `elapsed`: a GPU's comes when its queue gets there, and nobody waits for it."""
        if self.kind != "cuda":
            return time.perf_counter()
        event = torch.cuda.Event(enable_timing=True)
        event.record()
        return event

    def elapsed(self, start: Any, end: Any) -> float:
        """Seconds between two stamps; waits until the later one has come."""
        if self.kind != "cuda":
            return float(end - start)
        end.synchronize()
        return float(start.elapsed_time(end)) / 1e3

    def matmul_peak(self, sides: Sequence[int] = (), seconds: float = 0.1) -> float:
        """FLOP a second of the fastest square matrix product there is, each side tried for so long: what one can reach.

        In the device's `precision`; on a CPU with the threads that torch has.
        """
        best = 0.0
        for side in sides or ((4096, 8192, 12288) if self.kind == "cuda" else (512, 1024, 1536)):
            left, right = (torch.randn(side, side, device=self.torch).to(self.precision) for _ in range(2))
            made = left @ right  # the first one chooses its kernel
            start, stamps = self.seconds(), [self.stamp()]
            while self.seconds() - start < seconds or len(stamps) < 3:
                for _ in range(_AT_ONCE[self.kind]):
                    torch.mm(left, right, out=made)
                stamps.append(self.stamp())
            laps = [self.elapsed(before, after) for before, after in pairwise(stamps)]
            best = max(best, _AT_ONCE[self.kind] * 2 * side**3 / min(laps))
        return best

    def forget_peak(self) -> None:
        """Count the most memory held from here on; a process on a CPU cannot."""
        if self.kind == "cuda":
            torch.cuda.reset_peak_memory_stats()

    def peak_bytes(self) -> int:
        """Most memory held so far: of the GPU's, or of this process's."""
        if self.kind == "cuda":
            return int(torch.cuda.max_memory_allocated())
        unit = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit

    def held_bytes(self) -> int:
        """Memory of the GPU that this process holds now; 0 on a CPU, where whoever asks looks at the process."""
        return int(torch.cuda.memory_reserved()) if self.kind == "cuda" else 0

    def room(self) -> tuple[int, int] | None:
        """Free and whole memory of the GPU, in bytes; None on a CPU, whose memory is everybody's."""
        return torch.cuda.mem_get_info() if self.kind == "cuda" else None

    def beside(self) -> Beside | None:
        """A queue for copies; None on a CPU, which has nothing to copy."""
        return Beside() if self.kind == "cuda" else None

    def captured(self, work: Callable[[], object]) -> Callable[[], object]:
        """All that `work` asks of a GPU as one launch (a CUDA graph), on the very tensors that it reads and writes.

        `work` is done once beforehand; it must not wait for the device. On a CPU it is `work` itself.
        """
        if self.kind != "cuda":
            return work
        beside = torch.cuda.Stream()
        beside.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(beside):
            work()  # libraries set themselves up
        torch.cuda.current_stream().wait_stream(beside)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            work()
        return graph.replay

    @staticmethod
    def release() -> None:
        """Give back what torch keeps of a GPU's memory for later; nothing where no GPU is in use."""
        if torch.cuda.is_initialized():
            torch.cuda.empty_cache()


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
    """What differs from machine to machine: versions and hardware, without any name of a person or host.

    What is not known is left out; "cuda", "cudnn", "driver", "gpu_memory" and "gpu_capability" are a GPU's.
    """
    return {
        "python": platform.python_version(),
        "torch": torch.__version__,
        "system": f"{platform.system()} {platform.machine()}",
        "device": device.name,
        "processor": processor(),
        "cpu_capability": torch.backends.cpu.get_cpu_capability(),
        "cores": str(psutil.cpu_count(logical=False) or os.cpu_count()),
        "torch_threads": str(torch.get_num_threads()),
        "memory": f"{psutil.virtual_memory().total / 2**30:.0f} GiB",
        **(_gpu() if device.kind == "cuda" else {}),
    }


def _gpu() -> dict[str, str]:
    """What is known of the GPU beside its name, and of the software below torch."""
    facts = torch.cuda.get_device_properties(torch.cuda.current_device())
    found = {
        "cuda": str(torch.version.cuda or torch.version.hip or ""),
        "cudnn": str(torch.backends.cudnn.version() or ""),
        "driver": driver(),
        "gpu_memory": f"{facts.total_memory / 2**30:.0f} GiB",
        "gpu_capability": f"{facts.major}.{facts.minor}",
    }
    return {name: said for name, said in found.items() if said}
