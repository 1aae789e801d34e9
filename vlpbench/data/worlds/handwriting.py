"""The handwritten digits that ship inside scikit-learn, read without importing it, in disjoint pools a split."""

from __future__ import annotations

import functools
import gzip
import hashlib
import importlib.util
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from vlpbench.errors import UserError
from vlpbench.streams import generator

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["BRIGHTEST", "LICENCE", "POOLS", "Handwriting", "handwriting", "pools"]

BRIGHTEST = 16
"""The largest value of a digit's pixel."""

LICENCE: Mapping[str, Any] = {
    "id": 1,
    "name": "CC BY 4.0 (handwriting: E. Alpaydin, C. Kaynak, Optical Recognition of Handwritten Digits, UCI)",
    "url": "https://creativecommons.org/licenses/by/4.0/",
}
"""Under which all pictures that show the handwriting stand, as COCO's files say it."""

POOLS = {"train": 0.7, "val": 0.15, "test": 0.15}
"""The share of each class's handwritten samples that a split draws from."""


class Handwriting:
    """1,797 samples of ten classes (UCI, Optical Recognition of Handwritten Digits; CC BY 4.0)."""

    def __init__(self, pictures: NDArray[np.uint8], labels: NDArray[np.uint8]) -> None:
        """`pictures` N, 8, 8 in 0 to BRIGHTEST; `labels` N in 0 to 9."""
        self.pictures, self.labels = pictures, labels

    @property
    def fingerprint(self) -> str:
        """SHA-256 (hex) of all pixels and labels."""
        return hashlib.sha256(self.pictures.tobytes() + self.labels.tobytes()).hexdigest()


def _bundled() -> Path:
    """The file of scikit-learn that holds the digits. Importing the package to ask it would take seconds."""
    spec = importlib.util.find_spec("sklearn")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        path = Path(folder) / "datasets" / "data" / "digits.csv.gz"
        if path.is_file():
            return path
    raise UserError(
        "the handwritten digits that ship inside scikit-learn are not there",
        "the file datasets/data/digits.csv.gz of the package sklearn",
        "install scikit-learn again: pip install --force-reinstall scikit-learn",
    )


@functools.cache
def handwriting() -> Handwriting:
    """The digits; read once a process. Raises UserError where scikit-learn is missing or incomplete."""
    text = gzip.decompress(_bundled().read_bytes()).decode("ascii")
    table = np.loadtxt(io.StringIO(text), delimiter=",", dtype=np.uint8)
    return Handwriting(table[:, :64].reshape(-1, 8, 8), table[:, 64])


def pools(labels: Sequence[int] | NDArray[np.uint8], seed: int) -> dict[str, list[list[int]]]:
    """For each split and class the numbers of the samples it may use; no sample is in two splits."""
    array = np.asarray(labels)
    result: dict[str, list[list[int]]] = {split: [] for split in POOLS}
    for kind in range(10):
        mine = np.flatnonzero(array == kind)
        mine = mine[generator(seed, "world/pools", kind).permutation(len(mine))]
        ends = np.round(np.cumsum(list(POOLS.values())) * len(mine)).astype(int)
        for split, start, end in zip(POOLS, [0, *ends[:-1]], ends, strict=True):
            result[split].append(sorted(int(i) for i in mine[start:end]))
    return result
