"""Weights on disk: safetensors (no code can hide in it), written whole or not at all, loaded by name."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from torch import Tensor, nn

from vlpbench.errors import UserError
from vlpbench.files import written_whole

__all__ = ["load_weights", "read_weights", "save_weights"]


def save_weights(model: nn.Module, path: Path) -> None:
    """Write parameters and buffers under their names."""
    from safetensors.torch import save_file

    # copies: a weight that a model has under two names is written under both
    weights = {name: value.detach().to("cpu", copy=True).contiguous() for name, value in model.state_dict().items()}
    with written_whole(path) as temporary:
        save_file(weights, temporary)


def read_weights(path: Path) -> dict[str, Tensor]:
    """Name -> tensor; a file that is cut short or not a checkpoint is a UserError."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return load_file(path)
    except (SafetensorError, OSError) as error:
        raise UserError(f"cannot read weights: {error}", str(path), "delete the file: its stage runs again") from error


def load_weights(model: nn.Module, weights: Mapping[str, Tensor]) -> tuple[list[str], list[str]]:
    """Copy the weights whose name and shape the model has.

    Returns the names that the model kept for want of a weight, and the names of weights that it has no use for.
    """
    mine = model.state_dict()
    usable = {name: value for name, value in weights.items() if name in mine and mine[name].shape == value.shape}
    model.load_state_dict(usable, strict=False)
    return sorted(mine.keys() - usable.keys()), sorted(weights.keys() - usable.keys())
