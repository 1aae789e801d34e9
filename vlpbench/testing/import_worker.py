"""In the kit's second process: import other people's modules, and tell what that loads, reads and reaches."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from vlpbench.testing.references import Reference

__all__ = ["HEAVY", "imported"]

HEAVY = frozenset(
    "timm pandas sklearn scipy transformers matplotlib PIL tokenizers torchvision pyarrow cv2 tensorflow jax datasets "
    "nltk spacy pycocotools pycocoevalcap".split()
)
"""Modules that are not to be loaded before they are used."""

_CODE = (".py", ".pyc", ".so", ".pyd", ".dll", ".pth", "METADATA", "entry_points.txt")


def imported(job: dict[str, Any], _folder: Path, _rank: int) -> dict[str, Any]:
    """Import the class of a job; tells the heavy modules, the files and the connections that this took.

    What the process has loaded itself (torch, and none of HEAVY) is no plugin's fault.
    """
    reference = Reference(**job["class"])
    before = set(sys.modules)
    opened: list[str] = []
    reached: list[str] = []

    def watch(event: str, given: tuple[Any, ...]) -> None:
        if event == "open" and isinstance(given[0], str):
            opened.append(given[0])
        elif event in ("socket.connect", "subprocess.Popen", "os.system"):
            reached.append(event)

    sys.addaudithook(watch)
    with _no_gpu(reached):
        reference.find()
    read = [name for name in opened if not _is_code(name) and not _installed(name, reference)]
    new = {name.partition(".")[0] for name in set(sys.modules) - before}
    started = [] if not torch.cuda.is_initialized() else ["a GPU"]
    return {"heavy": sorted(HEAVY & new), "files": read, "reached": [*reached, *started]}


_ASKING = ("is_available", "device_count", "current_device", "get_device_name", "get_device_properties", "init",
           "set_device", "synchronize")


@contextmanager
def _no_gpu(reached: list[str]) -> Iterator[None]:
    """Inside, questions about GPUs are answered as where there is none, and noted."""
    cuda = torch.cuda
    before = {name: getattr(cuda, name) for name in _ASKING}

    def noting(name: str) -> Callable[..., Any]:
        def ask(*_given: Any, **_named: Any) -> Any:
            reached.append(f"torch.cuda.{name}()")
            return 0 if name == "device_count" else False

        return ask

    try:
        for name in _ASKING:
            setattr(cuda, name, noting(name))
        yield
    finally:
        for name, value in before.items():
            setattr(cuda, name, value)


def _is_code(name: str) -> bool:
    """Whether a file is what importing reads and, where it is the first time, writes (under a passing name)."""
    return name.endswith(_CODE) or os.path.basename(os.path.dirname(name)) == "__pycache__"  # noqa: PTH119, PTH120


def _installed(name: str, reference: Reference) -> bool:
    """Whether a file belongs to Python, to the system or to another installed package."""
    path = os.path.abspath(name)  # noqa: PTH100 (a Path would open directories, which is watched)
    mine = os.path.dirname(os.path.abspath(reference.file))  # noqa: PTH100, PTH120
    if path.startswith(mine + os.sep):
        return False
    return path.startswith((sys.prefix, sys.base_prefix, "/proc", "/sys", "/dev", "/etc", "/usr"))

