"""Weights on disk: safetensors (no code can hide in it), written whole or not at all, loaded by name."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from torch import Tensor, nn

from vlpbench.errors import UserError
from vlpbench.files import written_whole

__all__ = ["Origin", "load_weights", "read_origin", "read_weights", "save_tensors", "save_weights"]

_RUN_AGAIN = "delete the file: its stage runs again"
_KEY = "vlpbench"
"""One entry of the file's metadata holds all: the library writes several in no fixed order, so bytes would differ."""


@dataclass(frozen=True)
class Origin:
    """What weights were trained with, as far as their names and shapes do not tell it; written into their file."""

    backbone: str
    """Stem, trunk and size, as a grid file says them."""
    grid: tuple[int, int]
    """Rows and columns of image tokens."""
    length: int
    """T, tokens of a text."""
    vocabulary: str
    """Digest of the tokenizer."""


def save_weights(model: nn.Module, path: Path, origin: Origin | None = None) -> None:
    """Write parameters and buffers under their names, and beside them what they were trained with."""
    save_tensors(model.state_dict(), path, origin)


def save_tensors(tensors: Mapping[str, Tensor], path: Path, origin: Origin | None = None) -> None:
    """Write tensors under these names, whole or not at all, and beside them what they were trained with.

    Raises OSError where the disk is full or fails.
    """
    from safetensors import SafetensorError
    from safetensors.torch import save_file

    # copies: a weight that a model has under two names is written under both
    weights = {name: value.detach().to("cpu", copy=True).contiguous() for name, value in tensors.items()}
    metadata = None if origin is None else {_KEY: json.dumps(asdict(origin), sort_keys=True)}
    with written_whole(path) as temporary:
        try:
            save_file(weights, temporary, metadata)
        except SafetensorError as error:  # the library hides the system's error in its sentence
            told = re.search(r"os error (\d+)", str(error))
            if told is None:
                raise
            raise OSError(int(told[1]), os.strerror(int(told[1])), str(path)) from error


def read_weights(path: Path, remedy: str = _RUN_AGAIN) -> dict[str, Tensor]:
    """Name -> tensor; a file that is cut short or not a checkpoint is a UserError."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return load_file(path)
    except (SafetensorError, OSError) as error:
        raise UserError(f"cannot read weights: {error}", str(path), remedy) from error


def read_origin(path: Path) -> Origin | None:
    """What the weights in a file were trained with; None where the file does not say (it is not of ours, or older)."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "pt") as file:
            said = (file.metadata() or {}).get(_KEY)
        if said is None:
            return None
        held = json.loads(said)
        rows, columns = held["grid"]
        return Origin(str(held["backbone"]), (int(rows), int(columns)), int(held["length"]), str(held["vocabulary"]))
    except (SafetensorError, OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(f"cannot read what weights were trained with: {error}", str(path), _RUN_AGAIN) from error


def load_weights(model: nn.Module, weights: Mapping[str, Tensor]) -> tuple[list[str], list[str]]:
    """Copy the weights whose name and shape the model has.

    Returns the names that the model kept for want of a weight, and the names of weights that it has no use for.
    """
    mine = model.state_dict()
    usable = {name: value for name, value in weights.items() if name in mine and mine[name].shape == value.shape}
    model.load_state_dict(usable, strict=False)
    return sorted(mine.keys() - usable.keys()), sorted(weights.keys() - usable.keys())
