"""Pictures that lie in a device's memory: copied up once, picked there by number, shared by all that read the same.

Axes: N pictures of an array, B samples of a batch, S pixels a side as stored.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from mmap import mmap
from threading import Lock
from typing import Any, Literal
from weakref import WeakValueDictionary

import numpy as np
import torch

from vlpbench.data.examples import Examples
from vlpbench.data.mixture import Mixture
from vlpbench.device import Device

__all__ = ["Resident", "Shown", "Wish", "resident"]

Wish = Literal["auto", "always", "never"]
"""Whether pictures are to lie in the device's memory."""

_CHUNK = 64 << 20
"""Bytes that are copied up at once."""


class _Held:
    """One array's pictures on a device; gone with the last one who reads them."""

    def __init__(self, source: np.ndarray, pixels: torch.Tensor) -> None:
        self.source, self.pixels = source, pixels  # the source too: while it lives, no other array has its address


_HELD: WeakValueDictionary[tuple[Any, ...], _Held] = WeakValueDictionary()
_TURN = Lock()


@dataclass(frozen=True)
class Shown:
    """The pictures of one batch: which rows of what is resident, and where in the batch each part's are."""

    held: Sequence[torch.Tensor]
    """N, S, S, 3: uint8, of each part."""
    rows: Sequence[np.ndarray]
    """Which of its pictures each part gives."""
    places: Sequence[np.ndarray]
    """Where they stand in the batch; the places of all parts are 0 to B - 1."""

    @property
    def arrays(self) -> Mapping[tuple[str, int], np.ndarray]:
        """What must cross to the device: numbers alone."""
        places = self.places if len(self.held) > 1 else ()
        named = {"rows": self.rows, "places": places}
        return {(name, part): array for name, given in named.items() for part, array in enumerate(given)}

    def pixels(self, there: Mapping[Any, torch.Tensor], device: torch.device) -> torch.Tensor:
        """B, S, S, 3: uint8 on the device; `there` has `arrays` as tensors."""
        picked = [one.index_select(0, there["rows", part].to(one.device)) for part, one in enumerate(self.held)]
        if len(picked) == 1:
            return picked[0].to(device)
        whole = picked[0].new_empty(sum(map(len, picked)), *picked[0].shape[1:])
        for part, some in enumerate(picked):
            whole.index_copy_(0, there["places", part].to(whole.device), some)
        return whole.to(device)


class Resident:
    """All pictures of what a loader draws from, on a device."""

    def __init__(self, given: Examples | Mixture, held: Sequence[_Held]) -> None:
        self._parts, self._starts = _parts(given)
        self._held = tuple(held)

    def shown(self, chosen: np.ndarray) -> Shown:
        """What these examples (B) show."""
        source = np.searchsorted(self._starts, chosen, side="right") - 1
        places = [np.flatnonzero(source == number) for number in range(len(self._parts))]
        rows = [
            part.image_rows[chosen[here] - start]
            for part, start, here in zip(self._parts, self._starts, places, strict=True)
        ]
        return Shown([one.pixels for one in self._held], rows, places)


def resident(given: Examples | Mixture, wish: Wish, device: Device) -> Resident | None:
    """The pictures on the device, as far as they are not there yet copied up now; None where they stay on the host.

    "auto" takes at most half of a GPU's free memory and leaves a CPU to its memory map; "always" takes what there is.
    """
    if not given.has_image or wish == "never" or (wish == "auto" and device.room() is None):
        return None
    parts = _parts(given)[0]
    arrays = [part.pixels for part in parts if isinstance(part.pixels, np.ndarray)]
    if len(arrays) < len(parts):  # what is decoded when it is seen is too large to be kept
        return None
    with _TURN:
        there = {_key(array, device): _HELD.get(_key(array, device)) for array in arrays}
        missing = {_key(array, device): array for array in arrays if there[_key(array, device)] is None}
        if not _fit(sum(_distinct(array).nbytes for array in missing.values()), wish, device):
            return None
        try:
            made = {key: _Held(array, _copied(array, device)) for key, array in missing.items()}
        except torch.OutOfMemoryError:  # somebody else was faster: batches cross one by one, which is as right
            return None
        _HELD.update(made)
    found = {key: one for key, one in there.items() if one is not None} | made
    return Resident(given, [found[_key(array, device)] for array in arrays])


def _parts(given: Examples | Mixture) -> tuple[tuple[Examples, ...], tuple[int, ...]]:
    """The sources, and the number of the first example of each."""
    return ((given,), (0,)) if isinstance(given, Examples) else (given.parts, given.starts)


def _fit(size: int, wish: Wish, device: Device) -> bool:
    if not size:
        return True
    device.release()  # what torch keeps for later is free, too
    room = device.room()
    return room is None or size <= (room[0] // 2 if wish == "auto" else room[0])


def _key(array: np.ndarray, device: Device) -> tuple[Any, ...]:
    """Equal for equal pictures: one file however often it is opened, else one array."""
    base: Any = array.base
    if isinstance(array, np.memmap) and isinstance(base, mmap):  # the whole file, no part of it
        return device, str(array.filename), array.offset, array.shape
    return device, array.__array_interface__["data"][0], array.shape, array.strides


def _distinct(array: np.ndarray) -> np.ndarray:
    """The array without repeats: pictures that are blanked are one number, shown everywhere."""
    return array[tuple(slice(0, 1) if step == 0 else slice(None) for step in array.strides)]


def _copied(array: np.ndarray, device: Device) -> torch.Tensor:
    """The array on the device, piece by piece, so that the host never holds more than a piece."""
    small = _distinct(array)
    there = torch.empty(small.shape, dtype=torch.uint8, device=device.torch)
    many = max(1, min(len(small), _CHUNK // max(1, prod(small.shape[1:]))))
    piece = torch.empty((many, *small.shape[1:]), dtype=torch.uint8, pin_memory=device.kind != "cpu")
    for start in range(0, len(small), many):
        some = piece[: len(small) - start]
        some.numpy()[...] = small[start : start + many]
        there[start : start + many].copy_(some)  # and wait: the piece is filled anew
    return there.expand(array.shape)
