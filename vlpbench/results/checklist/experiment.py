"""How it was done: splits, settings, how they were chosen, what was done to pictures and texts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import isnan, nan
from typing import Any

from vlpbench.results.checklist.study import Study, by_rows, listed
from vlpbench.results.meanings import sizes
from vlpbench.results.notes import protocol_notes
from vlpbench.results.shared_images import overlap_notes

__all__ = ["bounds", "compared", "preprocessing", "scored", "splits", "training", "validation_scores", "was_tuned"]

_SPLITS = ("train", "val", "test")
_PRIMARY = ("accuracy", "exact_normalised", "multiple_choice", "CIDEr", "TR@1", "IR@1", "mean_per_class")


def compared(study: Study) -> Iterator[str]:
    """What grids ask, and the settings in which rows differ."""
    for order in study.results.orders:
        rows = [row for row in order.rows if any(one.asked["row"] == row for one in study.records)]
        asks = f", which asks: {order.description}" if order.description else ""
        yield f"grid {order.name}{asks.rstrip('.')}; rows: {listed(rows)}" if rows else f"grid {order.name}{asks}"
    keys = dict.fromkeys(key for one in study.settings for key in one)
    differ = [key for key in keys if len(study.said(key)) > 1 and not key.startswith(("objective.", "trunk.", "data."))]
    if differ:
        yield f"settings in which rows differ: {listed(differ)}; all others are alike"


def scored(study: Study) -> Iterator[str]:
    """What each task was scored on."""
    yield from dict.fromkeys(
        f"{task}: scored on {sizes(one)} of the {one['split']} split of {one['data']}"
        for record in study.records for task, one in record.scores["tasks"].items() if "values" in one
    )


def splits(study: Study) -> Iterator[str]:
    """Sizes of splits where settings tell them, and whether test images were trained on."""
    named = dict.fromkeys(
        _sizes(name, source) for one in study.records
        for name, source in one.asked["settings"].get("sources", {}).items()
    )
    yield from (said for said in named if said)
    yield from overlap_notes((one.asked["row"], one.asked["settings"], one.scores) for one in study.records)


def _sizes(name: str, source: Mapping[str, Any]) -> str:
    """The sizes that the settings of a made data set say."""
    known = [f"{split} {source[split]:,}" for split in _SPLITS if isinstance(source.get(split), int)]
    unit = "texts" if str(source.get("kind", "")).endswith("-texts") else "images"
    return f"{name}: {', '.join(known)} {unit}" if known else ""


def training(study: Study) -> Iterator[str]:
    """What pretraining and readouts did, the optimiser, and where every setting stands."""
    yield from protocol_notes(study.results)
    parts = {
        "learning rate": "optim.lr", "warm-up share": "optim.warmup", "weight decay": "optim.weight_decay",
        "beta1": "optim.beta1", "beta2": "optim.beta2", "gradient clip": "optim.clip", "batch": "budget.batch",
    }
    known = [f"{word} {by_rows(study.said(key))}" for word, key in parts.items() if study.said(key)]
    if known:
        yield f"optimiser of pretraining: AdamW, linear warm-up, then linear decay; {', '.join(known)}"
    tasks = dict.fromkeys(task for one in study.records for task in one.asked["settings"].get("protocol", {}))
    for task in tasks:
        said = {word: study.said(f"protocol.{task}.{word}") for word in ("lr", "warmup", "batch")}
        found = [f"{word} {by_rows(values)}" for word, values in said.items() if values]
        if found:
            yield f"readout of {task}: {', '.join(found)}"
    if study.records:
        yield "every setting of every cell is in its record (settings.json; in Python `results.settings()`)"


def was_tuned(study: Study) -> bool:
    """Whether `[tune]` tried anything."""
    return any(one.scores.get("tuned", {}).get("tried") for one in study.records)


def bounds(study: Study) -> Iterator[str]:
    """Bounds of each setting that was tried, the number of tries, and what each row got; nothing where none was."""
    tried: dict[str, dict[Any, None]] = {}
    counts: dict[int, dict[str, None]] = {}
    failed = 0
    seen = set()
    for one in study.records:
        tuned = one.scores.get("tuned", {})
        mark = str(tuned)
        if not tuned.get("tried"):
            continue
        counts.setdefault(len(tuned["tried"]), {})[one.asked["row"]] = None
        for each in tuned["tried"]:
            for key, value in each["settings"].items():
                tried.setdefault(key, {})[str(value) if isinstance(value, list | dict) else value] = None
        failed += 0 if mark in seen else sum(each["score"] is None for each in tuned["tried"])
        seen.add(mark)
    for key, values in tried.items():
        yield f"{key}: {_bounds(list(values))}"
    if counts:
        every = {count: list(rows) for count, rows in counts.items()}
        yield f"search trials a row: {by_rows(every)}, every combination"
    if failed:
        yield f"{failed} of the tries have no score (their loss was no number, or they could not be run)"


def _bounds(values: list[Any]) -> str:
    if all(isinstance(one, int | float) and not isinstance(one, bool) for one in values):
        return f"{min(values):g} to {max(values):g} (tried: {', '.join(f'{one:g}' for one in sorted(values))})"
    return f"one of {', '.join(map(str, values))}"


def validation_scores(study: Study) -> Iterator[str]:
    """Scores on validation splits that are in the records: of tries, and of cells scored there."""
    for row, score, task in dict.fromkeys(_of_tries(study)):
        yield f"{row}: the chosen try scored {score:.4g} in {task} on the validation split (seed 0)"
    values = study.results.frame
    values = values[(values["split"] == "val") & values["value"].notna()]
    if len(values):
        tasks = listed(dict.fromkeys(f"{one.task} {one.metric}" for one in values.itertuples()))
        yield f"{values['cell'].nunique()} cells are scored on the validation split: {tasks}"
        yield from _beside_test(study)
    looks = {count: rows for count, rows in study.said("budget.looks").items() if count}
    if looks:
        yield f"pretraining's loss was measured on the validation split, too, so many times: {by_rows(looks)}"


def _beside_test(study: Study) -> Iterator[str]:
    """Rows that are scored on both splits: means over seeds of each task's first metric, on the frame's scale."""
    frame = study.results.frame[study.results.frame["metric"].isin(_PRIMARY) & study.results.frame["value"].notna()]
    means = frame.groupby(["row", "task", "metric", "split"], sort=False)["value"].mean().unstack()
    lines: Mapping[Any, Mapping[Any, float]] = means.to_dict("index")
    for (row, task, metric), one in lines.items():
        if not isnan(one.get("val", nan)) and not isnan(one.get("test", nan)):
            yield f"{row}: {task} {metric} {one['val']:.4g} on validation, {one['test']:.4g} on test"


def _of_tries(study: Study) -> Iterator[tuple[str, float, str]]:
    for one in study.records:
        tuned = one.scores.get("tuned", {})
        for each in tuned.get("tried", ()):
            if each["settings"] == tuned.get("choice") and each["score"] is not None:
                yield one.asked["row"], float(each["score"]), str(tuned.get("task", "vqa"))


def preprocessing(study: Study) -> Iterator[str]:
    """What was done to pictures and texts, and what was left out or cut."""
    parts = {
        "pictures": {"pixels a side": "image.size", "least area of random crops": "image.crop", "flipped": "image.flip",
                     "mean": "image.mean", "standard deviation": "image.std"},
        "texts": {"tokens at most": "text.length", "words of the vocabulary": "text.vocabulary",
                  "in small letters": "text.lowercase"},
    }
    for what, keys in parts.items():
        known = [f"{word} {by_rows(study.said(key))}" for word, key in keys.items() if study.said(key)]
        if known:
            yield f"{what}: {', '.join(known)}"
    left = {split: said for one in study.records for split, said in one.scores.get("left_out", {}).items()}
    yield from (f"{split}: {said['count']:,} samples were left out as broken" for split, said in left.items())
    if not left and study.records:
        yield "no sample was left out"
    cuts = [one.scores["cut_texts"] for one in study.records if one.scores.get("cut_texts", {}).get("cut")]
    if cuts:
        most = max(cuts, key=lambda one: one["cut"])
        yield f"up to {most['cut']:,} of {most['of']:,} texts were cut at {most['length']} tokens"
