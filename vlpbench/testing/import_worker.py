"""A process that imports other people's modules, each in a fork of its own, and tells what that loads and reads.

`python -m vlpbench.testing.import_worker RANK` reads the folder of one job a line, and answers with a file in it.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
from pathlib import Path
from typing import Any

import torch

from vlpbench import plugin
from vlpbench.testing.jobs import serve
from vlpbench.testing.references import Reference

__all__ = ["HEAVY", "imported"]

ALLOWED = (torch, plugin)
"""Loaded beforehand: what they weigh is not a plugin's fault."""

HEAVY = frozenset(
    "timm pandas sklearn scipy transformers matplotlib PIL tokenizers torchvision pyarrow cv2 tensorflow jax datasets "
    "nltk spacy pycocotools pycocoevalcap".split()
)
"""Modules that are not to be loaded before they are used."""

_CODE = (".py", ".pyc", ".so", ".pyd", ".dll", ".pth", "METADATA", "entry_points.txt")


def _in_a_fork(job: dict[str, Any], folder: Path, _rank: int) -> dict[str, Any]:
    """Import in a process that ends afterwards, so that each import is the first."""
    child = os.fork()
    if child == 0:
        try:
            told = imported(job)
        except BaseException as wrong:  # noqa: BLE001 (a stranger's code may raise anything, or call sys.exit)
            told = {"error": f"{type(wrong).__name__}: {wrong}"}
        with contextlib.suppress(OSError):
            (folder / "imported.json").write_text(json.dumps(told), encoding="utf-8")
        os._exit(0)
    os.waitpid(child, 0)
    found: dict[str, Any] = json.loads((folder / "imported.json").read_text(encoding="utf-8"))
    return found


def imported(job: dict[str, Any]) -> dict[str, Any]:
    """Import the class of a job; tells the heavy modules, the files and the connections that this took."""
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
    reference.find()
    read = [name for name in opened if not _is_code(name) and not _installed(name, reference)]
    new = {name.partition(".")[0] for name in set(sys.modules) - before}
    started = [] if not torch.cuda.is_initialized() else ["a GPU"]
    return {"heavy": sorted(HEAVY & new), "files": read, "reached": [*reached, *started]}


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


if __name__ == "__main__":
    serve(_in_a_fork)
