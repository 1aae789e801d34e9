"""The image store: all pictures of a split decoded once into one memory map, filed under a hash of their contents.

A store is two files, `KEY.npy` (N, S, S, 3 uint8, the readable pictures in their order) and `KEY.json` (what belongs to
it), the second written last: where it stands, the first is whole. Each is written whole or not at all.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import PIL
from numpy.typing import NDArray

from vlpbench.data.cached import checksum, turn
from vlpbench.data.decoding import BadImage, decode, quiet
from vlpbench.data.errors import DataError
from vlpbench.data.picture_files import Held, picture_digests, picture_file
from vlpbench.data.undecoded import cores
from vlpbench.files import digest, write_json, written_whole

__all__ = ["Heard", "NoRoom", "Store", "broken_pictures", "known_broken", "open_store"]

VERSION = 1
"""Raised when decoding or resizing gives other pixels."""

Heard = Callable[[int, int], None]
"""Told of progress: done, of."""

_CHUNK = 32
"""Pictures of one task."""


@dataclass(frozen=True)
class Store:
    """The readable pictures of a list of names, and why the others are not."""

    pixels: NDArray[np.uint8]
    """M, S, S, 3: read-only memory map; the readable pictures in the order of their names."""
    broken: Mapping[int, str]
    """Place in the list of names -> what is wrong with that picture."""


class NoRoom(DataError):
    """The disk is too full for an image store."""


def open_store(held: Held, names: Sequence[str], size: int, cache: Path, heard: Heard | None = None) -> Store:
    """The store of these pictures at `size` pixels a side, built if it does not exist or is damaged.

    `heard(done, of)` is told of pictures decoded. Two processes may call this at once: one builds, the other waits.
    Raises DataError if a file cannot be read at all, and NoRoom if the disk is too full.
    """
    path = cache / "images" / f"{_key(held, names, cache, {'size': size})}.npy"
    store = _opened(path, size)
    if store is None:
        with turn(path):
            store = _opened(path, size)
            if store is None:
                _build(path, held, names, size, heard)
                store = _opened(path, size)
    if store is None:
        raise DataError("the image store was damaged right after it was written", str(path), "check the disk")
    return store


def broken_pictures(held: Held, names: Sequence[str], heard: Heard | None = None) -> dict[int, str]:
    """What is wrong with each picture that cannot be decoded, by its place in `names`; nothing is written."""
    return _in_parallel(held, names, 8, None, heard)


def known_broken(held: Held, names: Sequence[str], cache: Path, heard: Heard | None = None) -> dict[int, str]:
    """The same, looked for once and remembered in the cache under a hash of the pictures' contents."""
    path = cache / "images" / f"{_key(held, names, cache, {'what': 'broken'})}.broken.json"
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return {int(place): str(what) for place, what in found["broken"].items() if 0 <= int(place) < len(names)}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):  # not there, or damaged: looked for again
        broken = broken_pictures(held, names, heard)
    write_json(path, {"broken": {str(place): what for place, what in sorted(broken.items())}})
    return broken


def _key(held: Held, names: Sequence[str], cache: Path, how: Mapping[str, Any]) -> str:
    contents = picture_digests(held, names, cache)
    decoder = {"version": VERSION, "pillow": PIL.__version__}
    return digest({**decoder, **how, "pictures": [contents[name] for name in names]})[:32]


def _opened(path: Path, size: int) -> Store | None:
    """The store at `path` if it is there, of the right shape and undamaged as far as a quick look can tell."""
    try:
        index = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
        shape = (int(index["pictures"]), size, size, 3)
        if index["checksum"] != checksum(path):
            return None
        pixels = np.load(path, mmap_mode="r" if shape[0] else None, allow_pickle=False)
        if pixels.shape != shape or pixels.dtype != np.uint8:
            return None
        broken = {int(place): str(what) for place, what in index["broken"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return Store(pixels, broken)


def _build(path: Path, held: Held, names: Sequence[str], size: int, heard: Heard | None) -> None:
    """Decode all pictures and write the store."""
    needed, free = len(names) * size * size * 3, shutil.disk_usage(path.parent).free
    if needed > free:
        raise NoRoom(
            f"the image store needs {needed / 2**30:.1f} GiB and the disk has {free / 2**30:.1f} GiB free",
            str(path.parent), "free some space, set VLPBENCH_CACHE to a folder on a larger disk, or "
            "VLPBENCH_STORE=never to decode pictures whenever they are seen",
        )
    with written_whole(path) as temporary:
        rows = _array(temporary, len(names), size)
        broken = _in_parallel(held, names, size, rows, heard)
        if broken:
            kept = [row for row in range(len(names)) if row not in broken]
            for new, old in enumerate(kept):  # old >= new, so no row is overwritten before it has moved
                rows[new] = rows[old]
            _shortened(temporary, rows, len(kept))
        elif isinstance(rows, np.memmap):
            rows.flush()
        crc = checksum(temporary)
    index: dict[str, Any] = {
        "version": VERSION, "pictures": len(names) - len(broken), "size": size, "checksum": crc,
        "broken": {str(place): what for place, what in sorted(broken.items())},
    }
    write_json(path.with_suffix(".json"), index)


def _array(path: Path, number: int, size: int) -> NDArray[np.uint8]:
    """A file of `number` pictures open for writing; no file can be mapped that holds none."""
    shape = (number, size, size, 3)
    if number:
        return np.lib.format.open_memmap(path, mode="w+", dtype=np.uint8, shape=shape)
    np.save(path, np.zeros(shape, np.uint8))
    return np.zeros(shape, np.uint8)


def _shortened(path: Path, rows: NDArray[np.uint8], number: int) -> None:
    """Write the first `number` rows again as a file of their own, in place of the longer one."""
    second = path.with_name(path.name + ".npy")
    try:
        shorter = _array(second, number, rows.shape[1])
        for start in range(0, number, _CHUNK):
            shorter[start : start + _CHUNK] = rows[start : min(start + _CHUNK, number)]
        if isinstance(shorter, np.memmap):
            shorter.flush()
        second.replace(path)
    finally:
        second.unlink(missing_ok=True)


def _in_parallel(
    held: Held, names: Sequence[str], size: int, rows: NDArray[np.uint8] | None, heard: Heard | None
) -> dict[int, str]:
    """Decode pictures in threads (Pillow leaves the interpreter's lock) into `rows`; what is broken, by place."""
    def some(start: int) -> dict[int, str]:
        broken = {}
        for place in range(start, min(start + _CHUNK, len(names))):
            try:
                picture = decode(picture_file(held, names[place]), size)
            except BadImage as error:
                broken[place] = str(error)
                continue
            if rows is not None:
                rows[place] = picture
        return broken

    broken: dict[int, str] = {}
    done = 0
    with quiet(), ThreadPoolExecutor(cores()) as pool:
        tasks = [pool.submit(some, start) for start in range(0, len(names), _CHUNK)]
        try:
            for task in as_completed(tasks):
                broken |= task.result()
                done += 1
                if heard is not None:
                    heard(min(done * _CHUNK, len(names)), len(names))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return broken
