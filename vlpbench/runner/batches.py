"""The batches that pretraining sees: pairs, texts or both in each step, each from one data set or several by weight."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from vlpbench.config.sums import parse_sum
from vlpbench.data.ahead import threads
from vlpbench.data.examples import Examples, caption_examples
from vlpbench.data.joint_loader import JointLoader
from vlpbench.data.loader import Loader, Surgery
from vlpbench.data.mixture import Mixture, mixed
from vlpbench.errors import UserError
from vlpbench.runner.workbench import TermPlan, Workbench

__all__ = ["pretraining_loader", "surgery", "validation_loader"]

Kind = Literal["pairs", "texts"]

KINDS: tuple[Kind, ...] = ("pairs", "texts")

MOST = 50
"""Steps of one look at the validation split, at most."""


def pretraining_loader(bench: Workbench) -> JointLoader:
    """All steps of the pretraining; `data show` prints one of them. Nothing to learn from is a UserError."""
    steps = max(1, bench.settings.budget.samples // bench.settings.budget.batch)
    loaders = [loader for kind in KINDS if (loader := _loader(bench, kind, "train", steps))]
    if not loaders:
        raise UserError(
            f"{bench.settings.objective!r} has nothing to learn from: data is {bench.settings.data!r}, "
            f"texts is {bench.settings.texts!r}", "data", "name a data set of pairs (data) or of texts (texts)",
        )
    return JointLoader(tuple(loaders))


def validation_loader(bench: Workbench) -> JointLoader:
    """Some steps of the validation split, the same at each look; data sets without one are left out."""
    loaders = [loader for kind in KINDS if (loader := _loader(bench, kind, "val", MOST))]
    if not loaders:
        settings = bench.settings
        raise UserError(
            f"there is no validation split to look at: data is {settings.data!r}, texts is {settings.texts!r}",
            "budget.looks",
            "set it to 0, or name a data set with a validation split",
        )
    steps = min([MOST, *(max(1, len(loader.examples) // loader.batch) for loader in loaders)])
    return JointLoader(tuple(replace(loader, steps=steps) for loader in loaders))


def _sources(bench: Workbench, kind: Kind, split: str) -> list[tuple[float, str]]:
    """Weight and name of each data set of one kind; where only looked at, of those that have the split."""
    said = bench.settings.data if kind == "pairs" else bench.settings.texts
    named = [(weight, name) for weight, name in parse_sum(said, what="data set") if name != "none"]
    return [one for one in named if split == "train" or split in bench.dataset(one[1]).splits()]


def _loader(
    bench: Workbench, kind: Kind, split: Literal["train", "val"], steps: int
) -> Loader | None:
    """The batches of one kind; None where no data set is named or no objective learns from it."""
    settings = bench.settings
    terms = [plan for plan in bench.terms if kind in plan.objective.uses]
    sources = _sources(bench, kind, split)
    batch = settings.budget.batch if kind == "pairs" else settings.budget.texts
    if not terms or not sources or batch == 0:
        return None
    stream = {"pairs": "pretrain", "texts": "pretrain/texts"}[kind] + ("" if split == "train" else "/validation")
    return Loader(
        _examples(bench, kind, sources, split, terms),
        [surgery(plan) for plan in terms],
        bench.tokenizer.vocabulary,
        settings.image,
        settings.seed,
        batch,
        steps=steps,
        stream=stream,
        workers=threads(bench.pace.workers, bench.device) if split == "train" else 0,
        captions=settings.budget.captions if kind == "pairs" and split == "train" else 1,
        lengths=settings.text.lengths if split == "train" else "one",
        device=bench.device,
        resident=bench.pace.resident if split == "train" else "never",  # a look is too short to win back the copy
    )


def surgery(plan: TermPlan) -> Surgery:
    """What an objective of the sum does to each batch on the host."""
    objective = plan.objective
    return Surgery(objective.name, objective.corrupt, plan.config, tuple(objective.wants), objective.views)


def _examples(
    bench: Workbench, kind: Kind, sources: Sequence[tuple[float, str]], split: Literal["train", "val"],
    terms: Sequence[TermPlan],
) -> Examples | Mixture:
    wants = tuple(dict.fromkeys(name for plan in terms for name in plan.objective.wants))
    purpose: Literal["train", "select"] = "train" if split == "train" else "select"
    splits = [bench.split(name, split, purpose) for _, name in sources]
    for (_, name), one in zip(sources, splits, strict=True):
        _refuse_other_kind(kind, name, len(one.pixels) > 0)
    text = bench.settings.text
    drawn = text.rewrites and kind == "pairs" and split == "train"  # a look compares rows, so it is at captions alone
    more = "rewrites" if drawn else ""
    parts = [caption_examples(one, bench.tokenizer, text.length, wants, more) for one in splits]
    return mixed(parts, [weight for weight, _ in sources])


def _refuse_other_kind(kind: Kind, name: str, has_images: bool) -> None:
    """UserError for texts alone that are named as pairs, and the other way round."""
    if kind == "pairs" and not has_images:
        raise UserError(f"{name!r} is a set of texts without pictures, so it gives no pairs", "data",
                        "name it under `texts`, and a set with pictures here, or \"none\"")
    if kind == "texts" and has_images:
        raise UserError(f"{name!r} is a set with pictures, and texts are read without", "texts",
                        "name it under `data`, and a set of texts alone here (kind text, or a world's: digits-texts)")
