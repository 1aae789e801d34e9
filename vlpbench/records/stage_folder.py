"""The folder of one stage that cells may share: `results/<grid>/stages/<stage>-<key>/`.

A stage is keyed by the hash of all that decides its output, and nothing else. `stage.json` is written last and holds
the hash of the weights, where the stage leaves any: without it, or with other weights beside it, the stage has not been
run.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vlpbench.files import digest, digest_file, write_json

__all__ = ["StageFolder"]


@dataclass(frozen=True)
class StageFolder:
    """Where one stage's output is, or will be."""

    path: Path
    """The folder."""

    @classmethod
    def of(cls, results: Path, stage: str, decided_by: Mapping[str, Any]) -> StageFolder:
        """The folder of a stage ("pretrain") that is decided by these settings, versions and fingerprints."""
        return cls(results / "stages" / f"{stage}-{digest(decided_by)[:16]}")

    @property
    def weights(self) -> Path:
        """The weights that the stage left (safetensors)."""
        return self.path / "weights.safetensors"

    def close(self, told: Mapping[str, Any]) -> None:
        """Say that the weights are whole, if there are any, and what else is to be told of the stage."""
        write_json(self.path / "stage.json", {"told": told, "weights": self._weights_digest()})

    def _weights_digest(self) -> str:
        return digest_file(self.weights) if self.weights.is_file() else ""

    @property
    def closed(self) -> bool:
        """Whether it says that it has been run; its weights are not looked at."""
        return (self.path / "stage.json").is_file()

    def told(self) -> dict[str, Any] | None:
        """What the stage told, or None where it has not been run, or its weights are not those that it wrote."""
        try:
            found = json.loads((self.path / "stage.json").read_text(encoding="utf-8"))
            return dict(found["told"]) if self._weights_digest() == found["weights"] else None
        except (OSError, ValueError, KeyError, TypeError):
            return None
