"""What a metric is called in print, by how much its numbers are multiplied there, and which way is better."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from vlpbench.results.frame import Results

__all__ = ["better", "better_in", "factor", "head", "printed_name"]

_PAPER_SCALE = frozenset(
    {"Bleu_1", "Bleu_2", "Bleu_3", "Bleu_4", "ROUGE_L", "CIDEr", "CIDEr-plain", "METEOR", "SPICE"}
)
"""Printed times 100, as papers do; the frame keeps pycocoevalcap's own scale."""

_NAMES = {
    "accuracy": "acc.", "exact": "exact (as written)", "exact_normalised": "exact (normalised)",
    "multiple_choice": "right choice", "mean_per_class": "mean per class",
    **{f"Bleu_{n}": f"BLEU-{n}" for n in range(1, 5)},
}

_LOWER = ("TR_median", "IR_median", "TR_mean", "IR_mean")
_NEITHER = ("images", "texts", "masked", "TR_tied", "IR_tied")


def printed_name(metric: str) -> str:
    """CIDEr for CIDEr, BLEU-4 for Bleu_4, acc. for accuracy."""
    return _NAMES.get(metric, metric)


def factor(metric: str) -> float:
    """What a number of the frame is multiplied by in print: 100 for caption scores, 1 for all else."""
    return 100.0 if metric in _PAPER_SCALE else 1.0


def head(task: str, metric: str) -> str:
    """The head of a column: task, metric, and that it is printed times 100 where it is."""
    return f"{task} {printed_name(metric)}".strip() + (" ×100" if metric in _PAPER_SCALE else "")


def better(metric: str) -> Literal["higher", "lower"] | None:
    """Which way is better of a suite metric; None for what is no score (how many images there are, how many tie)."""
    if metric in _NEITHER:
        return None
    return "lower" if metric in _LOWER else "higher"


def better_in(results: Results, task: str, metric: str) -> Literal["higher", "lower"] | None:
    """Which way is better as the records say, whoever brought the metric; what they do not say, the suite does."""
    frame = results.frame
    said = set(frame.loc[(frame["task"] == task) & (frame["metric"] == metric), "better"])
    return "lower" if "lower" in said else "higher" if "higher" in said else better(metric)
