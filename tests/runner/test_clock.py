"""Seconds and memory of stages, as the record's timing has them."""

from __future__ import annotations

import json
import time

import pytest

from vlpbench.device import Device
from vlpbench.runner.clock import Clock


def test_each_stage_has_its_own_seconds_and_they_add_up() -> None:
    clock = Clock(Device("cpu"))
    with clock.timed("pretrain"):
        time.sleep(0.03)
    with clock.timed("vqa"):
        time.sleep(0.01)
    with clock.timed("pretrain"):
        time.sleep(0.03)
    assert clock.seconds["pretrain"] >= 0.06 and clock.seconds["vqa"] >= 0.01
    told = clock.timing()
    assert list(told["seconds"]) == ["pretrain", "vqa"]
    assert told["total"] == pytest.approx(clock.seconds["pretrain"] + clock.seconds["vqa"])


def test_a_stage_that_fails_is_counted_too() -> None:
    clock = Clock(Device("cpu"))

    def fail() -> None:
        time.sleep(0.01)
        raise ArithmeticError

    with pytest.raises(ArithmeticError), clock.timed("vqa"):
        fail()
    assert clock.seconds["vqa"] >= 0.01 and clock.peaks["vqa"] > 0


def test_memory_is_the_most_held_until_then() -> None:
    clock = Clock(Device("cpu"))
    with clock.timed("pretrain"):
        held = bytearray(1)
    with clock.timed("vqa"):
        held = bytearray(b"x" * 16_000_000)
    assert len(held) == 16_000_000
    told = clock.timing()
    assert 10_000_000 < told["peaks"]["pretrain"] <= told["peaks"]["vqa"] <= told["peak_bytes"]


def test_what_is_told_can_be_written() -> None:
    clock = Clock(Device("cpu"))
    clock.micro_batches["pretrain"] = 4
    with clock.timed("pretrain"):
        pass
    told = clock.timing()
    assert json.loads(json.dumps(told)) == told
    assert told["micro_batch"] == {"pretrain": 4} and told["peaks"].keys() == {"pretrain"}
    assert Clock(Device("cpu")).timing()["total"] == 0


def test_how_fast_trainings_were_stands_beside_their_seconds() -> None:
    clock = Clock(Device("cpu"))
    clock.speeds["pretrain"] = {"pairs_per_second": 31.5}
    assert clock.timing()["speed"] == {"pretrain": {"pairs_per_second": 31.5}}
