"""In forks of the kit's second process: one share of a joint gradient each.

Axes: B samples.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

from vlpbench.config.typed import make
from vlpbench.testing.learning import Study
from vlpbench.testing.references import Reference
from vlpbench.testing.subject import Subject

__all__ = ["gradient_share"]


def gradient_share(job: dict[str, Any], folder: Path, rank: int) -> dict[str, Any]:
    """Build the same learner, take this rank's rows of the first step, write loss and gradient to a file."""
    many = int(job["ranks"])
    torch.set_num_threads(1)
    study = Study.of(_subject(job))
    if many > 1:
        torch.distributed.init_process_group("gloo", f"file://{folder}/meet", rank=rank, world_size=many)
    try:
        share = int(job["samples"]) // many
        rows = slice(rank * share, (rank + 1) * share)
        study.batches = [{kind: batch.rows(rows) for kind, batch in study.batches[0].items()}]
        loss, gradient = study.gradient()
    finally:
        if many > 1:
            torch.distributed.destroy_process_group()
    save_file({"loss": loss, **gradient}, folder / f"gradient{rank}.safetensors")
    return {"written": True}


def _subject(job: dict[str, Any]) -> Subject:
    cls = Reference(**job["class"]).find()
    trunks = tuple(Reference(**one).find() for one in job["trunks"])
    backbone = None if job["backbone"] is None else Reference(**job["backbone"]).find()
    return Subject(cls, make(cls.config_class, job["config"]), trunks, backbone)

