"""Retrieval's rows, one a query, and the recalls that follow from them alone: each fold by itself, then their mean.

A row tells where the right answers stand and what was found; beside them how the lists came about, so that the scores
of stored rows say it too. Axes: Q queries.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from vlpbench.data.examples import text_ids
from vlpbench.metrics.folds import averaged
from vlpbench.metrics.recall import Ranks, chance, summary
from vlpbench.metrics.shortlist import k_note
from vlpbench.tasks.gallery import Gallery
from vlpbench.tasks.ordering import Order
from vlpbench.tasks.task import Row
from vlpbench.tasks.trial import Scores

__all__ = ["WAYS", "recall_scores", "rows_of"]

WAYS = ("image to text", "text to image")
"""Both directions, in the order of their rows."""
HOW = ("k", "rule", "shortlist")
"""Columns of re-ranked rows, all of one value each: how many are listed, what orders them, what made the list."""


def rows_of(number: int, gallery: Gallery, order: Order, how: Mapping[str, Any]) -> list[Row]:
    """The rows of fold `number`; `how`: the columns of `HOW`, where something was judged beside vectors."""
    fold = gallery.folds[number]
    images = gallery.images[fold.start : fold.stop]
    names = [gallery.names[at] for at in fold.texts]
    said = [gallery.texts[at] for at in fold.texts]
    return [
        *_rows(0, number, (images, [None] * len(images), names), order, how),
        *_rows(1, number, (names, said, images), order, how),
    ]


def _rows(
    way: int, fold: int, named: tuple[Sequence[str], Sequence[str | None], Sequence[str]], order: Order,
    how: Mapping[str, Any],
) -> list[Row]:
    """One row a query of a direction: its place and the best items; `named`: queries, their texts, items."""
    queries, texts, items = named
    placed, (found, scores) = order.placed[way], order.found[way]
    expected = placed.expected()
    judged = {"listed": order.listed[way], **how} if how else {}
    return [
        {
            "direction": WAYS[way],
            "query": query,
            "text": text,
            "fold": fold,
            "better": int(placed.better[at]),
            "tied": int(placed.tied[at]),
            "right": int(placed.right[at]),
            "masked": None if placed.masked is None else int(placed.masked[at]),
            "rank": float(expected[at]),
            "found": [items[item] for item in found[at]],
            "scores": [float(score) for score in scores[at]],
            **judged,
        }
        for at, (query, text) in enumerate(zip(queries, texts, strict=True))
    ]


def recall_scores(rows: Sequence[Row]) -> Scores:
    """R@k of both directions in percent, the mean over folds, with the floor of a random order in the same folds."""
    folds: dict[int, list[Row]] = {}
    for row in rows:
        folds.setdefault(row.get("fold") or 0, []).append(row)
    directions = [[[row for row in fold if row["direction"] == way] for way in WAYS] for fold in folds.values()]
    values = averaged([summary(_ranks(images), _ranks(texts)) for images, texts in directions])
    floor = averaged([_chance(*ways) for ways in directions])
    told: dict[str, Any] = {
        "images": sum(len(images) for images, _ in directions),
        "texts": sum(len(texts) for _, texts in directions),
        "folds": len(folds),
        "same_texts": rows[0].get("masked") is not None,
    }
    if rows[0].get("rule"):
        told |= {name: rows[0][name] for name in HOW}
        short = min(len(queries) for ways in directions for queries in ways) > told["k"] > 0
        if short and (note := k_note(told["k"])):
            told["note"] = note
    return Scores(dict(values), {}, {"chance": dict(floor)}, {}, len(rows), told)


def _ranks(queries: Sequence[Row]) -> Ranks:
    """Q: as they were counted."""
    better, tied, right = (np.array([row[name] for row in queries], np.int64) for name in ("better", "tied", "right"))
    masked = [row.get("masked") for row in queries]
    return Ranks(better, tied, right, None if None in masked else np.array(masked, np.int64))


def _chance(images: Sequence[Row], texts: Sequence[Row]) -> dict[str, float]:
    """The recalls of a random order of one fold."""
    place = {row["query"]: at for at, row in enumerate(images)}
    owner = [place[row["query"].rpartition("/")[0]] for row in texts]
    same = None if images[0].get("masked") is None else text_ids([row["text"] for row in texts])
    return chance(len(place), owner, same)
