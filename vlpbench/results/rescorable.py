"""Notes on scores that `vlpbench run score` measures again: those that are missing, and those of older metrics."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from vlpbench.metrics import VERSION
from vlpbench.results.listed import listed

__all__ = ["Scored", "missing_notes", "version_notes"]

Scored = tuple[str, Path | None, Mapping[str, Any]]
"""Of one finished cell: its row, its grid's folder as the user named it (None: its record is a compact copy, which
keeps no predictions), its scores."""

_PROGRAMS = ("METEOR", "SPICE")
"""Metrics that other programs measure: what is missing can be brought later."""

_JARS = (
    "put the jars of stanford-corenlp-full-2015-12-09 into lib/ of a copy of pycocoevalcap's spice folder, and name "
    "that copy in VLPBENCH_SPICE"
)
"""Said in place of SPICE's own remedy, which fills a paragraph; the record keeps the whole of it."""


def missing_notes(told: Iterable[Scored]) -> list[str]:
    """One line for each metric without a value and each reason, with the rows where it is not all of them."""
    found: dict[tuple[str, str, Path | None], dict[str, dict[str, None]]] = {}
    everyone: dict[str, dict[str, None]] = {}
    for row, folder, scores in told:
        for task, one in scores["tasks"].items():
            if "values" not in one:
                continue
            everyone.setdefault(task, {})[row] = None
            for metric, reason in one["reasons"].items():
                found.setdefault((metric, reason, folder), {}).setdefault(task, {})[row] = None
    lines = []
    for (metric, reason, folder), tasks in found.items():
        places: dict[str, list[str]] = {}
        for task, rows in tasks.items():
            in_rows = "" if rows.keys() == everyone[task].keys() else f" in rows {listed(rows)}"
            places.setdefault(in_rows, []).append(task)
        lines += [_missing(", ".join(of), in_rows, metric, reason, folder) for in_rows, of in places.items()]
    return lines


def _missing(tasks: str, in_rows: str, metric: str, reason: str, folder: Path | None) -> str:
    """What is missing, where, why, and how to get it."""
    if metric == "SPICE" and "VLPBENCH_SPICE" in reason:
        reason = f"{reason.partition(': ')[0]}: {_JARS}"
    said = f"{tasks} {metric}: none{in_rows} ({reason})"
    if metric not in _PROGRAMS:
        return said
    return f"{said}; then {_command(folder)} measures it from the stored predictions"


def version_notes(told: Sequence[Scored]) -> list[str]:
    """A line where cells of one table were scored by different versions of the metric set."""
    versions: dict[int, dict[str, None]] = {}
    folders: dict[Path | None, None] = {}
    for row, folder, scores in told:
        version = int(scores.get("metrics", 1))
        versions.setdefault(version, {})[row] = None
        if version != VERSION:
            folders[folder] = None
    others = _extra_versions(told)
    if len(versions) < 2:
        return others
    commands = " and ".join(map(_command, folders))
    said = f"scores of different versions of the metric set stand in this table ({_which(versions)})"
    return [f"{said}: {commands} measures them again by version {VERSION}, from the stored predictions", *others]


def _extra_versions(told: Iterable[Scored]) -> list[str]:
    """The same for each metric of a plugin."""
    found: dict[str, dict[int, dict[str, None]]] = {}
    folders: dict[str, dict[Path | None, None]] = {}
    for row, folder, scores in told:
        for one in scores["tasks"].values():
            for metric, said in one.get("extras", {}).items():
                found.setdefault(metric, {}).setdefault(said["version"], {})[row] = None
                folders.setdefault(metric, {})[folder] = None
    return [
        f"{metric} was measured by different versions of its plugin ({_which(versions)}): "
        f"{' and '.join(map(_command, folders[metric]))} measures it again by the one that is installed"
        for metric, versions in found.items() if len(versions) > 1
    ]


def _which(versions: Mapping[int, Iterable[str]]) -> str:
    return "; ".join(f"version {version}: {listed(rows)}" for version, rows in sorted(versions.items()))


_ELSEWHERE = "`vlpbench run score` in the results folder that these compact records were copied from"


def _command(folder: Path | None) -> str:
    """What to type."""
    if folder is None:
        return _ELSEWHERE
    return f"`vlpbench run score {shlex.quote(str(folder))}`"
