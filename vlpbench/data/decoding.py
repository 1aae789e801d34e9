"""A picture file as upright RGB pixels, squashed to a square; what cannot be decoded says why in a sentence.

The whole picture is kept and its sides are squeezed to S, S with an antialiased bicubic filter, as ALBEF and BLIP do
in evaluation (arXiv 2107.07651, 2201.12086).
"""

from __future__ import annotations

import contextlib
import functools
import io
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from vlpbench.data.errors import DataError

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["FORMATS", "MOST_PIXELS", "BadImage", "decode", "quiet", "quiet_from_now_on",
           "read_picture", "squash"]

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "PPM")
"""What is opened. Others are refused: some decoders of Pillow start outside programs (EPS)."""

MOST_PIXELS = 89_478_485
"""Pillow's own limit (a quarter of a GiB of RGB); a small file that claims more is a decompression bomb."""


class BadImage(ValueError):
    """A picture file that cannot be used; the message says why."""


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Silence Pillow's warnings about odd but readable files. Holds for all threads: use it around a pool."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module="PIL")
        warnings.filterwarnings("ignore", category=_bomb_warning())
        yield


def _bomb_warning() -> type[Warning]:
    from PIL.Image import DecompressionBombWarning

    return DecompressionBombWarning


def quiet_from_now_on() -> None:
    """The same for the rest of the process: for pictures that are decoded whenever somebody asks for them."""
    warnings.filterwarnings("ignore", module="PIL")
    warnings.filterwarnings("ignore", category=_bomb_warning())


def decode(given: Path | bytes, size: int) -> NDArray[np.uint8]:
    """S, S, 3 uint8: the picture in a file (or its bytes), upright and squashed to a square. Raises BadImage."""
    return squash(read_picture(given), size)


def read_picture(given: Path | bytes) -> Image:
    """The picture in a file (or its bytes) as RGB, its EXIF orientation applied, transparent parts on white.

    Raises BadImage where the fault is the file's, and DataError where it is the machine's (no such file, bad disk).
    """
    from PIL import Image, ImageOps, UnidentifiedImageError

    _formats_loaded()
    try:
        with Image.open(given if isinstance(given, Path) else io.BytesIO(given), formats=FORMATS) as picture:
            if picture.width * picture.height > MOST_PIXELS:
                raise BadImage(f"claims {picture.width} x {picture.height} pixels, more than {MOST_PIXELS:,}")
            picture.load()
            return _rgb(ImageOps.exif_transpose(picture))
    except (BadImage, MemoryError):
        raise
    except UnidentifiedImageError:
        empty = (given.stat().st_size if isinstance(given, Path) else len(given)) == 0
        raise BadImage("is empty" if empty else "is not a picture in a known format") from None
    except Image.DecompressionBombError:
        raise BadImage(f"claims far more than {MOST_PIXELS:,} pixels") from None
    except OSError as error:
        if error.errno is not None and isinstance(given, Path):  # the system's: it says nothing about the picture
            raise DataError(f"{given.name} cannot be read: {error.strerror}", str(given), "check the file") from None
        raise BadImage(f"cannot be decoded ({error})") from None
    except Exception as error:  # noqa: BLE001 - a damaged file can make a decoder raise almost anything
        raise BadImage(f"cannot be decoded ({type(error).__name__}: {error})") from None


@functools.cache
def _formats_loaded() -> None:
    """Have Pillow register all its formats; by itself it does so only when no format was asked for."""
    from PIL import Image

    Image.init()


def _rgb(picture: Image) -> Image:
    """Any mode as RGB: 16-bit grey is scaled down rather than clipped, transparency is laid on white."""
    from PIL import Image

    if picture.mode == "F":
        raise BadImage("has floating-point pixels, whose range is not known")
    if picture.mode.startswith("I"):
        deep = np.asarray(picture).astype(np.float64) / 257.0
        picture = Image.fromarray(np.clip(np.rint(deep), 0, 255).astype(np.uint8))
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        ground = Image.new("RGBA", picture.size, "white")
        picture = Image.alpha_composite(ground, picture)
    return picture.convert("RGB")


def squash(picture: Image, size: int) -> NDArray[np.uint8]:
    """S, S, 3 uint8: an RGB picture squashed to a square; pixels of one that has this size are not touched."""
    from PIL import Image

    if picture.size != (size, size):
        picture = picture.resize((size, size), Image.Resampling.BICUBIC)
    return np.array(picture, dtype=np.uint8)
