"""How many processes share a GPU: measured for the largest that may, up to where their summed speed stops growing.

CUDA's multi-process service (MPS), where its daemon runs, lets kernels of several processes run side by side instead of
in turn. Processes find it by themselves; none is started here.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field, replace
from math import ceil
from pathlib import Path
from typing import Any

import psutil
import torch

from vlpbench import __version__
from vlpbench.contract.launcher import Place
from vlpbench.data.folders import cache_folder
from vlpbench.device import Device
from vlpbench.files import digest, write_json
from vlpbench.grid import Cell
from vlpbench.registry import Registry
from vlpbench.runner.child import Child, folders
from vlpbench.runner.events import Event
from vlpbench.runner.filling import FULL, filling_of
from vlpbench.runner.folding import Group, is_folding
from vlpbench.runner.memory import available_bytes
from vlpbench.runner.rules import Rules
from vlpbench.runner.shapes import shape_of
from vlpbench.runner.stepping import Ready, Took, ToStep, take_steps

__all__ = ["MOST", "Packing", "kept_packing", "measure_packing", "packed", "shared_by"]

GROWTH = 1.1
"""More processes are taken as long as the sum of their steps a second grows by this factor."""
ROOM = 0.9
"""The part of a GPU's memory that is shared out."""
MOST = 16
"""Processes at once on one GPU."""
SECONDS, BUILDING = 3.0, 600.0
"""What each number of processes is watched for; what one may take to be built."""
ENOUGH = "more are not needed"
"""Said where nothing but the number of cells was in the way of more."""


@dataclass(frozen=True)
class Packing:
    """What was measured."""

    at_once: int = 1
    """Processes that share one device."""
    rates: Mapping[int, float] = field(default_factory=dict)
    """Processes -> the sum of their steps a second, where each step is one of all seeds that a process trains."""
    held: int = 0
    """Bytes that one of them holds."""
    said: str = ""
    """Why there are no more."""

    @property
    def stretch(self) -> float:
        """How many times as long a step takes beside the others as alone."""
        alone, together = self.rates.get(1, 0.0), self.rates.get(self.at_once, 0.0)
        return self.at_once * alone / together if alone and together else 1.0


_MPS = "nvidia-cuda-mps"
"""How the names of the multi-process service's programs begin."""


class _Failed(Exception):
    """One of the processes cannot go on."""


def measure_packing(
    cells: tuple[Cell, ...], registry: Registry, place: Place, rules: Rules, most: int = MOST, seconds: float = SECONDS
) -> Packing:
    """Let 1, 2, 4, ... processes of these cells train at once on one device; their data must be prepared."""
    environment = folders() | place.variables(0)
    order = ToStep(cells, registry.files, registry.blocked, place.device, rules.pace, environment)
    many = best = 1
    rates: dict[int, float] = {}
    said = ""
    with ExitStack() as stack:
        crowd = _Crowd(order, stack)
        try:
            while not said:
                crowd.grow(many)
                rates[many] = crowd.rate(seconds)
                if many > 1 and rates[many] < GROWTH * rates[best]:
                    said = f"{many} at once do {rates[many]:.3g} steps/s, {best} do {rates[best]:.3g}"
                    break
                best, limit = many, min(most, crowd.fits)
                if many >= limit:
                    said = f"memory: one holds {crowd.held / 2**30:.1f} GiB" if limit < most else ENOUGH
                many = min(2 * many, limit)
        except _Failed as wrong:
            said = f"{many} at once: {wrong}"
    return Packing(best, rates, crowd.held, said)


class _Crowd:
    """Processes that take the same steps, ever more of them."""

    def __init__(self, order: ToStep, stack: ExitStack) -> None:
        self.order, self.stack = order, stack
        self.children: list[Child] = []
        self.held, self.fits = 0, MOST

    def grow(self, many: int) -> None:
        """Have so many; what they hold is noted, and how many the device has room for."""
        new = [Child(take_steps, self.order, f"steps {n}", self.order.device) for n in range(len(self.children), many)]
        self.children += [self.stack.enter_context(child) for child in new]
        for child in new:
            ready: Ready = _said(child, Ready, BUILDING)
            self.held = max(self.held, ready.held)
            if child is self.children[0]:
                self.fits = _fits(ready)

    def rate(self, seconds: float) -> float:
        """Steps a second of all of them at once."""
        for child in self.children:
            child.pipe.send(seconds)
        found: list[Took] = [_said(child, Took, 20 * seconds + 60) for child in self.children]
        return sum(one.steps / one.seconds for one in found)


