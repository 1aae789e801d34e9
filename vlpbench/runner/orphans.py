"""What lies in a grid's results and is of no use to it any more: found, measured, and removed only when asked.

Only what vlpbench itself writes is ever named: a folder whose name or content is not ours, a link, or anything reached
through one, is left alone. What a living claim holds is no orphan.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import re
import shutil
import stat
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from vlpbench.records import Claims
from vlpbench.runner.earlier import id_of
from vlpbench.runner.wanted import Wanted

__all__ = ["KINDS", "Kind", "Orphan", "orphans", "remove"]

Kind = Literal["record", "stage", "checkpoint", "claim", "temporary"]

KINDS: dict[Kind, str] = {
    "record": "records of cells that the grid no longer has",
    "stage": "stages that no cell of the grid refers to",
    "checkpoint": "checkpoints of stages that have been run",
    "claim": "claims of runners that are dead",
    "temporary": "files left half written",
}
"""Each with what it is, in the order in which they are told."""

_STAGE = re.compile(r"(?:tune|pretrain|fine-tune|predict)-[0-9a-f]{16}")
_TEMPORARY = re.compile(r"\.[^/]+\.[a-z0-9_]{8}(?:\.[A-Za-z0-9]+)?")
_GONE = ".deleted"

_OURS: dict[str, re.Pattern[str]] = {
    "record": re.compile(
        r"(?:settings|scores|timing|environment|status|pretraining|fine_tunes|stages)\.json|curve\.jsonl(?:\.xz)?|log\.txt"
        r"|(?:predictions|examples)(?:/[A-Za-z0-9.-]+\.parquet)?"
    ),
    "stage": re.compile(
        r"(?:stage|run|tokenizer)\.json|weights\.safetensors|predictions\.parquet|rows\.parquet"
        r"|checkpoint(?:/[A-Za-z0-9_.-]+\.(?:json|safetensors))?"
    ),
}
"""The files that vlpbench writes into a folder; one of another name is the user's own, and the folder stays."""

_YOUNG = 60.0
"""Seconds in which a temporary file may still be somebody's who has no claim."""


@dataclass(frozen=True)
class Orphan:
    """One thing that the grid has no use for."""

    kind: Kind
    """What it is."""
    path: Path
    """Its folder or file."""
    bytes: int
    """What it takes."""
    kept: str = ""
    """Why it stays even when its removal is asked for, as a clause; empty where it may go."""


def orphans(results: Path, wanted: Wanted) -> list[Orphan]:
    """All orphans by kind and name."""
    found = [_orphan(kind, path, _kept(path, wanted)) for kind, path in _folders(results, wanted)]
    there = {one.path for one in found}
    found += [_orphan("checkpoint", path) for path in _checkpoints(results, wanted) if path.parent not in there]
    found += [_orphan("claim", path) for path in wanted.dead if _is_file(path) and _is_straight(results, path)]
    found += [_orphan("temporary", path) for path in _temporaries(results, wanted) if there.isdisjoint(path.parents)]
    return sorted(found, key=lambda one: (list(KINDS).index(one.kind), one.path))


def _kept(path: Path, wanted: Wanted) -> str:
    """Why a record or stage stays."""
    last = "the last run asked for it: run the grid as it is now first" if path.name in wanted.last else ""
    return _not_ours(path) or last


def remove(orphan: Orphan, results: Path, claims: Claims) -> str:
    """Take an orphan away, claimed meanwhile so that no runner begins with it; why it was left alone, or nothing.

    A record or stage gets a hidden name first, so that half of one is never taken for a whole.
    """
    if orphan.kind == "claim":
        claims.sweep()
        return ""
    owner = _owner(orphan.path, results)
    claim = claims.take(owner) if owner else contextlib.nullcontext()
    if claim is None:
        return "somebody uses it now"
    with claim:
        path = orphan.path
        if not _is_straight(results, path) or path.is_symlink() or (path.is_dir() and _not_ours(path)):
            return "it is no longer what was listed"
        if orphan.kind in _OURS:
            path = path.rename(_hidden(path))
            (path / "settings.json").unlink(missing_ok=True)  # what looks for records looks for these
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    return ""


def _hidden(path: Path) -> Path:
    """A name that says that a folder is being removed, of which there is none yet."""
    names = (f".{path.name}{f'.{number}' if number else ''}{_GONE}" for number in itertools.count())
    return next(path.with_name(name) for name in names if not os.path.lexists(path.with_name(name)))


