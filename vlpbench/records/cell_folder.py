"""The folder of one cell: `results/<grid>/cells/<readable>-<id>/`.

`settings.json`: what was asked; `scores.json`: what came out; `curve.jsonl`: how training went;
`predictions/<task>.parquet`: each answer. These depend on settings, data and versions alone. `timing.json` and
`environment.json` hold what differs from run to run. `status.json` is written last and holds the hashes of the others
and one over itself: without it nothing is done. A compact record (`records.compact`) has `examples/<task>.parquet`,
scores without answers, in place of predictions, and its curve packed.
"""

from __future__ import annotations

import json
import lzma
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from vlpbench.errors import UserError
from vlpbench.files import digest_file, readable, write_json, write_text
from vlpbench.records.digested import digested, is_as_written
from vlpbench.records.hashes import hash_of
from vlpbench.records.predictions import read_predictions, write_predictions

__all__ = ["CURVE", "PACKED", "SCHEMA", "CellFolder", "State", "cell_folders"]

SCHEMA = 1
"""Version of the layout; written into every record."""

STATUS_SCHEMA = 2
"""Version of `status.json`: the first had no digest of itself."""

State = Literal["pending", "done", "failed", "timeout", "damaged"]
"""What a record can be; "damaged" is found, never written."""

_RUN_FACTS = ("timing.json", "environment.json", "status.json", "log.txt")

CURVE, PACKED = "curve.jsonl", "curve.jsonl.xz"
"""The curve, and the same bytes packed; a record has one of them."""

