"""Arrays of the host as tensors on a device: to a GPU all of them in one copy, from memory that it fetches itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

import numpy as np
import torch

__all__ = ["carried", "laid_out"]

Key = TypeVar("Key")

_ALIGNED = 64
"""Bytes: where each array begins, so that kernels may read it in wide words."""


def carried(arrays: Mapping[Key, np.ndarray], device: torch.device) -> dict[Key, torch.Tensor]:
    """Each array as a tensor on the device, under its own name; doubles become floats, as nothing there is double."""
    said = {key: _single(array) for key, array in arrays.items()}
    if device.type == "cpu":
        return {key: torch.from_numpy(array) for key, array in said.items()}
    places, size = laid_out(said)
    buffer = torch.empty(size, dtype=torch.uint8, pin_memory=True)
    whole = buffer.numpy()
    for key, array in said.items():
        whole[places[key] : places[key] + array.nbytes] = array.reshape(-1).view(np.uint8)
    there = buffer.to(device, non_blocking=True)
    return {key: _seen(there, places[key], array) for key, array in said.items()}


def laid_out(arrays: Mapping[Key, np.ndarray]) -> tuple[dict[Key, int], int]:
    """Where each array begins if all lie one behind the other, and how many bytes they take together."""
    places: dict[Key, int] = {}
    end = 0
    for key, array in arrays.items():
        places[key] = end
        end += -(-array.nbytes // _ALIGNED) * _ALIGNED
    return places, end


def _single(array: np.ndarray) -> np.ndarray:
    wanted = np.float32 if array.dtype == np.float64 else array.dtype
    return np.asarray(array, wanted, order="C")


def _seen(buffer: torch.Tensor, start: int, array: np.ndarray) -> torch.Tensor:
    """A piece of the bytes as what it is."""
    kind = torch.from_numpy(np.empty(0, array.dtype)).dtype
    return buffer[start : start + array.nbytes].view(kind).view(array.shape)
