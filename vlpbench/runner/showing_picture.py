"""A batch drawn: each picture as the stem sees it, and beneath it its text and what became of that."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from vlpbench.errors import UserError
from vlpbench.files import written_whole
from vlpbench.runner.showing import Look

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageFont import FreeTypeFont

__all__ = ["draw_look"]

_PICTURE = 288
"""Pixels that a picture is enlarged to at least, so that a small one can be seen."""
_LETTERS = 64
"""Characters of a line beneath a picture."""
_ACROSS = 3
"""Samples side by side."""
_GAP = 16
"""Pixels between samples and at the edges."""
_SIZE = 11
"""Height of letters in pixels."""


def draw_look(look: Look, count: int, path: Path) -> None:
    """Write the first `count` samples as a picture file (PNG by its name), whole or not at all."""
    if path.suffix.lower() != ".png":
        raise UserError(f"{path} is not named as a PNG file", "--out", f"call it {path.with_suffix('.png').name}")
    font = _font()
    tiles = [_tile(look, row, font) for row in range(min(count, len(look.batch)))]
    sheet = _sheet(tiles)
    with written_whole(path) as temporary:
        sheet.save(temporary, format="PNG")


def _font() -> FreeTypeFont:
    """Letters of one width; the ones that matplotlib brings know most alphabets."""
    import matplotlib
    from PIL import ImageFont

    return ImageFont.truetype(str(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSansMono.ttf"), _SIZE)


def _tile(look: Look, row: int, font: FreeTypeFont) -> Image:
    """One sample: its picture, enlarged without smoothing, and its lines."""
    from PIL import Image, ImageDraw

    lines = look.sample(row, _LETTERS)
    step = _SIZE + 4
    top = 0 if look.pictures is None else _enlarged(look.pictures[row]).height + step // 2
    width = max([int(font.getlength("m" * _LETTERS)), *(int(font.getlength(line)) + 1 for line in lines)])
    tile = Image.new("RGB", (width, top + step * len(lines)), "white")
    if look.pictures is not None:
        tile.paste(_enlarged(look.pictures[row]), (0, 0))
    pen = ImageDraw.Draw(tile)
    for number, line in enumerate(lines):
        pen.text((0, top + step * number), line, fill="black", font=font)
    return tile


def _enlarged(pixels: np.ndarray) -> Image:
    """Every pixel as a square of whole pixels, so that what is seen is what is there."""
    from PIL import Image

    times = max(1, -(-_PICTURE // pixels.shape[0]))
    return Image.fromarray(pixels.repeat(times, axis=0).repeat(times, axis=1))


def _sheet(tiles: list[Image]) -> Image:
    """Tiles in rows, each row as high as its highest tile."""
    from PIL import Image

    rows = [tiles[start : start + _ACROSS] for start in range(0, len(tiles), _ACROSS)]
    width = max(sum(tile.width + _GAP for tile in row) for row in rows) + _GAP
    height = sum(max(tile.height for tile in row) + _GAP for row in rows) + _GAP
    sheet = Image.new("RGB", (width, height), "white")
    top = _GAP
    for row in rows:
        left = _GAP
        for tile in row:
            sheet.paste(tile, (left, top))
            left += tile.width + _GAP
        top += max(tile.height for tile in row) + _GAP
    return sheet
