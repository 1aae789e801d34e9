"""The class of each picture: the sample field `label`, which probes and zero-shot classification go by."""

from __future__ import annotations

from typing import Any

from vlpbench.data.errors import DataError
from vlpbench.data.splits import Split
from vlpbench.types import Sample

__all__ = ["LABEL", "labels_of"]

LABEL = "label"
"""The sample field that holds the name of the picture's class, a text that is not empty; one a sample."""


def labels_of(split: Split) -> tuple[str, ...]:
    """The class of each sample (N) of an open split. DataError for a set without labels, or with some that are none."""
    found = [sample.fields.get(LABEL) for sample in split.samples]
    place = f"data set of kind {split.dataset!r}, split {split.name!r}"
    if not any(LABEL in sample.fields for sample in split.samples):
        raise DataError("its pictures have no classes", place,
                        'use a set of class folders (kind = "folders"), a table with `label`, or a built-in world')
    for sample, label in zip(split.samples, found, strict=True):
        if not isinstance(label, str) or not label.strip():
            raise DataError(f"{_named(sample)} has {_said(sample, label)}", place,
                            "give every sample the name of a class")
    return tuple(str(label) for label in found)


def _named(sample: Sample) -> str:
    return f"sample {sample.id}" + (f" ({sample.image})" if sample.image else "")


def _said(sample: Sample, label: Any) -> str:
    return f"the label {label!r}, which names no class" if LABEL in sample.fields else "no label, though others have"
