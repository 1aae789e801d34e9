"""The names that the shared suite uses: its metrics by task, and the columns of its predictions; no plugin takes one.

What stands behind a name in brackets (`accuracy[kind=what color]`) is a part of that metric.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

__all__ = ["COLUMNS", "SUITE", "extras_among", "is_suite", "taken"]

_WAYS = ("TR", "IR")

SUITE: Mapping[str, tuple[str, ...]] = {
    "vqa": ("accuracy", "exact", "exact_normalised", "multiple_choice"),
    "captioning": ("Bleu_1", "Bleu_2", "Bleu_3", "Bleu_4", "ROUGE_L", "CIDEr", "CIDEr-plain", "METEOR", "SPICE"),
    "retrieval": (
        *(f"{way}@{k}" for way in _WAYS for k in (1, 5, 10)), "rsum",
        *(f"{way}_{what}" for what in ("median", "mean", "tied") for way in _WAYS), "masked", "images", "texts",
    ),
    "classification": ("accuracy", "accuracy_top5", "mean_per_class", "recall"),
}
"""Task -> the suite's own metrics, without their parts."""

COLUMNS = frozenset({
    "image_id", "image", "prediction",  # of all that is said of a picture
    "question_id", "question", "question_type", "answer_type", "answers", "probability", "visible",  # vqa
    "choices", "right_choice", "scores", "tokens",  # vqa@choices
    "references", "prompt",  # captioning
    "direction", "query", "text", "fold", "better", "tied", "right", "rank", "found", "listed", "k", "rule",
    "shortlist",  # retrieval, beside `masked`
    "label", "known", "top5", "cosine", "similarity", "classes", "unlabelled", "templates",
    "cut_prompts",  # classification
    "chance", "majority", "majority_of_type", "best",  # floors and ceilings
})
"""Columns that a task's stored predictions may have beside the scores of each row."""

_ALL = frozenset(name for names in SUITE.values() for name in names)


def is_suite(name: str) -> bool:
    """Whether a metric, or what it is a part of, is one of the suite's."""
    return name.partition("[")[0] in _ALL


def taken(name: str) -> bool:
    """Whether a plugin's metric cannot be called so, whatever the case of its letters: values would be overwritten."""
    return name.lower() in {one.lower() for one in (*_ALL, *COLUMNS)}


def extras_among(names: Iterable[str]) -> tuple[str, ...]:
    """Those names that are no metric of the suite, each once."""
    return tuple(dict.fromkeys(name for name in names if not is_suite(name)))
