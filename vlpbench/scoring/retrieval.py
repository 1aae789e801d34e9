"""Score matrices of retrieval scored: recall, ranks and ties of both directions, by folds or re-ranked if asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vlpbench.errors import UserError, unknown
from vlpbench.metrics.folds import Fold, averaged, folds_of
from vlpbench.metrics.recall import CUTOFFS, Ranks, Ties, ranks, summary
from vlpbench.metrics.shortlist import Rule, reranked_matrix
from vlpbench.scoring.documents import placed
from vlpbench.scoring.npy import read_labels, read_matrix, read_owners
from vlpbench.scoring.per_example import Row
from vlpbench.scoring.retrieval_text import retrieval_text
from vlpbench.scoring.scored import Scored

__all__ = ["RULES", "RetrievalFiles", "score_retrieval"]

RULES: dict[str, Rule] = {"match": "match", "match+vector": "match + vector"}
"""How a person types the rules of re-ranking, without blanks."""


@dataclass(frozen=True)
class RetrievalFiles:
    """What `vlpbench score retrieval` is given."""

    scores: Path
    """S: images x texts, higher is nearer."""
    txt2img: Path
    """T: the image (row of S) of each text (column of S), counted from 0."""
    folds: int = 1
    """Number of consecutive galleries of one size to average over; 1: all images are one gallery."""
    rerank: Path | None = None
    """M: matching scores of S's shape, read only in the shortlists."""
    k: int | None = None
    """Length of a shortlist; needs `rerank`, which needs it."""
    rule: str | None = None
    """A key of `RULES`; None: `match`. Needs `rerank`."""
    same_text: Path | None = None
    """Labels of the texts, equal for equal texts: those of other images are left out, neither right nor wrong."""
    ties: Ties = "expected"
    """Where wrong items with the right one's score stand."""


@dataclass(frozen=True)
class _Gallery:
    """One fold with the ranks of its queries."""

    fold: Fold
    images: Ranks
    texts: Ranks


def score_retrieval(files: RetrievalFiles) -> Scored:
    """Recall of both directions; UserError where arrays do not fit each other or options contradict each other."""
    _check_options(files)
    scores = read_matrix("--scores", files.scores)
    owner = read_owners("--txt2img", files.txt2img, (scores.shape[0], scores.shape[1]))
    match = None if files.rerank is None else _matching(files.rerank, scores)
    same = None if files.same_text is None else read_labels("--same-text", files.same_text, len(owner))
    third = "" if files.rerank is None else f", --rerank {files.rerank}"
    with placed(f"--scores {files.scores}, --txt2img {files.txt2img}{third}"):
        galleries = [_gallery(fold, scores, match, same, files) for fold in folds_of(owner, len(scores), files.folds)]
    summaries = [summary(one.images, one.texts, files.ties) for one in galleries]
    found: dict[str, Any] = averaged(summaries)
    for key in ("TR_tied", "IR_tied", "masked"):  # of all queries, where the others are means over folds
        found[key] = int(sum(one[key] for one in summaries))
    for key in ("images", "texts"):
        found[key] = int(found[key]) if found[key].is_integer() else found[key]
    found |= {"folds": files.folds, "ties": files.ties, "unit": "percent; ranks count from 1", "rerank": None}
    if files.k is not None:
        found["rerank"] = {"k": files.k, "rule": files.rule or "match", "directions": "each its own shortlist"}
    found["notes"] = _notes(scores)
    return Scored(found, retrieval_text(found), lambda: _rows(galleries, files.ties))


def _check_options(files: RetrievalFiles) -> None:
    """UserError where options need each other or are out of range."""
    if files.rerank is None and (files.k is not None or files.rule is not None):
        said = "--k" if files.k is not None else "--rule"
        raise UserError(f"{said} says how to re-rank, but --rerank is not given", said,
                        f"add --rerank M.npy, or leave {said} out")
    if files.rerank is not None and files.k is None:
        raise UserError("--rerank needs --k, the length of a shortlist: it is part of the result", "--rerank",
                        "add --k 16, say (ALBEF: 256 on COCO, 128 on Flickr30k)")
    if files.k is not None and files.k < 1:
        raise UserError(f"--k is a number of candidates, 1 or more, not {files.k}", "--k")
    if files.rule is not None and files.rule not in RULES:
        raise unknown("re-ranking rule", files.rule, RULES, "--rule")


def _matching(path: Path, scores: NDArray[Any]) -> NDArray[Any]:
    match = read_matrix("--rerank", path)
    if match.shape == scores.shape:
        return match
    turned = match.shape == scores.shape[::-1]
    raise UserError(
        f"{path.name} has the shape {match.shape}, but the scores have {scores.shape}", f"--rerank {path}",
        "save its transpose: rows are images, columns are texts" if turned else "both are images x texts",
    )


def _gallery(
    fold: Fold, scores: NDArray[Any], match: NDArray[Any] | None, same: NDArray[Any] | None, files: RetrievalFiles
) -> _Gallery:
    """The ranks within one fold."""
    alike = None if same is None else same[fold.texts]
    if match is None or files.k is None:
        return _Gallery(fold, *ranks(fold.part(scores), fold.owner, alike))
    rule = RULES[files.rule or "match"]
    return _Gallery(fold, *reranked_matrix(fold.part(scores), fold.part(match), fold.owner, files.k, rule, alike))


def _notes(scores: NDArray[Any]) -> list[str]:
    if scores.dtype == np.float16:
        return ["scores were saved in half precision (float16), which makes ties: compute and save them in float32"]
    return []


def _rows(galleries: Sequence[_Gallery], ties: Ties) -> list[Row]:
    """One row a query: images first (TR), then texts (IR), by their place in the files."""
    rows: list[Row] = []
    for direction in ("TR", "IR"):
        for number, gallery in enumerate(galleries):
            fold = gallery.fold
            own = gallery.images if direction == "TR" else gallery.texts
            queries = np.arange(fold.start, fold.stop) if direction == "TR" else fold.texts
            table = {
                "query": queries.tolist(),
                "rank": (own.zero_based(ties) + 1).tolist(),
                "better": own.better.tolist(),
                "tied": own.tied.tolist(),
                **{f"hit@{k}": own.hits(k, ties).tolist() for k in CUTOFFS},
            }
            names = list(table)
            rows += [
                {"direction": direction, "fold": number, **dict(zip(names, values, strict=True))}
                for values in zip(*table.values(), strict=True)
            ]
    return rows
