"""Arrays in .npy files, mapped and never unpickled; what is wrong with one is said before any score is made."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vlpbench.errors import UserError
from vlpbench.scoring.documents import read_bytes

__all__ = ["read_labels", "read_matrix", "read_owners"]

START = b"\x93NUMPY"
OTHERS = {
    b"PK": "a zip archive (.npz of numpy, or torch.save)",
    b"\x80": "a pickle",
    b"\x89HDF": "HDF5",
}
"""First bytes of what people give in the place of .npy."""


def read_matrix(option: str, path: Path) -> NDArray[Any]:
    """Scores, images x texts, mapped from the file; UserError for other shapes, types and files."""
    found = _mapped(option, path)
    place = f"{option} {path}"
    if found.ndim != 2:
        hint = "; is this --txt2img?" if found.ndim == 1 and found.dtype.kind in "iu" else ""
        raise UserError(f"{path.name} has the shape {found.shape}, not images x texts", place,
                        f"give a matrix with a row an image and a column a text{hint}")
    if 0 in found.shape:
        raise UserError(f"{path.name} is empty: its shape is {found.shape}", place)
    if found.dtype.kind not in "fiu":
        raise UserError(f"{path.name} holds {found.dtype}, not real numbers", place, "save scores as float32")
    return found


def read_owners(option: str, path: Path, shape: tuple[int, int]) -> NDArray[Any]:
    """The image index (row) of each text (column) of a matrix of this shape; UserError where that cannot be."""
    found = _mapped(option, path)
    place = f"{option} {path}"
    images, texts = shape
    if found.ndim != 1:
        hint = "; is this --scores?" if found.ndim == 2 and found.dtype.kind == "f" else ""
        raise UserError(f"{path.name} has the shape {found.shape}, not one image index a text", place,
                        f"give {texts} whole numbers, the row of each text's image{hint}")
    if found.dtype.kind not in "iu":
        raise UserError(f"{path.name} holds {found.dtype}, not whole numbers", place, "save it with .astype('int64')")
    if len(found) != texts:
        turned = "the scores look like texts x images: save their transpose" if len(found) == images else ""
        raise UserError(f"{path.name} names the images of {len(found)} texts, but the scores have {texts} columns "
                        f"(and {images} rows)", place, turned or "rows are images, columns are texts")
    if found.min() == 1 and found.max() == images:
        raise UserError(f"{path.name} counts images from 1", place, f"count from 0: rows are 0 to {images - 1}")
    return found


def _mapped(option: str, path: Path) -> NDArray[Any]:
    """The array of a .npy file, read from disk where it is looked at."""
    place = f"{option} {path}"
    start = read_bytes(option, path, len(START))
    if start != START:
        if not start:
            raise UserError(f"{path.name} is empty", place, "write the file again")
        kind = next((what for first, what in OTHERS.items() if start.startswith(first)), "another kind of file")
        raise UserError(f"{path.name} is not .npy but {kind}", place, "save the array with numpy.save(file, array)")
    try:
        found = np.load(path, mmap_mode="r", allow_pickle=False)
    except ValueError as error:
        pickled = "Python objects" in str(error) or "pickle" in str(error) or "Object" in str(error)
        cause = "holds Python objects, which only unpickling could read, and that runs code" if pickled else str(error)
        if "mmap length" in cause:
            cause = "is cut short: its header promises more numbers than there are"
        remedy = "save numbers: numpy.save(file, array.astype('float32'))" if pickled else "write the file again"
        raise UserError(f"{path.name} {cause}", place, remedy) from None
    return np.asarray(found)


def read_labels(option: str, path: Path, texts: int) -> NDArray[np.int64]:
    """A label of each text, equal for equal texts, as whole numbers; the file holds whole numbers or texts."""
    found = _mapped(option, path)
    if found.shape != (texts,) or found.dtype.kind not in "iuU":
        held = f"{found.dtype} of the shape {found.shape}"
        raise UserError(f"{path.name} holds {held}, not a label of each of {texts} texts", f"{option} {path}",
                        "give whole numbers (or the texts themselves), equal for equal texts")
    return np.unique(found, return_inverse=True)[1].astype(np.int64)
