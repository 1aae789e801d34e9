"""The items of NeurIPS' paper checklist (its numbering since 2024) that records bear on."""

from __future__ import annotations

from collections.abc import Iterator

from vlpbench.results.checklist.experiment import bounds, compared, splits, training, was_tuned
from vlpbench.results.checklist.item import Item
from vlpbench.results.checklist.origin import (
    commands,
    data_sources,
    files_of_others,
    licences,
    starting_weights,
    versions,
)
from vlpbench.results.checklist.spent import machines, time_in_all, times
from vlpbench.results.checklist.spread import spread
from vlpbench.results.checklist.study import Study, listed

__all__ = ["neurips"]

_REST = (
    "Claims, limitations, theory; ethics, impact, safeguards; new assets, work with people, review boards, use of "
    "language models"
)


def neurips(study: Study) -> Iterator[Item]:
    """Each item with what the records say."""
    yield _item("4", "Can others reproduce the main results from what is disclosed?",
                [*compared(study), *versions(study), *commands(study)],
                ["describe the method itself; a record says which code ran, not why it works"])
    yield _item("5", "Are code and data open, with what is needed to run them?",
                [*commands(study), *data_sources(study)], _access(study))
    tuned = was_tuned(study)
    yield _item("6", "Are data splits and hyper-parameters given, and how they were chosen?",
                [*training(study), *splits(study), *(bounds(study) if tuned else ())],
                [] if tuned else [_UNTUNED])
    yield _item("7", "Are there error bars or tests, and is it said what they are?", list(spread(study)),
                ["say which of these your own table prints; `vlpbench report table` writes its caption so"])
    yield _item("8", "What was computed on, how long did a run and everything take?",
                [*machines(study), *times(study), *time_in_all(study)],
                ["add what was spent before and beside these results: the records know nothing of it"])
    yield _item("12", "Are assets of others credited, with their licences?", list(licences(study)), _credit(study))
    yield _item("1 to 3, 9 to 11, 13 to 16", _REST, [], ["answer these yourself: records know nothing of them"])


_UNTUNED = (
    "say how these settings were chosen: the records hold no search (`[tune]`), and know nothing of runs made elsewhere"
)


def _access(study: Study) -> list[str]:
    files = files_of_others(study)
    said = ["say where your code, grid file and plugins are published"]
    where = f"say where to get the files of {listed(files)}: a record holds only their fingerprint"
    return [*said, where] if files else said


def _credit(study: Study) -> list[str]:
    files, weights = files_of_others(study), starting_weights(study)
    said = ["cite the papers: `vlpbench cite RESULTS` prints them"]
    said += [f"name the licence and terms of {listed(files)}: no record holds them"] if files else []
    return said + ([f"name the licence of the weights that cells start from ({listed(weights)})"] if weights else [])


def _item(number: str, asks: str, says: list[str], must: list[str]) -> Item:
    return Item("NeurIPS", number, asks, tuple(says), tuple(must))
