"""What the stages in a results folder took, each start of them as far as it could say.

A stage of predictions holds its fine-tune inside, a stage of tuning the stages of its tries: what was inside is taken
off, so that nothing counts twice. Of a compact copy, what it says of the stages that were left out.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from vlpbench.records import StageFolder, stage_folders
from vlpbench.results.compute.json_object import json_object
from vlpbench.results.compute.noted import Noted, note, noted
from vlpbench.results.grid_words import dotted

__all__ = ["StageTime", "note_times", "stage_times"]


@dataclass(frozen=True)
class StageTime:
    """One stage's folder."""

    name: str
    """Of the folder: kind and key."""
    finished: bool
    """Whether it ended well."""
    starts: int
    """How often it was begun; 0 where that is not known."""
    seconds: float | None
    """Wall time of all starts that could say, without the stages inside it; None where none could."""

    @property
    def kind(self) -> str:
        """ "tune", "pretrain", "fine-tune" or "predict"."""
        return self.name.rpartition("-")[0]


def stage_times(results: Path) -> list[StageTime]:
    """The stages of one results folder, by name; one that was left out and then made anew took the time of both."""
    said = noted(results)
    folders = [one for one in stage_folders(results) if not _is_noted(one, said)]
    found = {folder.path.name: _time(folder) for folder in folders}
    inside = _inside_predictions(folders, found) | _inside_tunings(folders, found)
    for outer, names in inside.items():
        one = found[outer]
        if one.seconds is not None:
            within = sum(found[name].seconds or 0.0 for name in names)
            found[outer] = replace(one, seconds=max(0.0, one.seconds - within))
    for before in said.values():
        found[before.name] = _both(before, found.get(before.name))
    return [found[name] for name in sorted(found)]


def note_times(results: Path, folder: Path, left_out: Collection[str]) -> None:
    """Write down in `folder` what those stages in `results` took that are left out there, and what is known of others.

    Where both are one folder, this is done before the stages go.
    """
    known, clocks = noted(results), {one.path.name: _time(one).seconds for one in stage_folders(results)}
    mine = {
        one.name: Noted(one.name, one.finished, one.starts, one.seconds,
                        clocks[one.name] if one.name in clocks else known[one.name].clock)
        for one in stage_times(results) if one.name in left_out or one.name in known
    }
    found = noted(folder) | mine
    note(folder, [found[name] for name in sorted(found)])


def _is_noted(folder: StageFolder, said: Mapping[str, Noted]) -> bool:
    """Whether a folder is that of a stage whose time is written down already."""
    one = said.get(folder.path.name)
    return one is not None and one.clock == _time(folder).seconds


def _both(before: Noted, again: StageTime | None) -> StageTime:
    """What is written down of a stage, and what it took when it was made anew."""
    if again is None:
        return StageTime(before.name, before.finished, before.starts, before.seconds)
    known = [one for one in (before.seconds, again.seconds) if one is not None]
    finished = before.finished or again.finished
    return StageTime(before.name, finished, before.starts + again.starts, sum(known) if known else None)


def _time(folder: StageFolder) -> StageTime:
    facts = folder.facts()
    starts, seconds = facts.get("starts", 0), facts.get("seconds")
    return StageTime(
        folder.path.name, folder.closed, starts if isinstance(starts, int) else 0,
        float(seconds) if isinstance(seconds, int | float) else None,
    )


def _inside_predictions(folders: Sequence[StageFolder], found: Mapping[str, StageTime]) -> dict[str, list[str]]:
    """Stage of predictions -> the fine-tune that was made inside it.

    Of several stages that ask one fine-tune, it lies in the longest: the others found it made. One that is shorter
    than the fine-tune, or was begun more often, was made after it.
    """
    asking: dict[str, list[StageTime]] = {}
    for folder in folders:
        one = found[folder.path.name]
        if one.kind == "predict" and one.seconds is not None:
            learnt = str(_decided(folder).get("learnt", ""))
            asking.setdefault(learnt, []).append(one)
    inside = {}
    for learnt, ones in asking.items():
        longest = max(ones, key=lambda one: one.seconds or 0.0)
        inner = found.get(learnt)
        if inner is None or inner.seconds is None or longest.starts != inner.starts:
            continue
        if (longest.seconds or 0.0) >= inner.seconds:
            inside[longest.name] = [learnt]
    return inside


def _inside_tunings(folders: Sequence[StageFolder], found: Mapping[str, StageTime]) -> dict[str, list[str]]:
    """Stage of tuning -> the stages of its tries, each in the first tuning that it fits."""
    tunings = {one.path.name: one for one in folders if found[one.path.name].kind == "tune"}
    if not tunings:
        return {}
    waiting = {
        one.path.name: _decided(one) for one in folders if found[one.path.name].kind in ("pretrain", "fine-tune")
    }
    inside: dict[str, list[str]] = {}
    for name, folder in tunings.items():
        said = _said(folder)
        tries = _tries(said)
        fit = [one for one, by in waiting.items() if any(_fits(by, settings) for settings in tries)]
        inside[name] = fit
        for one in fit:
            del waiting[one]
    return inside


def _tries(said: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The settings of each try that a tuning told of, under dotted keys."""
    asked, told = said.get("decided_by", {}).get("settings", {}), said.get("told", {})
    base = dotted({name: value for name, value in asked.items() if name != "tune"})
    base["budget.samples"] = told.get("samples", base.get("budget.samples"))
    return [base | _in_record_words(dotted(one.get("settings", {}))) for one in told.get("tried", ())]


def _in_record_words(changes: Mapping[str, Any]) -> dict[str, Any]:
    """Keys as a record has them: a grid file says `objective.NAME` and `trunk.NAME` for `objectives` and `wiring`."""
    found = {}
    for key, value in changes.items():
        table, _, rest = key.partition(".")
        names = {"objective": f"objectives.{rest}", "trunk": f"wiring.{rest.partition('.')[2]}"}
        found[names.get(table, key) if rest else key] = value
    return found


def _fits(decided: Mapping[str, Any], settings: Mapping[str, Any]) -> bool:
    """Whether a stage was decided by these settings, as far as it names them."""
    mine = dotted(decided.get("settings", {}))
    if task := decided.get("task"):
        mine |= dotted({"protocol": {task: decided.get("protocol", {})}})
    return bool(mine) and all(name in settings and settings[name] == value for name, value in mine.items())


def _decided(folder: StageFolder) -> Mapping[str, Any]:
    found = _said(folder).get("decided_by", {})
    return found if isinstance(found, dict) else {}


def _said(folder: StageFolder) -> Mapping[str, Any]:
    """What `stage.json` says, whole or not: only where time went is asked here."""
    return json_object(folder.path / "stage.json")
