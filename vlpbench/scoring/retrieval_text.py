"""Retrieval scores as a table for people: a row a direction, and the rules that belong to the numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vlpbench.metrics.recall import CUTOFFS
from vlpbench.metrics.shortlist import k_note, statement
from vlpbench.scoring.layout import Cell, columns, said

__all__ = ["retrieval_text"]

TIES = {
    "expected": "the exact expectation over random orders of tied scores",
    "optimistic": "wrong items with the right one's score stand after it (flatters)",
    "pessimistic": "wrong items with the right one's score stand before it",
}


def retrieval_text(found: Mapping[str, Any]) -> str:
    """The table of what `score_retrieval` found."""
    head = ["R@k in percent", *(f"R@{k}" for k in CUTOFFS), "median rank", "mean rank", "tied queries"]
    rows: list[list[Cell]] = []
    for direction, name in (("TR", "TR (image to text)"), ("IR", "IR (text to image)")):
        recalls = [found[f"{direction}@{k}"] for k in CUTOFFS]
        places = [found[f"{direction}_{what}"] for what in ("median", "mean", "tied")]
        rows.append([name, *recalls, *places])
    rows.append(["rsum", found["rsum"], *[""] * (len(head) - 2)])
    return columns(head, rows) + "\n" + said(_notes(found))


def _notes(found: Mapping[str, Any]) -> list[str]:
    """What must be said: galleries, ties, re-ranking."""
    sizes = f"{found['images']} images and {found['texts']} texts"
    notes = [f"gallery: {sizes}"]
    if found["folds"] > 1:
        notes = [f"mean over {found['folds']} consecutive folds, each a closed gallery of {sizes}; tied queries: all"]
    notes.append(f"ties: {found['ties']}, {TIES[found['ties']]}")
    if found["rerank"]:
        k, rule = found["rerank"]["k"], found["rerank"]["rule"].replace("+", " + ")
        notes.append(statement(k, rule))
        late = k_note(k)
        notes += [late] if late else []
    if found["masked"]:
        notes.append(f"{found['masked']} pairs of an image and another image's equal text are left out")
    return [*notes, *found["notes"]]
