"""What it means that memory ran out: which errors say so, what is let go, and what a person is told."""

from __future__ import annotations

import errno
import gc
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from vlpbench.device import Device

__all__ = ["OutOfMemory", "is_out_of_memory", "let_go", "room", "stated"]

_WORDS = (
    "out of memory",
    "defaultcpuallocator",
    "can't allocate memory",
    "cannot allocate memory",
    "not enough memory",
    "cublas_status_alloc_failed",
    "cudnn_status_alloc_failed",
    "cusolver_status_alloc_failed",
)
"""What torch, its CPU allocator (Linux, macOS, Windows) and the libraries under it say in a plain RuntimeError."""


class OutOfMemory(RuntimeError):
    """Memory ran out, and nothing that leaves the numbers as they are can help."""

    def __init__(self, cause: str, remedy: str, fits: int = 0) -> None:
        super().__init__(f"{cause}; {remedy}")
        self.cause, self.remedy = cause, remedy
        self.fits = fits
        """Samples of a batch that were tried and do fit; 0 where none do, or where that was not tried."""


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error, or the one it was raised from, says that memory ran out."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError | OutOfMemory):
        return True
    if isinstance(error, OSError):
        return error.errno == errno.ENOMEM
    if isinstance(error, RuntimeError) and any(words in str(error).lower() for words in _WORDS):
        return True
    return error.__cause__ is not None and is_out_of_memory(error.__cause__)


def let_go(error: BaseException) -> None:
    """Free what a failed attempt held: the variables of its frames, what only refers to itself, the GPU's cache."""
    seen: set[int] = set()
    here: BaseException | None = error
    while here is not None and id(here) not in seen:
        seen.add(id(here))
        traceback.clear_frames(here.__traceback__)
        here = here.__cause__ or here.__context__
    gc.collect()
    Device.release()


def room(device: Device) -> str:
    """The GPU's memory, in brackets; nothing on a CPU, where a process that asks for too much is killed instead."""
    found = device.room()
    if found is None:
        return ""
    free, total = found
    return f" (the GPU has {total / 2**30:.1f} GiB, {free / 2**30:.1f} of them free)"


@contextmanager
def stated(what: str, remedy: str) -> Iterator[None]:
    """Memory that runs out inside becomes an OutOfMemory that says at what."""
    try:
        yield
    except Exception as error:
        if not is_out_of_memory(error) or isinstance(error, OutOfMemory):
            raise
        raise OutOfMemory(f"out of memory: {what}", remedy) from error
