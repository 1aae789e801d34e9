"""A folder of made files appears whole or not at all, and says in a manifest what it holds."""

from __future__ import annotations

import contextlib
import json
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from vlpbench.errors import UserError
from vlpbench.files import digest_file

__all__ = ["MANIFEST", "complete", "dump", "manifest_of", "write_folder"]

MANIFEST = "manifest.json"
"""The file that says what the folder holds; the last to be written."""

_ABANDONED = 86_400.0
"""Seconds after which a half-written folder is taken for one whose writer died."""


def complete(folder: Path, fingerprint: str) -> bool:
    """Whether `folder` holds all of this fingerprint: every file it names, in its size."""
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        files = {name: known["bytes"] for name, known in manifest["files"].items()}
        images = manifest.get("images", {"count": 0, "bytes": 0})  # texts alone have none
        pictures = [entry.stat().st_size for entry in (folder / "images").iterdir()] if images["count"] else []
        return (
            manifest["fingerprint"] == fingerprint
            and all((folder / name).stat().st_size == size for name, size in files.items())
            and (len(pictures), sum(pictures)) == (images["count"], images["bytes"])
        )
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return False  # no manifest, or one that was not written here


def write_folder(folder: Path, fingerprint: str, fill: Callable[[Path], None], what: str) -> None:
    """Let `fill` write a temporary folder, its manifest last, and give it its name, unless it is there already.

    Of two processes that write at once the first to finish wins, the other takes what it finds. A damaged folder is
    replaced. Raises UserError, naming `what`, where the disk refuses.
    """
    if complete(folder, fingerprint):
        return
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        _sweep(folder)
        with _beside(folder) as temporary:
            fill(temporary)
            _install(temporary, folder, fingerprint)
    except OSError as error:
        raise UserError(
            f"{what} cannot be written: {error.strerror or error}",
            str(error.filename or folder),
            "free some space, or name another cache folder",
        ) from error


def manifest_of(folder: Path, pattern: str) -> dict[str, dict[str, Any]]:
    """Bytes and SHA-256 of the files that fit the pattern, by name."""
    return {
        path.name: {"bytes": path.stat().st_size, "sha256": digest_file(path)} for path in sorted(folder.glob(pattern))
    }


def dump(path: Path, document: Mapping[str, Any]) -> None:
    """Compact JSON with sorted keys. The whole folder takes its name at once, so the file need not."""
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    path.write_text(text + "\n", encoding="utf-8")


def _install(temporary: Path, folder: Path, fingerprint: str) -> None:
    """Give the written folder its name, unless another process was first; a damaged folder makes room."""
    if folder.exists() and not complete(folder, fingerprint):
        with _beside(folder) as aside:
            folder.rename(aside / "damaged")
    try:
        temporary.rename(folder)
    except OSError:
        if not complete(folder, fingerprint):
            raise


@contextlib.contextmanager
def _beside(folder: Path) -> Iterator[Path]:
    """A temporary folder beside `folder`, removed at the end unless it was given another name."""
    temporary = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    temporary.chmod(0o755)
    try:
        yield temporary
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _sweep(folder: Path) -> None:
    """Remove what a killed writer left behind."""
    for left in folder.parent.glob(f".{folder.name}.*"):
        if time.time() - left.stat().st_mtime > _ABANDONED:
            shutil.rmtree(left, ignore_errors=True)
