"""Checkpoints in the middle of a training: on disk is always the last whole one, and a damaged one is never taken.

A checkpoint is two files. `step-000123.safetensors` holds all tensors; `checkpoint.json`, written after it, names it
with its SHA-256, holds all plain values, and ends in a digest of itself. Only then does the tensor file before it go.
"""

from __future__ import annotations

import hashlib
import json
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from vlpbench.errors import UserError
from vlpbench.files import digest, digest_file, write_text
from vlpbench.training.checkpoint import read_weights, save_tensors

__all__ = ["LEAST", "TIMES", "Keeper", "Snapshot"]

SCHEMA = 1
LEAST = 60.0
"""Seconds between two checkpoints, at least, where nothing else is asked for."""
TIMES = 50
"""At least so many times what writing one takes lie between two: so checkpoints cost at most 2% of the time."""
_PATTERNS = ("step-*.safetensors", ".step-*.safetensors.*", ".checkpoint.json.*")
"""Tensor files, and what a killed process left of files that it was writing."""


@dataclass(frozen=True)
class Snapshot:
    """A training between two steps."""

    step: int
    """Steps done."""
    tensors: Mapping[str, Tensor]
    """By name; those read from disk are contiguous and on the host."""
    plain: Mapping[str, Any]
    """What JSON can hold; NaN and infinity are allowed."""


class _Unusable(Exception):
    """Why a checkpoint is not taken."""


class Keeper:
    """Keeps the last snapshot of one training in a folder of its own, and says when the next is due.

    `decided_by` is all that decides the training: a snapshot of anything else is not taken. Trouble with the disk is
    told on stderr and ends nothing. Only the monotonic clock is asked, so clocks that are set do not matter.
    """

    def __init__(self, folder: Path, decided_by: Any, every: float = 0.0) -> None:
        self.folder, self.decided_by, self.every = folder, digest(decided_by), every
        self.seconds = 0.0  # what writing the last one took, as far as is known
        self.since = time.monotonic()
        self.failing = False

    @property
    def interval(self) -> float:
        """Seconds between two checkpoints."""
        return self.every or max(LEAST, TIMES * self.seconds)

    def due(self) -> bool:
        """Whether an interval has passed since the last was written, or tried."""
        return time.monotonic() - self.since >= self.interval

    def last(self) -> Snapshot | None:
        """The snapshot to go on from; None where there is none that can be taken. Leftovers of killed runs go."""
        found, name = None, None
        try:
            if (said := self._said()) is not None:
                name, found = self._read(said)
        except (_Unusable, OSError, ValueError, KeyError, TypeError, UserError) as error:
            why = str(error).partition("\n")[0] or type(error).__name__
            _say(f"the checkpoint in {self._place} is not used, the training starts at its beginning: {why}")
        try:
            if name is None:
                self._json.unlink(missing_ok=True)
            self._tidy(name)
        except OSError as error:
            _say(f"cannot tidy {self._place}: {error}")
        self.since = time.monotonic()
        return found

    def keep(self, snapshot: Snapshot) -> None:
        """Write a snapshot and remove the one before; where that cannot be done, say so, and leave the one before."""
        start = time.monotonic()
        name = f"step-{snapshot.step:06d}.safetensors"
        try:
            save_tensors(snapshot.tensors, self.folder / name)
            said = {
                "schema": SCHEMA, "decided_by": self.decided_by, "step": snapshot.step, "tensors": name,
                "sha256": digest_file(self.folder / name), "plain": dict(snapshot.plain),
                "seconds": time.monotonic() - start,
            }
            write_text(self._json, json.dumps({"digest": _digest(said), **said}, indent=1, sort_keys=True) + "\n")
            self._tidy(name)
        except OSError as error:
            if not self.failing:
                _say(f"the checkpoint of step {snapshot.step} cannot be kept, the training goes on without: {error}")
            self.failing = True
        else:
            self.failing, self.seconds = False, time.monotonic() - start
        self.since = time.monotonic()

    @property
    def _json(self) -> Path:
        return self.folder / "checkpoint.json"

    @property
    def _place(self) -> str:
        return f"{self.folder.parent.name}/{self.folder.name}"

    def _said(self) -> dict[str, Any] | None:
        """What `checkpoint.json` says, if it is there and whole."""
        try:
            said = json.loads(self._json.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        except ValueError as error:
            raise _Unusable("checkpoint.json is damaged") from error
        if not isinstance(said, dict) or said.pop("digest", None) != _digest(said):
            raise _Unusable("checkpoint.json is damaged")
        return said

    def _read(self, said: Mapping[str, Any]) -> tuple[str, Snapshot]:
        """The name of the tensor file, and the snapshot."""
        if said["schema"] != SCHEMA or said["decided_by"] != self.decided_by:
            raise _Unusable("it is of another training")
        name = str(said["tensors"])
        path = self.folder / name
        if digest_file(path) != said["sha256"]:
            raise _Unusable(f"{name} is damaged")
        snapshot = Snapshot(int(said["step"]), read_weights(path), dict(said["plain"]))
        self.seconds = float(said["seconds"])
        return name, snapshot

    def _tidy(self, name: str | None) -> None:
        """Remove all but the tensor file of this name."""
        for pattern in _PATTERNS:
            for path in self.folder.glob(pattern):
                if path.name != name:
                    path.unlink(missing_ok=True)


def _digest(said: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


def _say(sentence: str) -> None:
    """One line for whoever reads the log; the result is the same with or without it."""
    print(sentence, file=sys.stderr, flush=True)  # noqa: T201
