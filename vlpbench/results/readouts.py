"""Notes on readouts: how each task was learnt and measured, and which rows differ within one column."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from vlpbench.results.listed import listed, of_most
from vlpbench.results.meanings import meaning, sizes

__all__ = ["readout_notes", "readouts_in_brief"]

Told = tuple[str, Mapping[str, Any], Mapping[str, Any]]
"""Row, the settings of the task's protocol, and the task's part of `scores.json`."""

_RULE = {"last": "last weights", "validation": "best weights on validation"}


def readout_notes(told: Iterable[tuple[str, Mapping[str, Any], Mapping[str, Any]]]) -> list[str]:
    """One line a task (row, settings, scores of each finished cell); more where rows differ, naming the rows."""
    tasks: dict[str, dict[str, list[Told]]] = {}
    for row, settings, scores in told:
        for task in settings["tasks"]:
            one = scores["tasks"].get(task, {})
            if "values" in one:
                protocol = settings.get("protocol", {}).get(task, {})
                tasks.setdefault(task, {}).setdefault(one["head"], []).append((row, protocol, one))
    return [line for task, forms in tasks.items() for line in [*_of_task(task, forms), *_probes(task, forms)]]


def readouts_in_brief(told: Iterable[tuple[str, Mapping[str, Any], Mapping[str, Any]]]) -> list[str]:
    """A caption's words: how most rows learnt each task, by which rule weights were chosen, what was scored."""
    tasks: dict[str, dict[str, dict[str, None]]] = {}
    for row, settings, scores in told:
        for task in settings["tasks"]:
            one = scores["tasks"].get(task, {})
            if "values" in one:
                how = ", ".join(_how(task, settings.get("protocol", {}).get(task, {}), one))
                said = f"{how}, scored on {sizes(one)} of the {one['split']} split of {one['data']}"
                tasks.setdefault(task, {}).setdefault(said, {})[row] = None
    return [f"{task}: {of_most(ways)}" for task, ways in tasks.items()]


def _of_task(task: str, forms: Mapping[str, Sequence[Told]]) -> list[str]:
    """With one form of the readout it stands in the sentence; with several each is named with its rows."""
    which = f"readout {next(iter(forms))!r}" if len(forms) == 1 else "readouts that differ by row"
    ways: dict[str, dict[str, None]] = {}
    for cells in forms.values():
        for row, protocol, one in cells:
            ways.setdefault(_sentence(task, protocol, one, which), {})[row] = None
    lines = [way + (f" (rows: {listed(rows)})" if len(ways) > 1 else "") for way, rows in ways.items()]
    if len(forms) > 1:
        lines += [
            f"{task}: readout {form!r} in rows {listed(dict.fromkeys(row for row, _, _ in cells))}"
            for form, cells in forms.items()
        ]
    return lines


def _sentence(task: str, protocol: Mapping[str, Any], one: Mapping[str, Any], which: str) -> str:
    first, *others = _how(task, protocol, one)
    said = f"{task}: {', '.join([first, which, *others])}; {sizes(one)} of the {one['split']} split of {one['data']}"
    return "; ".join(part for part in (said, meaning(task, one)) if part)


def _how(task: str, protocol: Mapping[str, Any], one: Mapping[str, Any]) -> list[str]:
    """How it was learnt first, then which weights are used and how sentences were found."""
    how = [_learnt(one)]
    if one["protocol"] == "fine-tune":
        how.append(_RULE[one["select"]])
    if task.startswith("captioning") and "beams" in protocol:
        how.append(_search(protocol))
    return how


def _learnt(one: Mapping[str, Any]) -> str:
    """The protocol in words."""
    if one["protocol"] == "fine-tune":
        return f"fine-tuned on {one['fine_tune']['samples']:,} samples"
    if one["protocol"] == "zero-shot":
        return "zero-shot"
    probe = one.get("probe", {})
    said = ["logistic regression on frozen features"]
    if "chosen_on" in probe:
        said.append(f"C chosen on {probe['chosen_on']}")
    if probe.get("fitted_on"):
        said.append(f"fitted to {' and '.join(probe['fitted_on'])}")
    return f"{one['protocol']} ({', '.join(said)})"


def _search(protocol: Mapping[str, Any]) -> str:
    """How sentences were found."""
    how = f"{protocol['beams']} beams" if protocol["beams"] > 1 else "greedy search"
    if protocol.get("top_p"):
        how = f"words drawn (top p {protocol['top_p']:g})"
    penalty, run = protocol.get("length_penalty", 0), protocol.get("no_repeat", 0)
    how += f", length penalty {penalty:g}" if penalty else ""
    return how + (f", no run of {run} tokens twice" if run else "")


def _probes(task: str, forms: Mapping[str, Sequence[Told]]) -> list[str]:
    """What probes chose, row by row, and which of them did not converge."""
    chosen: dict[str, dict[str, None]] = {}
    short: dict[str, None] = {}
    for row, _, one in (cell for cells in forms.values() for cell in cells):
        probe = one.get("probe", {})
        if "C" in probe:
            chosen.setdefault(row, {})[f"{probe['C']:.3g}"] = None
        if probe.get("converged") is False:
            short[row] = None
    rows = [f"{row} {', '.join(found)}" for row, found in chosen.items()]
    lines = [f"{task}: C chosen: {'; '.join(rows)}"] if rows else []
    return lines + ([f"{task}: the probe did not converge in rows {listed(short)}"] if short else [])