def _fits(first: Ready) -> int:
    """Processes that the device's memory has room for, the first included."""
    free = first.free if first.whole else available_bytes()
    spare = (1 - ROOM) * (first.whole or free)
    return 1 + max(0, int((free - spare) // max(1, first.held)))


def _said(child: Child, kind: type[Any], limit: float) -> Any:
    """What a child says next; _Failed where that is something else, or nothing."""
    try:
        if not child.pipe.poll(limit):
            raise _Failed(f"it says nothing for {limit:.0f} s")
        said = child.pipe.recv()
    except (EOFError, ConnectionError):
        child.process.join(5)
        raise _Failed(f"it ends without a word (exit code {child.process.exitcode})") from None
    if not isinstance(said, kind):
        raise _Failed(str(said))
    return said


def packed(
    groups: Sequence[Group], place: Place, registry: Registry, rules: Rules, heard: Callable[[Event], None],
) -> tuple[Place, list[Group], Packing]:
    """The groups with the part of a GPU that each takes, the slots for that, and what was measured.

    Small groups share a GPU as the largest of them does it best; one that fills a GPU has it to itself. Left as it is
    where slots are said by hand, nothing may be packed, or there is a GPU for each.
    """
    chosen = shared_by(groups, place, registry, rules)
    if chosen is None:
        return place, list(groups), Packing()
    most = min(MOST, chosen.most)
    found = kept_packing(chosen.largest, place)
    if found is None or (found.said == ENOUGH and found.at_once < most):
        heard(Event("preparing", "", f"how many processes like {chosen.largest.cells[0].row} share a GPU"))
        found = measure_packing(chosen.largest.cells, registry, place, rules, most)
        _keep(chosen.largest, place, found)
    each = min(most, found.at_once)
    shares = [replace(one, share=1 / each if one.ids in chosen.small else 1.0) for one in groups]
    return replace(place, each=each), shares, replace(found, at_once=each)


@dataclass(frozen=True)
class _Chosen:
    """Groups that may share a GPU."""

    small: frozenset[tuple[str, ...]]
    """The ids of each."""
    largest: Group
    """The one with most work a step."""
    most: int
    """As many on one GPU as there are, spread over all GPUs."""


def shared_by(groups: Sequence[Group], place: Place, registry: Registry, rules: Rules) -> _Chosen | None:
    """The groups that may share a GPU; None where none is to."""
    by_hand = rules.each or rules.launcher != "local" or not place.devices
    if by_hand or not is_folding(rules, place.device) or len(groups) <= len(place.devices):
        return None
    work = {one.ids: _work(one, registry) for one in groups}
    small = [one for one in groups if work[one.ids] <= FULL]
    pretrained = [one for one in small if one.cells[0].settings.objective != "none"]
    at_most = rules.jobs // len(place.devices) if rules.jobs else MOST
    cores = max(1, Device.cores() // len(place.devices))  # each process needs a core to start its kernels
    most = min(at_most, cores, ceil(len(small) / len(place.devices)))
    if most <= 1 or not pretrained:
        return None
    return _Chosen(frozenset(one.ids for one in small), max(pretrained, key=lambda one: work[one.ids]), most)


def _work(group: Group, registry: Registry) -> float:
    """Floating-point operations of a step of the whole group; of a model that cannot be built none."""
    try:
        return filling_of(group.cells[0], registry).work * len(group.cells)
    except Exception:  # noqa: BLE001 (a stranger's constructor; the cell says it)
        return 0.0


def kept_packing(group: Group, place: Place) -> Packing | None:
    """What was measured before for groups of this shape on this kind of device."""
    try:
        said = json.loads(_file(group, place).read_text(encoding="utf-8"))
        return Packing(**{**said, "rates": {int(many): float(rate) for many, rate in said["rates"].items()}})
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _keep(group: Group, place: Place, found: Packing) -> None:
    if found.rates:
        write_json(_file(group, place), asdict(found))


def _file(group: Group, place: Place) -> Path:
    """Where it is kept: by what a step is, on which device, with which versions."""
    device = Device(place.device)
    decided_by = {
        "shape": shape_of(group.cells[0]), "seeds": len(group.cells), "device": device.name, "cores": device.cores(),
        "versions": [__version__, torch.__version__], "code": dict(group.cells[0].code),
        "mps": any(str(one.info["name"]).startswith(_MPS) for one in psutil.process_iter(["name"])),
    }
    return cache_folder() / "packing" / f"{digest(decided_by)[:16]}.json"
