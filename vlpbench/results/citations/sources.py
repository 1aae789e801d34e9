"""Which entries stand behind a metric's name, and behind what a data set or its files are called."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

__all__ = ["keys_of_metric", "keys_of_names"]

_METRICS: Mapping[str, tuple[str, ...]] = {
    "accuracy": ("antol2015vqa", "goyal2017vqa2"),
    "multiple_choice": ("antol2015vqa",),
    "Bleu": ("papineni2002bleu",),
    "ROUGE_L": ("lin2004rouge",),
    "METEOR": ("denkowski2014meteor",),
    "CIDEr": ("vedantam2015cider",),
    "SPICE": ("anderson2016spice",),
    "R@": ("hodosh2013ranking",),
}
"""What a metric is called, from its beginning on -> what it comes from."""

_SETS: Mapping[str, tuple[str, ...]] = {
    "visual7w": ("zhu2016visual7w",),
    "flickr8k": ("hodosh2013ranking",),
    "flickr30k": ("young2014flickr30k",),
    "nocaps": ("agrawal2019nocaps",),
    "okvqa": ("marino2019okvqa",),
    "gqa": ("hudson2019gqa",),
    "cc3m": ("sharma2018cc3m",),
    "cc12m": ("changpinyo2021cc12m",),
    "conceptual12m": ("changpinyo2021cc12m",),
    "conceptualcaptions": ("sharma2018cc3m",),
    "sbu": ("ordonez2011sbu",),
    "laion": ("schuhmann2021laion",),
    "visualgenome": ("krishna2017visualgenome",),
    "imagenet": ("deng2009imagenet",),
    "coco": ("lin2014coco", "chen2015cococaptions"),
    "c4": ("raffel2020t5",),
    "karpathy": ("karpathy2015splits",),
}
"""A word in a data set's name or in the names of its files -> what it probably is."""

_SHORT = frozenset({"gqa", "sbu", "c4"})
"""Words that are also parts of others: they must stand alone."""


def keys_of_metric(task: str, metric: str) -> tuple[str, ...]:
    """The entries behind a metric of a task; none where it is plain counting."""
    name = metric.partition("[")[0]
    kind = task.partition("@")[0]
    if kind == "retrieval":
        return _METRICS["R@"] if "R@" in name else ()
    if name == "accuracy" and kind != "vqa":
        return ()
    return next((keys for start, keys in _METRICS.items() if name.startswith(start)), ())


def keys_of_names(name: str, settings: Mapping[str, Any]) -> tuple[str, ...]:
    """The sets that a data set seems to be, by its name and by the names of its files and folders."""
    words = re.findall(r"[a-z0-9]+", " ".join([name, *_texts(settings)]).lower())
    joined = re.sub(r"[^a-z0-9]", "", "".join(words))
    found = [keys for word, keys in _SETS.items() if (word in words if word in _SHORT else word in joined)]
    return tuple(dict.fromkeys(key for keys in found for key in keys))


def _texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    parts = value.values() if isinstance(value, Mapping) else value if isinstance(value, list | tuple) else ()
    return [text for part in parts for text in _texts(part)]
