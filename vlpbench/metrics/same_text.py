"""Texts that read the same: pairs of an image and another image's text that are not to be counted as wrong.

The pair of image i and text t is *masked* where t does not belong to i, but i owns a text of the same number. Seen
from the image, t reads like one of its right texts; seen from text t, image i owns the very words of the query: it is
one and the same set of pairs in both directions. A masked item is neither right nor wrong: it stands in no query's way,
and finding it is no hit. 128 texts of COCO's cleaned test captions belong to more than one image, so that IR@1 without
the mask cannot reach 100.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vlpbench.errors import UserError

__all__ = ["SameText"]


class SameText:
    """The masked pairs of one gallery, found image by image: never all at once."""

    def __init__(self, owner: NDArray[np.int64], same_text: ArrayLike, images: int) -> None:
        """`owner`: T, the row of each text; `same_text`: T whole numbers, equal where the strings are equal."""
        given = np.asarray(same_text)
        if given.shape != owner.shape or given.dtype.kind not in "iu":
            raise UserError(
                f"same_text is one whole number for each of {len(owner)} texts, not {given.dtype} of shape "
                f"{given.shape}",
                remedy="give equal texts equal numbers, in the order of the columns",
            )
        self.owner = owner
        self.number = np.unique(given, return_inverse=True)[1].astype(np.int64)
        self.kinds = int(self.number.max()) + 1
        self.by_number = np.argsort(self.number, kind="stable")
        self.starts = np.concatenate([[0], np.cumsum(np.bincount(self.number, minlength=self.kinds))])
        self.owned = np.unique(owner * self.kinds + self.number)
        # Only a number that several images own masks anything.
        of_image, numbers = np.divmod(self.owned, self.kinds)
        shared = np.bincount(numbers, minlength=self.kinds)[numbers] > 1
        edges = np.searchsorted(of_image[shared], np.arange(images + 1))
        self._shared = numbers[shared], edges

    def texts(self, image: int) -> NDArray[np.int64]:
        """The texts of other images that read like one of this image's own; most often none. Each once."""
        numbers, edges = self._shared
        mine = numbers[edges[image] : edges[image + 1]]
        if not len(mine):
            return np.empty(0, dtype=np.int64)
        alike = np.concatenate([self.by_number[self.starts[n] : self.starts[n + 1]] for n in mine])
        return np.asarray(alike[self.owner[alike] != image])

    def masks(self, images: NDArray[np.int64], texts: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Which of these pairs are masked; the two arrays are broadcast against each other."""
        keys = np.asarray(images * self.kinds + self.number[texts])
        at = np.minimum(np.searchsorted(self.owned, keys), len(self.owned) - 1)
        return np.asarray((self.owned[at] == keys) & (self.owner[texts] != images))

    def counts(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """How many texts are masked for each image (I), and how many images for each text (T); the sums are equal."""
        _, edges = self._shared
        for_image, for_text = np.zeros(len(edges) - 1, dtype=np.int64), np.zeros(len(self.owner), dtype=np.int64)
        for image in np.flatnonzero(np.diff(edges)):
            alike = self.texts(int(image))
            for_image[image] = len(alike)
            for_text[alike] += 1
        return for_image, for_text
