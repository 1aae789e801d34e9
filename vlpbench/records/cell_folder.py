"""The folder of one cell: `results/<grid>/cells/<readable>-<id>/`.

`settings.json`: what was asked; `scores.json`: what came out; `curve.jsonl`: how training went;
`predictions/<task>.parquet`: each answer. These depend on settings, data and versions alone. `timing.json` and
`environment.json` hold what differs from run to run. `status.json` is written last and holds the hashes of the others:
without it nothing is done.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from vlpbench.errors import UserError
from vlpbench.files import digest_file, readable, write_json, write_text
from vlpbench.records.predictions import write_predictions

__all__ = ["SCHEMA", "CellFolder", "State", "cell_folders"]

SCHEMA = 1
"""Version of the layout; written into every record."""

State = Literal["pending", "done", "failed", "damaged"]

_RUN_FACTS = ("timing.json", "environment.json", "status.json", "log.txt")

_ALWAYS = frozenset({"settings.json", "scores.json", "curve.jsonl"})
"""Files without which nothing is done."""


@dataclass(frozen=True)
class CellFolder:
    """Where one cell's record is, or will be."""

    path: Path
    """The folder."""

    @classmethod
    def of(cls, results: Path, cell_id: str, *names: str) -> CellFolder:
        """The folder of a cell in a grid's results: a readable name, then the id that decides."""
        return cls(results / "cells" / f"{readable('-'.join(names))}-{cell_id}")

    def state(self) -> State:
        """ "done" and "failed" as recorded; "damaged" where a file is missing or not as it was written."""
        status = self.status()
        if not status:
            return "pending"
        if status.get("state") != "done":
            return "failed"
        files = status.get("files", {})
        whole = files.keys() >= _ALWAYS and all(self._whole(name, was) for name, was in files.items())
        return "done" if whole else "damaged"

    def _whole(self, name: str, was: str) -> bool:
        path = self.path / name
        return path.is_file() and digest_file(path) == was

    def status(self) -> dict[str, Any]:
        """What `status.json` says; empty where there is none that can be read."""
        try:
            found = json.loads((self.path / "status.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) and isinstance(found.get("files", {}), dict) else {}

    def read(self, name: str) -> Any:
        """One JSON file of the record; a UserError names it where it cannot be read."""
        return self._parsed(name, json.loads)

    def curve(self) -> list[dict[str, Any]]:
        """The rows of `curve.jsonl`: stage, step, lr and figures."""
        if not (self.path / "curve.jsonl").is_file():
            return []
        return self._parsed("curve.jsonl", lambda text: [json.loads(line) for line in text.splitlines()])  # type: ignore[no-any-return]

    def _parsed(self, name: str, parse: Callable[[str], Any]) -> Any:
        path = self.path / name
        try:
            return parse(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise UserError(
                f"cannot read a record: {error}", str(path), "delete the cell's folder and run the grid again"
            ) from error

    def begin(self, settings: Mapping[str, Any]) -> None:
        """Forget an earlier record and what a killed process left half written; say what is about to be run."""
        (self.path / "status.json").unlink(missing_ok=True)  # the first: without it the rest is nothing
        for path in sorted(self.path.rglob("*")):
            if path.is_file() and path.name != "log.txt":  # which is being written
                path.unlink()
        write_json(self.path / "settings.json", {"schema": SCHEMA, **settings})

    def finish(
        self,
        scores: Mapping[str, Any],
        curve: Sequence[Mapping[str, Any]],
        predictions: Mapping[str, Sequence[Mapping[str, Any]]],
        facts: Mapping[str, Mapping[str, Any]],
    ) -> None:
        """Write the record of a cell that is done. `facts`: "timing" and "environment"."""
        write_json(self.path / "scores.json", {"schema": SCHEMA, **scores})
        self._write_curve(curve)
        for task, rows in predictions.items():
            write_predictions(self.path / "predictions" / f"{readable(task)}.parquet", rows)
        self._close("done", facts, {})

    def score_again(
        self, scores: Mapping[str, Any], predictions: Mapping[str, Sequence[Mapping[str, Any]]]
    ) -> None:
        """Write other scores of the same predictions into a record that is done; its run facts stay."""
        write_json(self.path / "scores.json", {"schema": SCHEMA, **scores})
        for task, rows in predictions.items():
            write_predictions(self.path / "predictions" / f"{readable(task)}.parquet", rows)
        self._close("done", {}, {})

    def fail(self, cause: str, details: Mapping[str, Any], facts: Mapping[str, Mapping[str, Any]]) -> None:
        """Write the record of a cell that could not be finished: a sentence, and what is known beside it."""
        self._close("failed", facts, {"cause": cause, **details})

    def _write_curve(self, curve: Sequence[Mapping[str, Any]]) -> None:
        lines = "".join(json.dumps(row, allow_nan=False, sort_keys=True) + "\n" for row in curve)
        write_text(self.path / "curve.jsonl", lines)

    def _close(self, state: str, facts: Mapping[str, Mapping[str, Any]], said: Mapping[str, Any]) -> None:
        for name, content in facts.items():
            write_json(self.path / f"{name}.json", content)
        files = {
            str(path.relative_to(self.path).as_posix()): digest_file(path)
            for path in sorted(self.path.rglob("*"))
            if path.is_file() and not path.name.startswith(".") and path.name not in _RUN_FACTS
        }
        write_json(self.path / "status.json", {"schema": SCHEMA, "state": state, "files": files, **said})


def cell_folders(results: Path) -> Iterator[CellFolder]:
    """The folders of all cells of a grid's results that hold settings, by name."""
    cells = results / "cells"
    for path in sorted(cells.iterdir()) if cells.is_dir() else ():
        if (path / "settings.json").is_file():
            yield CellFolder(path)
