"""A checkpoint of ours on another backbone: by name, with position tables brought to its picture size and text length.

A part (the first word of a name: `encoder`, `decoder`, `text_head`) is taken whole or not at all. One that the
checkpoint lacks was not trained there and stays as it was drawn; one that it has in another form (more layers, other
norms, another stem) would be half learnt and half drawn, and is an error.
"""

from __future__ import annotations

from math import isqrt
from pathlib import Path

from torch import Tensor, nn

from vlpbench.contract.abilities import Backbone
from vlpbench.errors import UserError
from vlpbench.parts.positions import PositionTable, RelativeBias
from vlpbench.parts.resize import Grid, resized_bias, resized_cells, resized_words
from vlpbench.training.checkpoint import read_origin
from vlpbench.training.fitted import Fitted, initial_weights, listed, other_shapes

__all__ = ["fit_checkpoint", "resize_tables"]

_BACKBONE = "backbone."


def fit_checkpoint(backbone: Backbone, path: Path, vocabulary: str = "") -> Fitted:
    """The weights of a Learner's backbone, or of a backbone alone, that this backbone has.

    `vocabulary` is the digest of the tokenizer in use; one that differs from the checkpoint's is a UserError, since
    every row of the word table would mean another word. Empty asks nothing.
    """
    held, origin = initial_weights(path), read_origin(path)
    if origin is not None and vocabulary and origin.vocabulary != vocabulary:
        raise UserError(
            "the checkpoint was trained with another tokenizer", str(path),
            "use the tokenizer.json that stands beside its weights",
        )
    inside = {name.removeprefix(_BACKBONE): value for name, value in held.items() if name.startswith(_BACKBONE)}
    outside = [name for name in held if not name.startswith(_BACKBONE)] if inside else []
    given, mine = inside or dict(held), backbone.state_dict()
    resized = resize_tables(
        backbone, given, None if origin is None else origin.grid, str(path), "load it at the size that it was saved at"
    )
    made = f" (it is {origin.backbone})" if origin else ""
    if wrong := other_shapes(given, mine):
        raise UserError(
            f"the checkpoint{made} does not fit this backbone: {listed(wrong)}", str(path),
            "take the size, the stem and the tokenizer of the checkpoint; only position tables are resized",
        )
    _only_whole_parts(given, mine, path, made)
    unused = sorted([*(_BACKBONE + name for name in given.keys() - mine.keys()), *outside])
    return Fitted({name: value for name, value in given.items() if name in mine}, tuple(unused), resized)


def _only_whole_parts(given: dict[str, Tensor], mine: dict[str, Tensor], path: Path, made: str) -> None:
    """UserError unless both have the same names below each part that both have, and at least one such part."""
    shared = {name.partition(".")[0] for name in given} & {name.partition(".")[0] for name in mine}
    if not shared:
        raise UserError(
            f"the checkpoint{made} has nothing that this backbone has: {listed(sorted(given))}", str(path),
            "name a checkpoint of vlpbench with the same trunk",
        )
    lone = [
        f"{name} only {where}"
        for some, others, where in ((given, mine, "in the file"), (mine, given, "here"))
        for name in sorted(some.keys() - others.keys()) if name.partition(".")[0] in shared
    ]
    if lone:
        raise UserError(
            f"the checkpoint{made} has parts of this backbone in another form: {listed(lone)}", str(path),
            "take the stem, the size and the settings of the trunk ([trunk.NAME]) that the checkpoint has",
        )


def resize_tables(
    backbone: Backbone, given: dict[str, Tensor], old: Grid | None, place: str, remedy: str
) -> tuple[str, ...]:
    """Bring the position tables among `given` to the backbone's sizes, in place; returns what was done.

    A table is one of image tokens if its name begins with "image", and one of words otherwise. `old` is the grid that
    those of image tokens were learnt on; None where nobody says: the backbone's own if the sizes agree, else a square.
    A table that is not of that grid is a UserError, `place` and `remedy` are told in it.
    """
    told = []
    for name, module in backbone.named_modules():
        table = name + {PositionTable: ".weight", RelativeBias: ".table"}.get(type(module), "")
        if table == name or table not in given:
            continue
        mine = module.get_parameter(table.rpartition(".")[2])
        try:
            found, was, now = _table(name, module, given[table], mine, old, backbone.spec.grid)
        except ValueError as error:
            raise UserError(f"cannot resize {table}: {error}", place, remedy) from None
        given[table] = found
        if was != now:
            told.append(f"{table} {was} -> {now}")
    return tuple(told)


def _table(
    place: str, module: nn.Module, held: Tensor, mine: Tensor, old: Grid | None, grid: Grid
) -> tuple[Tensor, str, str]:
    """The table at this backbone's size, the size that it had and the size that it has."""
    if isinstance(module, RelativeBias):
        old = old or _square(held, mine, (isqrt(held.shape[1]) + 1) // 2, grid)
        return resized_bias(held, old, grid), _sides(old), _sides(grid)
    if place.rpartition(".")[2].startswith("image"):
        old = old or _square(held, mine, isqrt(held.shape[0]), grid)
        return resized_cells(held, old, grid), _sides(old), _sides(grid)
    return resized_words(held, len(mine)), str(len(held)), str(len(mine))


def _square(held: Tensor, mine: Tensor, side: int, grid: Grid) -> Grid:
    """The grid of a table that says none: this one if the sizes agree, and a square otherwise."""
    return grid if held.shape == mine.shape else (side, side)


def _sides(grid: Grid) -> str:
    return f"{grid[0]} x {grid[1]}"
