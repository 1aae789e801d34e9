"""Weights from elsewhere, made to fit a backbone: what every kind of initial weights comes to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from vlpbench.data.initial_files import refuse_code
from vlpbench.errors import UserError
from vlpbench.training.checkpoint import read_weights

__all__ = ["Fitted", "initial_weights", "listed", "other_shapes"]


@dataclass(frozen=True)
class Fitted:
    """What a file gives to a backbone, under the backbone's own names."""

    weights: dict[str, Tensor]
    """Name -> tensor of the very shape that the backbone has."""
    unused: tuple[str, ...] = ()
    """Names in the file that the backbone has no use for."""
    resized: tuple[str, ...] = ()
    """Position tables that were interpolated or cut, each with its size in the file and here."""


def initial_weights(path: Path) -> dict[str, Tensor]:
    """Name -> tensor of a safetensors file. A file that may hold code is refused unread; both are UserErrors."""
    refuse_code(path, str(path))
    if not path.is_file():
        raise UserError(f"there is no file of weights at {path}", str(path), "name a safetensors file that exists")
    return read_weights(path, "name a whole safetensors file; one that was cut short must be fetched again")


def other_shapes(given: Mapping[str, Tensor], wanted: Mapping[str, Tensor]) -> list[str]:
    """The names that both have with different shapes: "name: 3 x 4 in the file, 3 x 5 here"."""
    both = sorted(given.keys() & wanted.keys())
    return [
        f"{name}: {_shape(given[name])} in the file, {_shape(wanted[name])} here"
        for name in both if given[name].shape != wanted[name].shape
    ]


def listed(names: Iterable[str], most: int = 6) -> str:
    """Some names for a message, the first few and how many more."""
    names = list(names)
    rest = f" and {len(names) - most} more" if len(names) > most else ""
    return "; ".join(names[:most]) + rest


def _shape(tensor: Tensor) -> str:
    return " x ".join(map(str, tensor.shape)) or "one number"
