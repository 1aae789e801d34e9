"""What crosses arrives as it was: types, shapes and numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from vlpbench.data.carried import carried, laid_out

GIVEN: dict[Any, np.ndarray] = {
    "tokens": np.arange(12, dtype=np.int64).reshape(3, 4),
    "mask": np.array([[True, False, True], [False, False, True]]),
    ("extras", "noise"): np.linspace(0, 1, 7),
    "progress": np.array(0.25, np.float32),
    "nothing": np.zeros((3, 0), np.int32),
    "turned": np.arange(6, dtype=np.int16).reshape(2, 3).T,
    "byte": np.array([7], np.uint8),
}


def _same(found: dict[Any, torch.Tensor]) -> None:
    assert found.keys() == GIVEN.keys()
    for key, array in GIVEN.items():
        tensor = found[key].cpu()
        assert tensor.shape == array.shape
        assert np.array_equal(tensor.numpy(), array.astype(np.float32) if array.dtype == np.float64 else array)
        assert tensor.dtype != torch.float64


def test_arrays_arrive_as_they_are_and_doubles_as_floats() -> None:
    found = carried(GIVEN, torch.device("cpu"))
    _same(found)
    assert found["progress"].ndim == 0
    assert found["tokens"].dtype == torch.int64 and found["mask"].dtype == torch.bool


def test_on_a_cpu_nothing_is_copied() -> None:
    found = carried(GIVEN, torch.device("cpu"))
    assert found["tokens"].data_ptr() == GIVEN["tokens"].__array_interface__["data"][0]


def test_arrays_lie_one_behind_the_other_at_even_places() -> None:
    a, b, c, d = np.zeros(3, np.int8), np.zeros(16, np.int64), np.zeros(0), np.zeros(1)
    given: dict[str, np.ndarray] = {"a": a, "b": b, "c": c, "d": d}
    places, size = laid_out(given)
    assert places == {"a": 0, "b": 64, "c": 192, "d": 192} and size == 256
    assert laid_out({}) == ({}, 0)


@pytest.mark.gpu
def test_one_copy_brings_all_to_a_gpu() -> None:
    found = carried(GIVEN, torch.device("cuda"))
    _same(found)
    assert len({one.untyped_storage().data_ptr() for one in found.values()}) == 1
