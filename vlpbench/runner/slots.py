"""Which slot is next: that of the device with most to spare, where what is to start still fits."""

from __future__ import annotations

from collections.abc import Mapping

from vlpbench.contract.launcher import Place

__all__ = ["free_slot"]


def free_slot(place: Place, taken: Mapping[int, float], share: float = 0.0) -> int | None:
    """A free slot; None where no device has enough left.

    `taken`: slot -> the part of its device that what runs there takes, `share` the part that is wanted; 0 is one
    slot's. On a CPU each slot is a device of its own.
    """
    usual, left = 1 / place.each, dict[int, float]()
    for slot, part in taken.items():
        left[slot // place.each] = left.get(slot // place.each, 1.0) - (part or usual)
    free = [slot for slot in range(place.slots) if slot not in taken]
    fits = [slot for slot in free if left.get(slot // place.each, 1.0) >= (share or usual) - 1e-6]
    return min(fits, key=lambda slot: (-left.get(slot // place.each, 1.0), slot), default=None)