_ALWAYS = frozenset({"settings.json", "scores.json"})
"""Files without which nothing is done, as without a curve."""


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
        """What was recorded; "damaged" where a file is missing or not as it was written, or the status is none."""
        if not (self.path / "status.json").exists():
            return "pending"
        status = self.status()
        state: State = status.get("state", "damaged")
        if state != "done":
            return state
        files = status["files"]
        named = files.keys() >= _ALWAYS and not files.keys().isdisjoint((CURVE, PACKED))
        whole = named and all(hash_of(self.path / name) == was for name, was in files.items())
        return "done" if whole else "damaged"

    def status(self) -> dict[str, Any]:
        """What `status.json` says; empty where there is none that can be read and is as it was written."""
        try:
            found = json.loads((self.path / "status.json").read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError):
            return {}
        return found if isinstance(found, dict) and _makes_sense(found) else {}

    def tries(self) -> int:
        """How often the cell was begun and failed, or ran out of time, since it was last done or forgotten."""
        return int(self.status().get("tries", 0))

    def forget(self) -> None:
        """Have it run again: the record is pending; its log and what else lies there stay until it begins."""
        (self.path / "status.json").unlink(missing_ok=True)

    def read(self, name: str) -> Any:
        """One JSON file of the record; a UserError names it where it cannot be read."""
        return self._parsed(name, json.loads)

    def facts(self, name: str) -> dict[str, Any]:
        """ "timing" or "environment": what differs from run to run; empty where it is missing or not as written."""
        try:
            found = json.loads((self.path / f"{name}.json").read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError):
            return {}
        if not isinstance(found, dict) or ("digest" in found and not is_as_written(found)):
            return {}
        return {key: value for key, value in found.items() if key != "digest"}

    def curve(self) -> list[dict[str, Any]]:
        """The rows of `curve.jsonl`, packed or not: stage, step, lr and figures."""
        name = next((one for one in (CURVE, PACKED) if (self.path / one).is_file()), "")
        if not name:
            return []
        return self._parsed(name, lambda text: [json.loads(line) for line in text.splitlines()])  # type: ignore[no-any-return]

    @property
    def is_compact(self) -> bool:
        """Whether this is the small copy of a record, without predictions."""
        return "compact" in self.status()

    @property
    def examples_folder(self) -> Path:
        """Where scores of single examples are: among the predictions, or what a compact record has in their place."""
        return self.path / ("examples" if self.is_compact else "predictions")

    def examples(self, task: str) -> Path:
        """The parquet file with the scores of a task's examples."""
        return self.examples_folder / f"{readable(task)}.parquet"

    def predictions(self, task: str) -> list[dict[str, Any]]:
        """Every prediction of a task; UserError where they cannot be read, or the record is a compact one."""
        self.refuse_compact("predictions")
        return read_predictions(self.path / "predictions" / f"{readable(task)}.parquet")

    def refuse_compact(self, lacking: str) -> None:
        """UserError where this is a compact record, which keeps no predictions and no models."""
        if self.is_compact:
            raise UserError(f"this is a compact record: it keeps scores of single examples, and no {lacking}",
                            str(self.path), "name the results folder that it was copied from, or run the cell anew")

    def _parsed(self, name: str, parse: Callable[[str], Any]) -> Any:
        path = self.path / name
        try:
            content = path.read_bytes()
            return parse((lzma.decompress(content) if name == PACKED else content).decode("utf-8"))
        except (OSError, ValueError, lzma.LZMAError) as error:
            raise UserError(
                f"cannot read a record: {error}", str(path), "delete the cell's folder and run the grid again"
            ) from error

    def begin(self, settings: Mapping[str, Any]) -> None:
        """Forget an earlier record and what a killed process left half written; say what is about to be run.

        How often it has failed so far is kept. The caller holds the cell's claim.
        """
        if tries := self.tries():
            self._say("pending", {}, {"tries": tries})
        else:
            self.forget()  # the first: without it the rest is nothing
        kept = {self.path / "log.txt", self.path / "status.json"}  # the log is being written
        for path in sorted(self.path.rglob("*")):
            if path.is_file() and path not in kept:
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

    def fail(
        self,
        cause: str,
        details: Mapping[str, Any],
        facts: Mapping[str, Mapping[str, Any]],
        state: Literal["failed", "timeout"] = "failed",
    ) -> None:
        """Write the record of a cell that could not be finished: a sentence, and what is known beside it.

        A disk that is full is an OSError, and leaves the cell pending.
        """
        again = self.state() in ("failed", "timeout")  # told of twice, it has failed once
        self._close(state, facts, {**details, "cause": cause, "tries": self.tries() + (not again)})

    def _write_curve(self, curve: Sequence[Mapping[str, Any]]) -> None:
        lines = "".join(json.dumps(row, allow_nan=False, sort_keys=True) + "\n" for row in curve)
        write_text(self.path / CURVE, lines)

    def _close(self, state: State, facts: Mapping[str, Mapping[str, Any]], said: Mapping[str, Any]) -> None:
        for name, content in facts.items():
            write_json(self.path / f"{name}.json", digested(content))
        files = {
            str(path.relative_to(self.path).as_posix()): digest_file(path)
            for path in sorted(self.path.rglob("*"))
            if path.is_file() and not path.name.startswith(".") and path.name not in _RUN_FACTS
        }
        self._say(state, files, said)

    def _say(self, state: State, files: Mapping[str, str], said: Mapping[str, Any]) -> None:
        known = {"schema": STATUS_SCHEMA, "state": state, "files": dict(files)}
        write_json(self.path / "status.json", digested({**said, **known}))


def _makes_sense(status: Mapping[str, Any]) -> bool:
    """Whether a status is as it was written, of a state that can be written; one of schema 1 has no digest."""
    as_written = is_as_written(status) if "digest" in status else status.get("schema") == 1
    known = status.get("state") in get_args(State) and status["state"] != "damaged"
    return as_written and known and isinstance(status.get("files"), dict)


def cell_folders(results: Path) -> Iterator[CellFolder]:
    """The folders of all cells of a grid's results that hold settings, by name."""
    cells = results / "cells"
    for path in sorted(cells.iterdir()) if cells.is_dir() else ():
        if (path / "settings.json").is_file():
            yield CellFolder(path)
