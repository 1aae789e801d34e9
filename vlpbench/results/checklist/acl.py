"""The reproducibility items that ACL venues ask of reported experiments."""

from __future__ import annotations

from collections.abc import Iterator

from vlpbench.metrics import VERSION
from vlpbench.results.checklist.experiment import (
    bounds,
    compared,
    preprocessing,
    scored,
    splits,
    training,
    validation_scores,
    was_tuned,
)
from vlpbench.results.checklist.item import Item
from vlpbench.results.checklist.origin import commands, data_sources, files_of_others, versions
from vlpbench.results.checklist.spent import machines, parameters, time_in_all, times
from vlpbench.results.checklist.spread import runs, spread
from vlpbench.results.checklist.study import Study, listed
from vlpbench.results.tuning import tuning_notes

__all__ = ["acl"]

_NO_SEARCH = (
    "the records hold no search (`[tune]`): say how settings were chosen, within which bounds, in how many runs"
)


def acl(study: Study) -> Iterator[Item]:
    """Each item with what the records say."""
    tuned = was_tuned(study)
    yield _item("A clear description of model and setting", [*compared(study), *training(study)],
                ["describe the method"])
    yield _item("Source code, with its dependencies", [*versions(study), *commands(study)], ["link it"])
    yield _item("Computing infrastructure", machines(study), [] if study.cost.machines else ["no record tells of it"])
    yield _item("Average runtime of each model, or energy", [*times(study), *time_in_all(study)], [])
    yield _item("Number of parameters of each model", parameters(study), [])
    yield _item("Validation score for each test score", validation_scores(study), _validation(study))
    yield _item("Metrics, with the code that computes them", _metrics(study), [])
    yield _item("Exact number of training and evaluation runs", runs(study), [])
    yield _item("Bounds of each hyper-parameter, and number of search trials", bounds(study),
                [] if tuned else [_NO_SEARCH])
    yield _item("Configuration of the best models", _best(study), [] if tuned else [_NO_SEARCH])
    yield _item("How settings were chosen, and by which criterion", _criterion(study), [] if tuned else [_NO_SEARCH])
    yield _item("Summary statistics: mean, variance, error bars", spread(study), [])
    yield _item("Sizes of training, validation and test splits", [*scored(study), *splits(study)], _sizes(study))
    yield _item("Pre-processing, and what was excluded", preprocessing(study), [])
    files = files_of_others(study)
    yield _item("Where to get the data, and its language", data_sources(study),
                ["name the language of texts", *([f"link {listed(files)}"] if files else [])])


def _metrics(study: Study) -> Iterator[str]:
    done = study.results.frame[study.results.frame["value"].notna()]
    for task in done["task"].unique():
        names = done[done["task"] == task]["metric"].unique()
        yield f"{task}: {listed(name for name in names if '[' not in name)}"
    found = sorted({int(one) for one in done["metrics_version"].dropna().unique()})
    if found:
        yield f"computed by `vlpbench.metrics`, version {', '.join(map(str, found))} (here: {VERSION})"


def _best(study: Study) -> Iterator[str]:
    """The choices of a search, or that there is nothing to choose from."""
    if was_tuned(study):
        yield from tuning_notes((one.asked["row"], one.asked["settings"], one.scores) for one in study.records)


def _criterion(study: Study) -> Iterator[str]:
    if was_tuned(study):
        yield ("every combination was pretrained and fine-tuned once at seed 0, the highest primary metric of the task "
               "on the validation split won, of equals the first; seeds and blind rows share the choice")
    rules = {"last": "the last weights of a fine-tune are evaluated: nothing is chosen there",
             "validation": "of each fine-tune the weights that scored best on the validation split are evaluated"}
    yield from (rules[one] for one in study.said("select") if one in rules)


def _validation(study: Study) -> list[str]:
    """What is missing, where cells are scored on test alone."""
    if not study.records:
        return ["no cell has finished"]
    frame = study.results.frame
    on_test, on_val = (set(frame[frame["split"] == split]["row"]) for split in ("test", "val"))
    alone = [row for row in on_test if row not in on_val]
    if not alone:
        return []
    remedy = "run the grid with -S split=val, too, and name both results folders"
    return [f"test scores stand alone in {len(alone)} {'row' if len(alone) == 1 else 'rows'}: {remedy}"]


def _sizes(study: Study) -> list[str]:
    files = files_of_others(study)
    return [f"give the sizes of the splits of {listed(files)}: a record says what was scored alone"] if files else []


def _item(asks: str, says: Iterator[str] | list[str], must: list[str]) -> Item:
    return Item("ACL", "", asks, tuple(says), tuple(must))
