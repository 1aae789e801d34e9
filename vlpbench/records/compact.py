"""A finished cell's record without what is large: scores of single examples in place of predictions, a packed curve.

All other files stay byte for byte. `status.json` keeps under "compact" the hashes of the whole record, so that it is
known of what this is a copy.
"""

from __future__ import annotations

import lzma
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from vlpbench.files import digest_file, forget_halves, readable, write_json, written_whole
from vlpbench.records.cell_folder import CURVE, PACKED, CellFolder
from vlpbench.records.columns import copy_columns
from vlpbench.records.digested import digested

__all__ = ["is_copied", "write_compact"]

_KEPT = ("settings.json", "scores.json", "pretraining.json", "fine_tunes.json", "timing.json", "environment.json")
"""What is kept as it is, where it is there: small."""

_RUN_FACTS = ("timing.json", "environment.json")
"""Those of them that no hash guards from outside."""


def is_copied(cell: CellFolder, folder: Path) -> bool:
    """Whether a compact record of this finished cell is in `folder`, whole and with nothing beside it."""
    copy = CellFolder(folder)
    of = cell.status().get("compact", {}).get("files") or cell.status().get("files")
    if copy.state() != "done" or copy.status().get("compact", {}).get("files") != of:
        return False
    alike = all(_content(cell.path / name) == _content(folder / name) for name in _RUN_FACTS)
    return alike and not any(path.exists() for path in _large(folder, of))


def write_compact(cell: CellFolder, folder: Path, columns: Mapping[str, Sequence[str]]) -> None:
    """Write a finished cell's compact record into `folder`, which may be the cell's own; `columns`: task -> names.

    The status is written last, and in the cell's own folder before anything is removed: whenever this is cut off, there
    is a whole record, or one that is pending beside the one that it was copied from. Who calls holds the claim.
    """
    status, here = cell.status(), cell.path.resolve() == folder.resolve()
    if not here:
        (folder / "status.json").unlink(missing_ok=True)  # the first: without it the rest is nothing
    if folder.is_dir():
        forget_halves(folder)
    if "compact" in status:
        names = [*status["files"], *_RUN_FACTS]
        said = status
    else:
        names = [name for name in _KEPT if (cell.path / name).is_file()]
        _pack(cell.path / CURVE, folder / PACKED)
        examples = {f"examples/{readable(task)}.parquet": list(wanted) for task, wanted in columns.items()}
        for name, wanted in examples.items():
            copy_columns(cell.path / "predictions" / Path(name).name, wanted, folder / name)
        guarded = [name for name in names if name not in _RUN_FACTS]
        found = {name: digest_file(cell.path / name) for name in guarded}
        found |= {name: digest_file(folder / name) for name in (PACKED, *examples)}
        said = {**status, "files": dict(sorted(found.items())), "compact": {"files": status["files"]}}
    if not here:
        for name in names:
            _copy(cell.path / name, folder / name)
    write_json(folder / "status.json", digested(said))
    for path in _large(folder, said["compact"]["files"]):
        path.unlink(missing_ok=True)
    _drop_empty(folder / "predictions")


def _pack(curve: Path, packed: Path) -> None:
    with written_whole(packed) as temporary:
        temporary.write_bytes(lzma.compress(curve.read_bytes(), preset=9 | lzma.PRESET_EXTREME))


def _copy(path: Path, target: Path) -> None:
    """The same bytes under another name, whole or not at all; nothing where there is no such file."""
    content = _content(path)
    if content is not None and content != _content(target):
        with written_whole(target) as temporary:
            temporary.write_bytes(content)


def _content(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None


def _large(folder: Path, files: Mapping[str, Any]) -> list[Path]:
    """What a record has and its compact copy has not; a file that no record lists is the user's own."""
    gone = [name for name in files if name == CURVE or name.startswith("predictions/")]
    return [path for name in (*gone, "log.txt") if (path := folder / name).exists()]


def _drop_empty(folder: Path) -> None:
    if folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()
