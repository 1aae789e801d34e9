"""Where the pixels of a split come from: a store that is built once, or pictures decoded whenever they are seen.

The pixels are the same to the bit, so which of the two it is belongs to the machine (VLPBENCH_STORE), not to a cell.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from vlpbench.contract.dataset import Dataset
from vlpbench.data.picture_files import held_by
from vlpbench.data.store import Heard, NoRoom, known_broken, open_store
from vlpbench.data.undecoded import Pixels, Undecoded
from vlpbench.errors import unknown

__all__ = ["Wanted", "Wish", "open_pixels", "store_wish"]

Wish = Literal["auto", "always", "never"]
"""Whether pictures are kept in a store; "auto": where each is a file of its own and the disk has room."""


@dataclass(frozen=True)
class Wanted:
    """How pictures are asked for."""

    size: int
    """Pixels a side."""
    on_bad: Literal["error", "skip"]
    """What becomes of a picture that cannot be decoded."""
    heard: Heard | None
    """Told of pictures decoded."""


def store_wish() -> Wish:
    """What VLPBENCH_STORE says; UserError for a word that it does not know."""
    said = os.environ.get("VLPBENCH_STORE", "") or "auto"
    for wish in get_args(Wish):
        if said == wish:
            return wish  # type: ignore[no-any-return]
    raise unknown("value", said, get_args(Wish), "environment variable VLPBENCH_STORE")


def open_pixels(dataset: Dataset, names: Sequence[str], wanted: Wanted) -> tuple[Pixels, Mapping[int, str]]:
    """The pictures of these names that can be decoded, and place in `names` -> what is wrong with the others.

    Without a store and under "error" nothing is decoded beforehand: a picture that cannot be raises a DataError, which
    names it, when it is first seen. Under "skip" it has to be known which are left out, so all are decoded once.
    """
    held, wish = held_by(dataset), store_wish()
    if wish == "always" or (wish == "auto" and dataset.archive is None):
        try:
            store = open_store(held, names, wanted.size, dataset.cache, wanted.heard)
            return store.pixels, store.broken
        except NoRoom as full:
            if wish == "always":
                raise
            said = f"{full.cause}: pictures of {dataset.name!r} are decoded whenever they are seen, which is slower"
            print(said, file=sys.stderr, flush=True)  # noqa: T201 (a command's remarks, or the cell's log)
    broken = known_broken(held, names, dataset.cache, wanted.heard) if wanted.on_bad == "skip" else {}
    return Undecoded(held, [name for row, name in enumerate(names) if row not in broken], wanted.size), broken
