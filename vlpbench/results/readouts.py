"""Notes on readouts: how each task was learnt and measured, and which rows differ within one column."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

__all__ = ["readout_notes"]

_RULE = {"last": "last weights", "validation": "best weights on validation"}

_MEANING = {
    "vqa": "; percent, leave-one-out accuracy over ten answers or exact match of one, both sides normalised (`always`)",
    "captioning": "; pycocoevalcap's BLEU-4 and CIDEr (CIDEr-D) times 100, tokens as its PTB tokenizer cuts them",
    "retrieval": "; percent, TR: find a text of an image, IR: find the image of a text",
}


def readout_notes(told: Iterable[tuple[str, Mapping[str, Any], Mapping[str, Any]]]) -> list[str]:
    """One line a task (row, settings, scores of each finished cell); more where rows differ, naming the rows."""
    tasks: dict[str, dict[str, list[tuple[str, Mapping[str, Any]]]]] = {}
    for row, settings, scores in told:
        for task in settings["tasks"]:
            one = scores["tasks"].get(task, {})
            if "values" in one:
                tasks.setdefault(task, {}).setdefault(one["head"], []).append((row, one))
    return [line for task, forms in tasks.items() for line in _of_task(task, forms)]


def _of_task(task: str, forms: Mapping[str, list[tuple[str, Mapping[str, Any]]]]) -> list[str]:
    """With one form of the readout it stands in the sentence; with several each is named with its rows."""
    which = f"readout {next(iter(forms))!r}" if len(forms) == 1 else "readouts that differ by row"
    ways: dict[str, dict[str, None]] = {}
    for cells in forms.values():
        for row, one in cells:
            ways.setdefault(_sentence(task, one, which), {})[row] = None
    lines = [way + (f" (rows: {', '.join(rows)})" if len(ways) > 1 else "") for way, rows in ways.items()]
    if len(forms) > 1:
        lines += [
            f"{task}: readout {form!r} in rows {', '.join(dict.fromkeys(row for row, _ in cells))}"
            for form, cells in forms.items()
        ]
    return lines


def _sentence(task: str, one: Mapping[str, Any], which: str) -> str:
    is_tuned = one["protocol"] == "fine-tune"
    tuned = f"fine-tuned on {one['fine_tune']['samples']:,} samples" if is_tuned else "zero-shot"
    return (
        f"{task}: {tuned}, {which}, {_RULE[one['select']]}; {one['examples']:,} examples "
        f"of the {one['split']} split of {one['data']}{_MEANING.get(task.partition('@')[0], '')}"
    )
