"""Learnt tables of positions at another resolution: linear interpolation along each axis (arXiv 2108.10904).

Grid cells are small squares whose values stand in their middle (torch's `align_corners=False`), so that a finer grid
divides the picture, not the distance between the outermost cells. Equal sizes change no bit.
Axes: P cells of a grid of R rows and C columns, T words, N heads, D width.
"""

from __future__ import annotations

from torch import Tensor
from torch.nn.functional import interpolate

__all__ = ["Grid", "resized_bias", "resized_cells", "resized_words"]

Grid = tuple[int, int]
"""Rows and columns."""


def resized_cells(table: Tensor, old: Grid, new: Grid) -> Tensor:
    """P, D -> P', D: a table of the cells of a grid in raster order, bilinearly over the two sides of the grid."""
    _must_hold(table.shape[0], old[0] * old[1], f"a grid of {old[0]} x {old[1]}")
    return _bilinear(table.T, old, new).T.contiguous()


def resized_bias(table: Tensor, old: Grid, new: Grid) -> Tensor:
    """N, (2R-1)(2C-1) -> N, (2R'-1)(2C'-1): numbers of the offsets of two cells, bilinearly over the offsets."""
    offsets, wanted = ((2 * rows - 1, 2 * columns - 1) for rows, columns in (old, new))
    _must_hold(table.shape[1], offsets[0] * offsets[1], f"the offsets of a grid of {old[0]} x {old[1]}")
    return _bilinear(table, offsets, wanted)


def resized_words(table: Tensor, length: int) -> Tensor:
    """T, D -> length, D: cut where fewer are needed, stretched linearly where more are.

    Words are counted from the start: the third word is the third in a short row and in a long one, so that a cut
    table gives equal numbers for every text that fits, and a squeezed one would not. For places that no text has had
    there is nothing to keep: vectors drawn anew would stand beside learnt ones, and are louder or quieter than they;
    a stretched table has learnt vectors everywhere, which is what SimVLM does with its own.
    """
    if length <= len(table):
        return table[:length].clone()
    stretched = interpolate(table.float().T[None], size=length, mode="linear", align_corners=False)
    return stretched[0].T.to(table.dtype).contiguous()


def _bilinear(rows: Tensor, old: Grid, new: Grid) -> Tensor:
    """K, old cells -> K, new cells."""
    if old == new:
        return rows.clone()
    planes = rows.float().unflatten(1, old)[None]
    found = interpolate(planes, size=new, mode="bilinear", align_corners=False)
    return found[0].flatten(1).to(rows.dtype)


def _must_hold(found: int, expected: int, what: str) -> None:
    if found != expected:
        raise ValueError(f"a table of {found} entries is not one of {what}, which has {expected}")
