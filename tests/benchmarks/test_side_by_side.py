"""Two sides in turn, medians, limits, and what is written of them."""

from __future__ import annotations

import argparse
import json
import sys

import pytest
import torch

from vlpbench.device import Device


@pytest.fixture(scope="module")
def shared(script):
    return script("side_by_side")


def line(shared, ratio=2.0, limit=1.5, most=False):
    return shared.Line("ours against theirs", "pairs/s", 2000.0, 1000.0, ratio, limit, most)


@pytest.mark.parametrize(
    ("ratio", "limit", "most", "kept"),
    [(2.0, 1.5, False, True), (1.4, 1.5, False, False), (0.4, 0.6, True, True), (0.7, 0.6, True, False),
     (0.0, None, False, True), (9.0, None, True, True)],
)
def test_a_limit_is_the_least_or_the_most(shared, ratio, limit, most, kept):
    made = line(shared, ratio, limit, most)
    assert made.kept is kept
    assert ("BROKEN" in made.verdict) is not kept
    assert (made.verdict == "no limit") is (limit is None)


def test_a_broken_limit_is_the_exit_code_and_all_is_written(shared, tmp_path, capsys):
    asked = argparse.Namespace(json=tmp_path / "said.json", device="cpu")
    assert shared.finish([line(shared), line(shared, 1.0)], asked, Device("cpu"), more=3) == 1
    assert shared.finish([line(shared)], asked, Device("cpu"), more=3) == 0
    written = json.loads(asked.json.read_text())
    assert written["more"] == 3 and [one["kept"] for one in written["lines"]] == [True]
    assert written["machine"]["torch"] == torch.__version__ and written["machine"]["model"]
    assert "| ours against theirs | 2,000 pairs/s | 1,000 pairs/s | 2 | at least 1.5: kept |" in capsys.readouterr().out


def test_sides_take_turns_forwards_and_backwards(shared):
    order = []
    sides = {name: (lambda name=name: order.append(name)) for name in "ab"}
    seconds = shared.alternate(sides, 3, Device("cpu"), warm=1)
    assert "".join(order) == "ab" + "ab" + "ba" + "ab"
    assert {name: len(taken) for name, taken in seconds.items()} == {"a": 3, "b": 3}


def test_processor_seconds_leave_waiting_out(shared):
    import time

    seconds = shared.alternate({"waits": lambda: time.sleep(0.05)}, 1, Device("cpu"), clock="cpu", warm=0)["waits"]
    assert seconds[0] < 0.04


def test_ratios_are_those_of_each_round(shared):
    assert shared.median_ratio([1.0, 10.0, 1.0], [2.0, 20.0, 2.0]) == 2.0
    assert shared.spread([1.0]) == 0.0
    assert shared.spread([1.0, 2.0, 3.0, 4.0]) == pytest.approx(1.0)


def test_operations_of_attention_are_counted_as_products(shared):
    query = torch.randn(2, 4, 16, 8, requires_grad=True)

    def call():
        torch.nn.functional.scaled_dot_product_attention(query, query, query).sum().backward()

    assert shared.operations(call) == 3 * 2 * (2 * 2 * 4 * 16 * 16 * 8)


def test_a_gpu_that_is_not_there_ends_with_code_two(shared, monkeypatch, capsys):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    asked = shared.arguments("", 1).parse_args(["--device", "cuda"])
    with pytest.raises(SystemExit) as end:
        shared.begin(asked)
    assert end.value.code == 2 and "no CUDA device" in capsys.readouterr().err


def test_numbers_are_short(shared):
    assert [shared.short(number) for number in (1234567.0, 12.345, 0.012345)] == ["1,234,567", "12.3", "0.0123"]
    assert sys.modules["side_by_side"] is shared
