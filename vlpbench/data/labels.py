"""Labels: the class of a picture, for the probe and for zero-shot classification."""

from __future__ import annotations

from vlpbench.data.errors import DataError
from vlpbench.data.splits import Split
from vlpbench.types import Sample

__all__ = ["LABEL", "label_of"]

LABEL = "label"
"""The sample field that holds the name of the picture's class, a text; one a sample."""


def label_of(sample: Sample, split: Split) -> str:
    """The name of a sample's class; empty where it has none. DataError for a label that is no text."""
    label = sample.fields.get(LABEL)
    if label is None:
        return ""
    if not isinstance(label, str):
        raise DataError(
            f"the label of sample {sample.id} is {label!r}, not a text",
            f"data set of kind {split.dataset!r}, split {split.name!r}",
            'a label is the name of a class: fields={"label": "dog"}',
        )
    return label
