"""COCO caption files scored: BLEU, ROUGE-L and CIDEr without Java, METEOR and SPICE where they can run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from vlpbench.errors import UserError, unknown
from vlpbench.metrics.captions import METRICS, CaptionScores, caption_scores
from vlpbench.scoring.caption_files import Captioned, read_captions
from vlpbench.scoring.layout import columns, said
from vlpbench.scoring.per_example import Row
from vlpbench.scoring.scored import Scored

__all__ = ["CaptionFiles", "score_captions"]

SCALE = "pycocoevalcap's: 0 to 1, CIDEr and CIDEr-plain 0 to 10; papers print 100 times that"
NAMES = "CIDEr is pycocoevalcap's, which is CIDEr-D; CIDEr-plain has no clipping and no length penalty"


@dataclass(frozen=True)
class CaptionFiles:
    """What `vlpbench score captioning` is given."""

    annotations: Path
    """References, in the layout of COCO's captions files."""
    predictions: Path
    """Results: a list of `image_id` and `caption`."""
    metrics: str | None = None
    """Names of scores with commas between; None takes all."""
    tokenizer: Literal["python", "java"] = "python"
    """Who cuts captions into tokens; `java` is pycocoevalcap's own, to compare with."""
    spice: Path | None = None
    """The folder with SPICE's jars, which the user brings; None: no SPICE."""
    subset: bool = False
    """Whether annotated images may lack a prediction."""


def score_captions(files: CaptionFiles) -> Scored:
    """All caption scores of a results file; UserError names what is malformed, missing, doubled or too many."""
    wanted = _wanted(files.metrics)
    read = read_captions(files.annotations, files.predictions, files.subset)
    scores = caption_scores(read.predictions, read.references, wanted, files.tokenizer, files.spice)
    found: dict[str, Any] = {
        **{name: scores.scores.get(name) for name in wanted},
        "images": len(read.images),
        "images_annotated": read.annotated,
        "reasons": dict(scores.reasons),
        "tokenizer": files.tokenizer,
        "unit": SCALE,
        "notes": list(read.notes),
    }
    return Scored(found, _text(found, wanted), lambda: _rows(read, scores))


def _wanted(metrics: str | None) -> tuple[str, ...]:
    """The names of the scores asked for, in the order of every table."""
    if metrics is None:
        return tuple(METRICS)
    spellings = {_plain(name): name for name in METRICS}
    names = [name.strip() for name in metrics.split(",") if name.strip()]
    for name in names:
        if _plain(name) not in spellings:
            raise unknown("caption metric", name, METRICS, "--metrics")
    if not names:
        raise UserError("no metric is named", "--metrics", f"known: {', '.join(METRICS)}")
    asked = {spellings[_plain(name)] for name in names}
    return tuple(name for name in METRICS if name in asked)


def _plain(name: str) -> str:
    """A metric's name however it is typed: "BLEU-4" is "Bleu_4"."""
    return name.lower().replace("-", "_")


def _rows(read: Captioned, scores: CaptionScores) -> list[Row]:
    """One row an image; a score that is null for the set is null for each."""
    return [
        {
            "image_id": name,
            "caption": read.predictions[at],
            **{metric: scores.per_image.get(metric, {}).get(at) for metric in scores.scores},
        }
        for at, name in enumerate(read.images)
    ]


def _text(found: dict[str, Any], wanted: Sequence[str]) -> str:
    """A line a score. Four decimals: two would hide what papers print, which is 100 times these numbers."""
    lines = [[name, "-" if found[name] is None else f"{found[name]:.4f}"] for name in wanted]
    table = columns(["score", "value"], lines)
    notes = [f"scale: {SCALE}", f"{found['images']} images; tokens by the {found['tokenizer']} tokenizer"]
    if {"CIDEr", "CIDEr-plain"} & set(wanted):
        notes.append(NAMES)
    for reason in dict.fromkeys(found["reasons"].values()):
        names = [name for name, other in found["reasons"].items() if other == reason]
        notes.append(f"no {', '.join(names)}: {reason}")
    return table + "\n" + said([*notes, *found["notes"]])
