"""What a plugin may not change for all others while it is loaded: it is put back, and told.

A default dtype, a seed or a search path that one plugin sets when it is imported would change other rows of a table,
and nobody would look for it there.
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TextIO, cast

import numpy as np
import torch

from vlpbench.contract.sealed import sealed

__all__ = ["kept_apart", "undisturbed"]

_VARIABLES = ("CUDA_VISIBLE_DEVICES", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "CUBLAS_WORKSPACE_CONFIG", "PYTHONPATH")

Part = tuple[Callable[[], Any], Callable[[Any], object]]
"""How a part of the process's state is read, and how it is put back."""


def _variables() -> dict[str, str]:
    return {key: value for key, value in os.environ.items() if key in _VARIABLES or key.startswith("VLPBENCH_")}


def _set_variables(before: Mapping[str, str]) -> None:
    for key in _variables().keys() - before.keys():
        del os.environ[key]
    os.environ.update(before)


def _set_path(before: list[str]) -> None:
    sys.path[:] = before


def _signals() -> dict[int, Any]:
    if threading.current_thread() is not threading.main_thread():
        return {}  # no other may set them
    return {one: signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM)}


def _set_signals(before: Mapping[int, Any]) -> None:
    for one, handler in before.items():
        if handler is not None:  # set by something that is not Python
            signal.signal(one, handler)


def _numpy_state() -> tuple[Any, ...]:
    name, keys, *rest = cast(Any, np.random.get_state())
    return (name, keys.tobytes(), *rest)


def _set_numpy_state(before: tuple[Any, ...]) -> None:
    name, keys, *rest = before
    np.random.set_state((name, np.frombuffer(keys, dtype=np.uint32), *rest))


def _torch_state() -> bytes:
    return torch.get_rng_state().numpy().tobytes()


def _set_torch_state(before: bytes) -> None:
    torch.set_rng_state(torch.frombuffer(bytearray(before), dtype=torch.uint8))


def _deterministic() -> tuple[bool, bool]:
    return torch.are_deterministic_algorithms_enabled(), torch.is_deterministic_algorithms_warn_only_enabled()


def _set_deterministic(before: tuple[bool, bool]) -> None:
    torch.use_deterministic_algorithms(before[0], warn_only=before[1])


def _set_device(before: torch.device) -> None:
    torch.set_default_device(None if before.type == "cpu" else before)  # to set "cpu" would slow every call


def _attribute(holder: Any, name: str) -> Part:
    return lambda: getattr(holder, name), lambda before: setattr(holder, name, before)


_PARTS: Mapping[str, Part] = {
    "sys.path": (lambda: list(sys.path), _set_path),
    "the working folder": (os.getcwd, os.chdir),
    "environment variables": (_variables, _set_variables),
    "the recursion limit": (sys.getrecursionlimit, sys.setrecursionlimit),
    "sys.excepthook": _attribute(sys, "excepthook"),
    "sys.stderr": _attribute(sys, "stderr"),
    "handlers of signals": (_signals, _set_signals),
    "the state of random": (random.getstate, random.setstate),
    "the state of numpy.random": (_numpy_state, _set_numpy_state),
    "torch's random state": (_torch_state, _set_torch_state),
    "torch's default dtype": (torch.get_default_dtype, torch.set_default_dtype),
    "torch's default device": (torch.get_default_device, _set_device),
    "torch's autograd mode": (torch.is_grad_enabled, torch.set_grad_enabled),
    "torch's anomaly detection": (torch.is_anomaly_enabled, torch.autograd.set_detect_anomaly),
    "torch's number of threads": (torch.get_num_threads, torch.set_num_threads),
    "torch's deterministic algorithms": (_deterministic, _set_deterministic),
    "torch's precision of matrix products": (
        torch.get_float32_matmul_precision, torch.set_float32_matmul_precision
    ),
    "torch.backends.cudnn.benchmark": _attribute(torch.backends.cudnn, "benchmark"),
    "torch.backends.cudnn.allow_tf32": _attribute(torch.backends.cudnn, "allow_tf32"),
}
"""Parts of the process's state that all share."""


@contextlib.contextmanager
def undisturbed(tell: Callable[[str], None]) -> Iterator[None]:
    """Put back at the end of the block what it changed of the process's shared state; `tell` hears of each part."""
    before = {name: read() for name, (read, _) in _PARTS.items()}
    try:
        yield
    finally:
        for name, (read, put_back) in _PARTS.items():
            if _changed(read, before[name]):
                put_back(before[name])
                tell(f"it changes {name}, which was put back")


def _changed(read: Callable[[], Any], before: Any) -> bool:
    try:
        return bool(read() != before)
    except OSError:  # it deleted the folder it is in
        return True


class _Aside:
    """Stands in for stdout: what is printed goes to stderr, and it is known that something was."""

    def __init__(self) -> None:
        self.used = False

    def write(self, text: str) -> int:
        self.used = self.used or bool(text)
        return sys.stderr.write(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(sys.stderr, name)


@contextlib.contextmanager
def kept_apart(tell: Callable[[str], None]) -> Iterator[None]:
    """Run a plugin's code: shared state stays, test splits are sealed, stdout is left to the command's results."""
    aside = _Aside()
    try:
        with undisturbed(tell), sealed("loading a plugin"), contextlib.redirect_stdout(cast(TextIO, aside)):
            yield
    finally:
        if aside.used:
            tell("it prints to stdout, which went to stderr: results alone go to stdout")
