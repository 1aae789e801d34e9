"""What the numbers of a task mean: how many images, how answers were normalised, how lists came about.

All of it is read from the record's `told`; what a record does not tell is not said, and what is told beyond is left.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

__all__ = ["meaning", "sizes"]

_PLAIN_PROMPT = "{question}"
"""A question as it stands, which needs no word."""

_ORDERED = {"match": "match alone"}
"""What orders a shortlist, where the record's word alone does not say it."""


def meaning(task: str, one: Mapping[str, Any]) -> str:
    """Unit, metric and choices behind a task's scores (`one`: its part of `scores.json`); empty if nothing is known."""
    kind = task.partition("@")[0]
    return "; ".join(part for part in _MEANINGS[kind](one) if part) if kind in _MEANINGS else ""


def sizes(one: Mapping[str, Any]) -> str:
    """How many examples, images and texts were scored: "170 examples on 50 images"."""
    told, examples = one.get("told", {}), f"{one['examples']:,} examples"
    if "images" not in told:
        return examples
    images = _count(told["images"], "image")
    if "texts" in told:
        return f"{images} and {_count(told['texts'], 'text')}"
    return images if told["images"] == one["examples"] else f"{examples} on {images}"


def _vqa(one: Mapping[str, Any]) -> list[str]:
    told = one.get("told", {})
    prompt, visible = told.get("prompt", _PLAIN_PROMPT), told.get("visible", "all")
    return [
        _answers(one["values"], told),
        f'asked as "{prompt}"' if prompt != _PLAIN_PROMPT else "",
        f"context visible {visible!r}" if visible != "all" else "",
    ]


def _answers(values: Mapping[str, Any], told: Mapping[str, Any]) -> str:
    """The metric and, where one was used, the rule of normalisation."""
    if "multiple_choice" in values:
        return "percent of right choices"
    if "exact" in values:
        return "percent, exact match of the one answer, as written and normalised"
    rule = told.get("normalisation")
    return "percent, leave-one-out accuracy" + (f", answers normalised by rule `{rule}`" if rule else "")


def _captioning(one: Mapping[str, Any]) -> list[str]:
    told = one.get("told", {})
    tokens = f", {told['tokenizer']} tokens" if "tokenizer" in told else ""
    prompt = told.get("prompt")
    return [
        f"pycocoevalcap's scales times 100{tokens}; CIDEr is CIDEr-D",
        f'sentences begin with "{prompt}", which is not scored' if prompt else "",
    ]


def _retrieval(one: Mapping[str, Any]) -> list[str]:
    told = one.get("told", {})
    folds = told.get("folds", 1)
    return [
        "percent, TR: find a text of an image, IR: find the image of a text",
        f"mean of {folds} folds, each a gallery of its own" if folds > 1 else "",
        "texts that read as a right one do not compete" if told.get("same_texts") else "",
        _order(told) if "rule" in told else "",
        str(told.get("note", "")),
    ]


def _order(told: Mapping[str, Any]) -> str:
    """How many items were judged beside vectors, in which direction, and what ordered them."""
    k, rule = told.get("k", 0), _ORDERED.get(told["rule"], told["rule"])
    if not k:
        return f"all pairs ordered by {rule}"
    by = told.get("shortlist", "vectors")
    return f"each direction its own shortlist of k = {k} by {by}, ordered by {rule}; all others below it by {by}"


def _classification(one: Mapping[str, Any]) -> list[str]:
    told = one.get("told", {})
    templates = list(told.get("templates", ()))
    unknown, unlabelled = told.get("labels_not_in_training", 0), told.get("unlabelled", 0)
    many = f"mean of {len(templates)} templates, first " if len(templates) > 1 else ""
    return [
        f"percent; {told['classes']} classes" if "classes" in told else "percent",
        f'class prompts: {many}"{templates[0]}"' if templates else "",
        f"{_count(told['cut_prompts'], 'class prompt')} cut (text.length)" if told.get("cut_prompts") else "",
        f"{_count(unknown, 'image')} of classes that training does not have" if unknown else "",
        f"{_count(unlabelled, 'image')} without a label left out" if unlabelled else "",
    ]


_MEANINGS: Mapping[str, Callable[[Mapping[str, Any]], list[str]]] = {
    "vqa": _vqa, "captioning": _captioning, "retrieval": _retrieval, "classification": _classification,
}


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}" + ("" if number == 1 else "s")
