"""The frame's columns: what each means, in which unit, and which version of them a file was written with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from vlpbench.errors import UserError
from vlpbench.results.metric_names import better

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["COLUMNS", "FRAME_SCHEMA", "NUMBERS", "upgraded"]

FRAME_SCHEMA = 4
"""Version of the columns; earlier ones lacked those of `_SINCE`."""

COLUMNS: Mapping[str, str] = {
    "grid": "name of the grid",
    "row": "line of the table",
    "cell": "id of the cell (12 hexadecimal digits)",
    "objective": "weighted sum of objectives, or none",
    "stem": "image to tokens",
    "trunk": "wiring of the transformer",
    "size": "nano to huge",
    "seed": "equal seeds are paired across rows",
    "blind": "whether every image was blanked",
    "task": "vqa, captioning, retrieval, classification; behind an @ its form, and its protocol if it is no fine-tune",
    "protocol": "fine-tune, probe or zero-shot",
    "head": "form of the readout",
    "data": "data set that was scored",
    "split": "split that was scored",
    "examples": "number of questions, pictures or queries that were scored",
    "images": "number of images that were scored",
    "normalisation": "rule by which answers were normalised (2016, 2021, always), or none; empty where there are none",
    "metric": "name of the score",
    "better": "which end of its scale is good: higher or lower; empty for what is no score",
    "value": "percent, but for captions pycocoevalcap's own scale; NaN where there is none",
    "published": "the number that a paper prints for this row, where the grid gives one",
    "status": "done, failed, timeout, pending, damaged, or n/a",
    "reason": "why there is no value",
    "metrics_version": "version of the metric set that measured it; of a plugin's metric its own",
    "parameters": "trained numbers of the backbone as pretrained, or as its tasks ask for it where nothing is",
    "image_tokens": "P, tokens of a picture",
    "samples": "samples seen in pretraining",
    "target_tokens": "terms that the pretraining loss was a mean of: target tokens, or pairs",
    "flops": "floating-point operations of pretraining, counted",
    "fine_tune_samples": "samples seen in this task's fine-tune",
    "fine_tune_flops": "floating-point operations of this task's fine-tune, counted",
    "seconds": "wall time of the cell's stages; one that it found made by another cell took it nothing",
    "alone_seconds": "the same as if it had found nothing made",
    "peak_bytes": "most memory that the cell held: of the device on a GPU, of the process on a CPU",
    "pairs_per_second": "pairs a second of pretraining where it was made, without its first step",
    "tflops": "10^12 floating-point operations a second of the same steps",
    "device": "device's model",
}
"""Each column with its meaning and unit."""

_SINCE = {
    **dict.fromkeys(("examples", "fine_tune_flops", "alone_seconds", "peak_bytes"), 2), "better": 3,
    **dict.fromkeys(("pairs_per_second", "tflops"), 4),
}
"""Column -> the first version that has it; 1 for all others."""
_FLOATS = (
    "value", "published", "flops", "fine_tune_flops", "seconds", "alone_seconds", "peak_bytes", "pairs_per_second",
    "tflops",
)
_WHOLE = (
    "images", "examples", "metrics_version", "parameters", "image_tokens", "samples", "target_tokens",
    "fine_tune_samples",
)

NUMBERS = (*_FLOATS, *_WHOLE)
"""Columns of numbers that may be missing."""


def upgraded(frame: pd.DataFrame, schema: int, place: str = "") -> pd.DataFrame:
    """A frame of an earlier version with the columns and types of this one; what it did not tell is missing.

    UserError for a version that is not known yet, and where columns of its version are missing.
    """
    if not 1 <= schema <= FRAME_SCHEMA:
        raise UserError(
            f"the frame has columns of version {schema}, and this vlpbench knows {FRAME_SCHEMA}", place,
            "read it with the vlpbench that wrote it, or a later one",
        )
    lacking = [name for name in COLUMNS if name not in frame and schema >= _SINCE.get(name, 1)]
    if lacking:
        raise UserError(f"it is no frame of results: column {lacking[0]!r} is missing", place,
                        "name a results folder, or what Results.export wrote")
    found = frame.reindex(columns=list(COLUMNS))
    if schema < _SINCE["better"]:
        found["better"] = [(better(metric) or "") if metric else "" for metric in found["metric"].fillna("")]
    found["better"] = found["better"].astype(object).fillna("")  # numbers, where every cell failed
    return found.astype(dict.fromkeys(_FLOATS, "float64") | dict.fromkeys(_WHOLE, "Int64"))
