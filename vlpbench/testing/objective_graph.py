"""Checks of what encode and loss do beside computing: nothing that waits for numbers, nothing that is written."""

from __future__ import annotations

import contextlib
import io
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from vlpbench.testing.findings import CheckFailed
from vlpbench.testing.recording import recorded
from vlpbench.testing.rounds import corrupted, crossed, play
from vlpbench.testing.subject import Subject

__all__ = ["check_quiet", "check_static_graph"]

_WAITING = {
    "aten._local_scalar_dense.default": "asks for a number (.item(), float(x), bool(x), `if` on a tensor)",
    "aten.nonzero.default": "asks where a tensor is not zero (boolean indexing, nonzero(), where() of one argument)",
    "aten.masked_select.default": "selects by a mask",
    "aten._unique2.default": "asks for unique values",
    "aten.unique_dim.default": "asks for unique values",
}
"""Operations whose result has a shape, or a value in Python, that numbers decide."""


def check_static_graph(subject: Subject) -> None:
    """encode and loss ask for no number and no shape that numbers decide: no .item(), no boolean indexing.

    A graph can then be compiled once, and a GPU never waits for the host.
    """
    for kind, host in subject.hosts().items():
        backbone = subject.backbone()
        objective = subject.objective(backbone)
        batch = crossed(corrupted(subject, host))
        depth = [0]
        watch = _Watch(kind, depth)
        with recorded(backbone, depth=depth), recorded(backbone.teacher.average, depth=depth), watch:
            play(objective, backbone, batch)
        if watch.seen:
            raise watch.seen[0]


class _Watch(TorchDispatchMode):
    """Raises where numbers are waited for, outside of the backbone."""

    def __init__(self, kind: str, depth: list[int]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.kind, self.depth, self.seen = kind, depth, list[CheckFailed]()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Do what was asked for, unless it waits."""
        what = _WAITING.get(str(func), "")
        if str(func).startswith("aten.index") and len(args) > 1 and any(map(_is_mask, _each(args[1]))):
            what = "indexes by a mask"
        if what and not self.depth[0]:
            cause = f"on {self.kind}, encode or loss {what}"
            remedy = "weigh by the mask, or torch.where: every shape and branch is then static"
            self.seen.append(CheckFailed(cause, remedy))
            raise self.seen[0]
        return func(*args, **(kwargs or {}))


def _each(given: Any) -> Any:
    return given if isinstance(given, list | tuple) else ()


def _is_mask(x: Any) -> bool:
    return isinstance(x, Tensor) and x.dtype in (torch.bool, torch.uint8)


def check_quiet(subject: Subject) -> None:
    """corrupt, encode and loss print, log and warn nothing, and open no file and no connection."""
    for kind, host in subject.hosts().items():
        backbone = subject.backbone()
        objective = subject.objective(backbone)
        for seed in range(2):
            with _listening(kind) as heard:
                play(objective, backbone, crossed(corrupted(subject, host, seed)))
            if heard:
                raise heard[0]


class _Ear(io.TextIOBase):
    """A stream on which nothing may be said."""

    def __init__(self, kind: str, heard: list[CheckFailed]) -> None:
        self.kind, self.heard = kind, heard

    def write(self, text: str) -> int:
        """CheckFailed with what was said."""
        if text.strip():
            raise _caught(self.heard, f"on {self.kind}, {text.strip()[:60]!r} was printed", _FIGURES)
        return len(text)


_FIGURES = "report numbers as figures: Step(losses, {name: value})"


class _Log(logging.Handler):
    """A handler for what is logged at any level."""

    def __init__(self, kind: str, heard: list[CheckFailed]) -> None:
        super().__init__()
        self.kind, self.heard = kind, heard

    def emit(self, record: logging.LogRecord) -> None:
        """Note it; loggers swallow what is raised here."""
        failure = _caught(self.heard, f"on {self.kind}, {record.getMessage()[:60]!r} was logged", _FIGURES)
        failure.place = f"{os.path.relpath(record.pathname)}:{record.lineno} ({record.funcName})"


def _caught(heard: list[CheckFailed], cause: str, remedy: str) -> CheckFailed:
    heard.append(CheckFailed(cause, remedy))
    return heard[-1]


_listeners: list[tuple[str, list[CheckFailed]]] = []
"""Whoever listens now; hooks of Python cannot be taken off again."""

_OPENING = ("open", "socket.connect", "subprocess.Popen", "os.system", "os.mkdir", "os.remove", "os.rename")


def _hook(event: str, given: tuple[Any, ...]) -> None:
    if not _listeners or event not in _OPENING:
        return
    kind, heard = _listeners[-1]
    name = given[0] if given else ""
    if event == "open" and (not isinstance(name, str) or name.endswith((".py", ".pyc", ".so", ".pth"))):
        return
    what = f"opened {name}" if event == "open" else f"did {event}"
    remedy = "read files where a data set is read, and write none: what is worth keeping is a figure or a buffer"
    raise _caught(heard, f"on {kind}, corrupt, encode or loss {what}", remedy)


@contextmanager
def _listening(kind: str) -> Iterator[list[CheckFailed]]:
    """Inside, what is printed, logged or opened raises, and is in the list."""
    heard: list[CheckFailed] = []
    if not getattr(_hook, "added", False):
        sys.addaudithook(_hook)
        _hook.added = True  # type: ignore[attr-defined]
    root = logging.getLogger()
    log = _Log(kind, heard)
    root.addHandler(log)
    _listeners.append((kind, heard))
    ear = _Ear(kind, heard)
    try:
        with contextlib.redirect_stdout(ear), contextlib.redirect_stderr(ear):
            yield heard
    finally:
        _listeners.pop()
        root.removeHandler(log)
