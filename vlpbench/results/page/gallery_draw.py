"""Which examples a gallery shows: most drawn by chance, some because rows differ there; never by hand.

The draw by chance depends on an example's id alone: no row's answers, and no other example, move it. So it is the same
for every row, every seed and every grid on the same data.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from vlpbench.streams import seed_of

__all__ = ["Drawn", "draw", "gaps"]

Drawn = Literal["chance", "differ"]

_SHARE = 1 / 3
"""Of the examples shown, those that are shown because rows differ."""


def draw(
    keys: Sequence[Any], differing: NDArray[np.float64], pictures: Sequence[Any], most: int
) -> dict[Any, Drawn]:
    """At most `most` of the examples `keys`, and why each is shown; those drawn by chance come first.

    `differing` (one number an example, from `gaps`): how far rows are apart there. Of what is shown for that no two
    are about one picture (`pictures`, one an example). Places that are left go to chance.
    """
    lots = {key: seed_of(0, f"gallery/{key}") for key in keys}
    by_chance = sorted(range(len(keys)), key=lambda at: lots[keys[at]])
    reserved = round(most * _SHARE)
    chance, rest = by_chance[: most - reserved], by_chance[most - reserved :]
    seen = {pictures[at] for at in chance}
    apart: list[int] = []
    for at in sorted(rest, key=lambda at: -differing[at]):  # of equals, the first by lot
        if len(apart) == reserved or differing[at] <= 0:
            break
        if pictures[at] not in seen:
            seen.add(pictures[at])
            apart.append(at)
    taken = frozenset(apart)
    chance += [at for at in rest if at not in taken][: reserved - len(apart)]
    found: dict[Any, Drawn] = dict.fromkeys((keys[at] for at in chance), "chance")
    return found | dict.fromkeys((keys[at] for at in apart), "differ")


def gaps(scores: Mapping[str, Sequence[NDArray[np.float64]]]) -> NDArray[np.float64]:
    """Of each example, the best row's mean score over seeds less the worst row's; 0 where fewer than two rows have one.

    `scores`: row -> one array a seed, with one score an example (NaN: none).
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # an example that no seed of a row has: NaN
        means = np.stack([np.nanmean(np.stack(list(seeds)), axis=0) for seeds in scores.values()])
        apart: NDArray[np.float64] = np.nanmax(means, axis=0) - np.nanmin(means, axis=0)
    return np.nan_to_num(apart)
