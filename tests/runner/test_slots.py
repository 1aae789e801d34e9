"""The next slot: spread over devices, and none where a device would hold more than it can."""

from __future__ import annotations

import pytest

from vlpbench.contract.launcher import Place
from vlpbench.runner.slots import free_slot

TWO = Place("cuda", 0, ("0", "1"), 3)


def test_devices_are_filled_in_turn():
    taken: dict[int, float] = {}
    found = []
    while (slot := free_slot(TWO, taken)) is not None:
        found.append(slot)
        taken[slot] = 0.0
    assert [slot // 3 for slot in found] == [0, 1, 0, 1, 0, 1] and len(set(found)) == 6


@pytest.mark.parametrize(
    ("taken", "share", "device"),
    [
        ({}, 1.0, 0),
        ({0: 1.0}, 1.0, 1),
        ({0: 1.0, 3: 1 / 3}, 1.0, None),
        ({0: 1.0, 3: 1 / 3}, 1 / 3, 1),
        ({0: 1.0, 3: 1 / 2}, 1 / 2, 1),
        ({0: 1.0, 3: 1 / 2}, 2 / 3, None),
        ({0: 1.0, 3: 1.0}, 0.0, None),
    ],
)
def test_what_takes_a_whole_device_has_it_to_itself(taken, share, device):
    slot = free_slot(TWO, taken, share)
    assert (slot if slot is None else slot // 3) == device
    assert slot not in taken


def test_on_a_cpu_each_slot_is_a_device_of_its_own():
    place = Place("cpu", 3)
    assert [free_slot(place, dict.fromkeys(range(n), 0.0)) for n in range(4)] == [0, 1, 2, None]
    assert free_slot(place, {0: 0.0, 2: 0.0}) == 1
