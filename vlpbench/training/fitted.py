"""Weights from elsewhere, made to fit a backbone: what every kind of initial weights comes to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from vlpbench.errors import UserError
from vlpbench.training.checkpoint import read_weights

__all__ = ["Fitted", "initial_weights", "listed", "other_shapes"]

_CODE = frozenset({".bin", ".pt", ".pth", ".ckpt", ".pkl", ".tar"})
"""Endings of files that run code when they are read (pickle)."""


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
    if path.suffix.lower() in _CODE:
        raise UserError(
            f"{path.name} is a pickle, which may run any code when it is read", str(path),
            "convert it where you trust it: safetensors.torch.save_file({name: tensor.contiguous() for name, tensor in "
            "torch.load('FILE', weights_only=True).items()}, 'model.safetensors')",
        )
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