def _owner(path: Path, results: Path) -> str:
    """The name under which the record or stage is claimed that a path belongs to; empty where it belongs to none."""
    parts = path.relative_to(results).parts
    return _claimed(Path(parts[1])) if len(parts) > 1 and parts[0] in ("cells", "stages") else ""


def _orphan(kind: Kind, path: Path, kept: str = "") -> Orphan:
    return Orphan(kind, path, _size(path), kept)


def _claimed(path: Path) -> str:
    """The name under which a folder of the results is claimed, also one that is half removed."""
    name = _bare(path.name)
    return f"cell-{id_of(name)}" if id_of(name) else name


def _folders(results: Path, wanted: Wanted) -> Iterator[tuple[Kind, Path]]:
    """The records and stages that are of no use."""
    for path in _inside(results / "cells", results):
        if id_of(path.name) and path.name not in wanted.records and _claimed(path) not in wanted.held:
            yield "record", path
    if wanted.stages is None:
        return
    for path in _inside(results / "stages", results):
        if _STAGE.fullmatch(path.name) and path.name not in wanted.stages and path.name not in wanted.held:
            yield "stage", path


def _checkpoints(results: Path, wanted: Wanted) -> Iterator[Path]:
    """Those of stages that say that they have been run."""
    for stage in _inside(results / "stages", results):
        path = stage / "checkpoint"
        is_closed = _STAGE.fullmatch(stage.name) and stage.name not in wanted.held and _is_file(stage / "stage.json")
        if is_closed and _is_folder(path) and not _not_ours(stage):
            yield path


def _temporaries(results: Path, wanted: Wanted) -> Iterator[Path]:
    """What nobody finishes any more: hidden files as whole-or-nothing writing names them, half removed folders."""
    homes = [results, results / "claims"]
    for path in (*_inside(results / "cells", results), *_inside(results / "stages", results)):
        if path.name.endswith(_GONE) and _is_folder(path) and not _not_ours(path):
            yield path
        elif _kind_of(path) and _is_folder(path) and _claimed(path) not in wanted.held:
            homes += [path, path / "predictions", path / "examples", path / "checkpoint"]
    oldest = time.time() - _YOUNG
    for home in homes:
        for path in _inside(home, results):
            if _TEMPORARY.fullmatch(path.name) and _is_file(path) and path.lstat().st_mtime < oldest:
                yield path


def _inside(folder: Path, results: Path) -> list[Path]:
    """What lies in a folder, by name; nothing where the folder is a link, or reached through one."""
    return sorted(folder.iterdir()) if _is_folder(folder) and _is_straight(results, folder) else []


def _is_straight(results: Path, path: Path) -> bool:
    """Whether a path is in the results, and no link stands on the way from there to it."""
    if path == results:
        return True
    return results in path.parents and path.parent.resolve() == results.resolve() / path.parent.relative_to(results)


def _is_folder(path: Path) -> bool:
    """Whether this is a folder itself, no link to one."""
    return path.is_dir() and not path.is_symlink()


def _is_file(path: Path) -> bool:
    return path.is_file() and not path.is_symlink()


def _bare(name: str) -> str:
    """The name of a folder before it was being removed."""
    gone = re.fullmatch(rf"\.(.+?)(?:\.[0-9]+)?{re.escape(_GONE)}", name)
    return gone[1] if gone else name


def _kind_of(path: Path) -> Literal["record", "stage", ""]:
    """What the name of a folder says that it is, also of one that is half removed."""
    name = _bare(path.name)
    return "record" if id_of(name) else "stage" if _STAGE.fullmatch(name) else ""


def _not_ours(path: Path) -> str:
    """Why a folder is not what vlpbench writes, or holds more than that, as a clause; empty where it is."""
    if not _is_folder(path):
        return "it is a link" if path.is_symlink() else "it is no folder"
    if path.name == "checkpoint":
        return _not_ours(path.parent)
    kind = _kind_of(path)
    if not kind:
        return "it has a name that vlpbench does not give"
    for one in sorted(path.rglob("*")):
        name = one.relative_to(path).as_posix()
        if one.is_symlink():
            return f"it holds the link {name}"
        if not (_OURS[kind].fullmatch(name) or _TEMPORARY.fullmatch(one.name)):
            return f"it holds {name}, which vlpbench does not write"
    return ""


def _size(path: Path) -> int:
    """Bytes of a file, or of all files in a folder."""
    files = [path, *path.rglob("*")] if _is_folder(path) else [path]
    return sum(one.lstat().st_size for one in files if stat.S_ISREG(one.lstat().st_mode))
