"""What must be said under a table so that its numbers can be judged: n, what ± means, budgets, readouts, splits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vlpbench.results.frame import Results

__all__ = ["notes"]


def notes(results: Results) -> list[str]:
    """One sentence a line."""
    said = [_seeds(results)]
    budgets: dict[str, None] = {}
    ceilings: dict[str, None] = {}
    for _, cell in results.finished():
        settings, scores = cell.read("settings.json"), cell.read("scores.json")
        budgets.update(dict.fromkeys(_budgets(settings, scores)))
        ceilings.update(dict.fromkeys(_ceilings(scores)))
        budgets.update(dict.fromkeys(_left_out(scores)))
    said += [*budgets, *ceilings]
    bad = results.frame[results.frame["status"].isin(["failed", "damaged"])]
    for cell, reason in dict(zip(bad["cell"], bad["reason"], strict=True)).items():
        said.append(f"cell {cell} is not in the table: {reason}")
    return [line for line in said if line]


def _seeds(results: Results) -> str:
    done = results.frame[results.frame["status"] == "done"]
    seeds = sorted(int(seed) for seed in done["seed"].unique())
    if not seeds:
        return "no cell has finished"
    spread = "mean ± standard deviation over seeds" if len(seeds) > 1 else "one seed: no spread is known"
    which = f"n = {len(seeds)}: seeds {', '.join(map(str, seeds))}"
    return f"{spread} ({which}; equal seeds share data order and initial weights)"


def _budgets(settings: dict[str, Any], scores: dict[str, Any]) -> list[str]:
    found = [f"pretraining: {settings['settings']['budget']['samples']:,} samples of {settings['settings']['data']}"]
    rule = {"last": "last weights", "validation": "best weights on validation"}
    for task, one in scores["tasks"].items():
        if "values" not in one:
            continue
        tuned = "zero-shot"
        if one["protocol"] == "fine-tune":
            tuned = f"fine-tuned on {one['fine_tune']['samples']:,} samples"
        found.append(
            f"{task}: {tuned}, readout {one['head']!r}, {rule[one['select']]}; {one['examples']:,} examples "
            f"of the {one['split']} split of {one['data']}{_MEANING[task.partition('@')[0]]}"
        )
    return found


_MEANING = {
    "vqa": "; percent, leave-one-out accuracy over ten answers or exact match of one, both sides normalised (`always`)",
    "captioning": "; pycocoevalcap's BLEU-4 and CIDEr (CIDEr-D) times 100, tokens as its PTB tokenizer cuts them",
    "retrieval": "; percent, TR: find a text of an image, IR: find the image of a text",
}


def _ceilings(scores: dict[str, Any]) -> list[str]:
    return [
        f"{task}: the answer vocabulary allows {metric} {value:.1f} at most"
        for task, one in scores["tasks"].items()
        for metric, value in one.get("ceilings", {}).items()
    ]


def _left_out(scores: dict[str, Any]) -> list[str]:
    return [
        f"{split}: {said['count']:,} samples left out (first: {said['first'][0]})"
        for split, said in scores["left_out"].items()
    ]
