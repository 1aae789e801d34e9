"""The folder of one stage that cells may share: `results/<grid>/stages/<stage>-<key>/`.

A stage is keyed by the hash of all that decides its output, and nothing else. `stage.json` is written last and holds
what the stage told and the hash of each of its files: without it, or with other files beside it, the stage has not been
run. `run.json` holds what differs from run to run, `checkpoint/` what a stage that was killed goes on from.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vlpbench.files import digest, digest_file, forget_halves, write_json
from vlpbench.records.digested import digested, is_as_written
from vlpbench.records.hashes import hash_of
from vlpbench.records.predictions import read_predictions, write_predictions

__all__ = ["StageFolder", "stage_folders"]

SCHEMA = 2
"""Version of `stage.json`; one of another version has not been run."""

_NOT_ITS_OUTPUT = ("stage.json", "run.json", "checkpoint")


@dataclass(frozen=True)
class StageFolder:
    """Where one stage's output is, or will be."""

    path: Path
    """The folder."""
    decided_by: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)
    """The settings, versions and fingerprints that its key is the hash of; empty where one only looks into it."""

    made_by: Mapping[str, str] = field(default_factory=dict, compare=False, repr=False)
    """Hashes of the code that would make it now, by component."""

    @classmethod
    def of(
        cls, results: Path, stage: str, decided_by: Mapping[str, Any], made_by: Mapping[str, str] | None = None
    ) -> StageFolder:
        """The folder of a stage ("pretrain") that is decided by these settings, versions and fingerprints."""
        return cls(results / "stages" / f"{stage}-{digest(decided_by)[:16]}", decided_by, made_by or {})

    @property
    def weights(self) -> Path:
        """The weights that the stage left (safetensors)."""
        return self.path / "weights.safetensors"

    @property
    def predictions(self) -> Path:
        """The rows that the stage left (parquet)."""
        return self.path / "predictions.parquet"

    @property
    def checkpoint(self) -> Path:
        """The folder for what a killed stage goes on from; it goes when the stage closes."""
        return self.path / "checkpoint"

    @property
    def closed(self) -> bool:
        """Whether it says that it has been run; its files are not looked at."""
        return (self.path / "stage.json").is_file()

    def begin(self) -> None:
        """Make the folder and count a start in it; what a killed process left half written goes, its checkpoint stays.

        The caller holds the stage's claim.
        """
        (self.path / "stage.json").unlink(missing_ok=True)  # the first: without it the rest is nothing
        forget_halves(self.path)
        facts = self.facts()
        starts = facts.get("starts", 0)
        write_json(self.path / "run.json", {**facts, "starts": 1 + (starts if isinstance(starts, int) else 0)})

    def close(
        self, told: Mapping[str, Any], code: Mapping[str, str] | None = None, facts: Mapping[str, Any] | None = None
    ) -> None:
        """Say that all its files are whole, and what is to be told of it; the checkpoint goes.

        `code`: component -> SHA-256 of the code that made it, by default `made_by`; `facts`: seconds, memory and the
        like of this run.
        """
        if facts:
            self.note(facts)
        said = {
            "schema": SCHEMA, "told": told, "files": self._files(), "code": dict(code or self.made_by),
            "decided_by": dict(self.decided_by),
        }
        write_json(self.path / "stage.json", digested(said))
        self.tidy()

    def told(self) -> dict[str, Any] | None:
        """What the stage told, or None where it has not been run, or a file is not as it wrote it."""
        said = self.said()
        if not said:
            return None
        whole = all(hash_of(self.path / name) == was for name, was in said["files"].items())
        return dict(said["told"]) if whole else None

    def said(self) -> dict[str, Any]:
        """The whole `stage.json`: told, files, code, decided_by; empty where it is not there or not as written."""
        found = _object(self.path / "stage.json")
        whole = found.get("schema") == SCHEMA and is_as_written(found)
        return found if whole and all(isinstance(found.get(key), dict) for key in ("told", "files", "code")) else {}

    def code(self) -> dict[str, str]:
        """Component -> SHA-256 of the code that made it; empty where that is not known."""
        return dict(self.said().get("code", {}))

    def facts(self) -> dict[str, Any]:
        """What `run.json` says: starts, seconds, memory; empty where it cannot be read."""
        return _object(self.path / "run.json")

    def note(self, facts: Mapping[str, Any]) -> None:
        """Add facts of this run to `run.json`: seconds, memory, how many samples went through at once."""
        write_json(self.path / "run.json", self.facts() | dict(facts))

    def keep(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Write the rows that a stage of predictions leaves."""
        write_predictions(self.predictions, rows)

    def rows(self) -> list[dict[str, Any]]:
        """The rows that were kept; a UserError where they cannot be read."""
        return read_predictions(self.predictions)

    def forget(self) -> None:
        """Have it run again, and from its start: neither what it told nor a checkpoint stays."""
        (self.path / "stage.json").unlink(missing_ok=True)
        self._drop_checkpoint()

    def tidy(self) -> None:
        """Remove the checkpoint of a stage that is closed: a process may have been killed just before that."""
        if self.closed:
            self._drop_checkpoint()

    def _drop_checkpoint(self) -> None:
        if self.checkpoint.is_dir():
            shutil.rmtree(self.checkpoint)

    def _files(self) -> dict[str, str]:
        """Each file of the output by its name in the folder, with its hash."""
        found = {}
        for path in sorted(self.path.rglob("*")):
            parts = path.relative_to(self.path).parts
            hidden = any(part.startswith(".") for part in parts)
            if path.is_file() and not hidden and parts[0] not in _NOT_ITS_OUTPUT:
                found["/".join(parts)] = digest_file(path)
        return found


def stage_folders(results: Path) -> Iterator[StageFolder]:
    """The folders of all stages of a grid's results, run or not, by name."""
    stages = results / "stages"
    for path in sorted(stages.iterdir()) if stages.is_dir() else ():
        if path.is_dir() and not path.name.startswith("."):
            yield StageFolder(path)


def _object(path: Path) -> dict[str, Any]:
    """A JSON object; empty where there is none that can be read."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
