"""Which cells train as one model: those that differ by their seed alone, where that pays and can be done."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise
from math import ceil
from pathlib import Path

from vlpbench.config.identity import settings_to_plain
from vlpbench.config.task_name import parse_task
from vlpbench.contract.launcher import Place
from vlpbench.contract.objective import group_of
from vlpbench.contract.sealed import sealed
from vlpbench.device import Device
from vlpbench.errors import UserError
from vlpbench.files import digest
from vlpbench.grid import Cell
from vlpbench.registry import Registry
from vlpbench.runner.filling import FULL, filling_of
from vlpbench.runner.pretraining import learner_of
from vlpbench.runner.rules import Rules
from vlpbench.runner.stages import stages_of
from vlpbench.runner.standing import checkpoint_step
from vlpbench.runner.synthetic import synthetic_bench, synthetic_loader
from vlpbench.training.seed_axis import why_alone

__all__ = ["MOST", "Group", "groups", "is_folding", "why_never_together"]

MOST = 8
"""Seeds that train as one model, at most."""

TRIED = 8
"""Samples of the made-up batches by which it is found out whether a cell can be folded."""

WhyAlone = Callable[[Cell], str | None]


@dataclasses.dataclass(frozen=True)
class Group:
    """Cells that one process runs: several that train as one model, or one."""

    cells: tuple[Cell, ...]
    """In the order of the grid."""
    reason: str = ""
    """Why a cell goes alone; empty for several, and where nobody asked."""
    share: float = 0.0
    """The part of a GPU that it takes; 0 is that of one slot."""

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids of its cells."""
        return tuple(cell.id for cell in self.cells)

    def without(self, ids: Iterable[str]) -> Group:
        """The same without these cells."""
        out = set(ids)
        return dataclasses.replace(self, cells=tuple(cell for cell in self.cells if cell.id not in out))


def is_folding(rules: Rules, device: str) -> bool:
    """Whether cells may share a model or a GPU: on a GPU unless turned off, on a CPU where it was asked for."""
    return device == "cuda" if rules.pack is None else rules.pack


def groups(
    cells: Sequence[Cell], results: Path, registry: Registry, rules: Rules, place: Place,
    why: WhyAlone | None = None,
) -> list[Group]:
    """The cells in groups, each at the place of its first cell.

    No GPU is left idle for it: where there are fewer cells than would fill all, groups are smaller. `why` tells why a
    cell cannot be folded, or None; by default that is tried, once for all seeds of a row.
    """
    if not is_folding(rules, place.device):
        return [Group((cell,)) for cell in cells]
    tell = why or (lambda cell: why_never_together(cell, registry))
    most = max(1, min(MOST, ceil(len(cells) / max(1, len(place.devices)))))
    found: list[Group] = []
    for siblings in _siblings(cells):
        found += _of_siblings(siblings, results, registry, tell, most)
    at = {cell.id: number for number, cell in enumerate(cells)}
    return sorted(found, key=lambda group: at[group.cells[0].id])


def _siblings(cells: Sequence[Cell]) -> Iterator[list[Cell]]:
    """Cells that are one but for their seed."""
    found: dict[str, list[Cell]] = {}
    for cell in cells:
        plain = settings_to_plain(cell.settings) | {"seed": 0}
        same = {"settings": plain, "versions": dict(cell.versions), "data": dict(cell.fingerprints)}
        found.setdefault(digest(same), []).append(cell)
    yield from found.values()


def _of_siblings(
    siblings: Sequence[Cell], results: Path, registry: Registry, why: WhyAlone, most: int
) -> Iterator[Group]:
    if len(siblings) == 1:
        yield Group((siblings[0],), "no other seed of it is to be run")
        return
    reason = why(siblings[0])
    if reason is not None:
        yield from (Group((cell,), reason) for cell in siblings)
        return
    if most == 1:
        yield from (Group((cell,), "there is a GPU for each cell") for cell in siblings)
        return
    places: dict[tuple[object, ...], list[Cell]] = {}
    for cell in siblings:
        places.setdefault(_stands(cell, results, registry), []).append(cell)
    for together in places.values():
        if len(together) == 1:
            yield Group((together[0],), "goes on from another place than its other seeds")
        else:
            yield from map(Group, _even(together, most))


def _stands(cell: Cell, results: Path, registry: Registry) -> tuple[object, ...]:
    """How far earlier runs have come with a cell: what goes on together must go on at one step."""
    return tuple(
        (one.label, one.folder.closed or checkpoint_step(one.folder.path)) for one in stages_of(cell, results, registry)
    )


def _even(cells: Sequence[Cell], most: int) -> Iterator[tuple[Cell, ...]]:
    """As few parts as there must be, none larger than another by more than one."""
    parts = ceil(len(cells) / most)
    bounds = [len(cells) * part // parts for part in range(parts + 1)]
    yield from (tuple(cells[a:b]) for a, b in pairwise(bounds))


def why_never_together(cell: Cell, registry: Registry) -> str | None:
    """Why a cell cannot train beside its other seeds, or need not; None if it can.

    Whether its objectives bear a seed axis is tried on a few made-up samples. Where nobody can make those up (an
    objective wants fields of a data set), the process that runs the cells finds out, and runs them one by one.
    """
    settings = cell.settings
    if settings.tune.tries:
        return "it is tuned, and each seed may choose otherwise"
    if settings.budget.micro_batch:
        return "budget.micro_batch is set, so it is short of memory by itself"
    if settings.text.lengths == "few":
        return "text.lengths is few, so a step's texts are of another length for each seed"
    if settings.objective == "none" and all(parse_task(task).protocol != "fine-tune" for task in settings.tasks):
        return "it learns nothing"
    try:
        filling = filling_of(cell, registry)
    except Exception as wrong:  # noqa: BLE001 (a stranger's constructor; the cell will say it again)
        return f"its model cannot be built: {type(wrong).__name__}: {wrong}"
    if filling.work > FULL:
        return filling.sentence
    return _cannot(cell, registry) if settings.objective != "none" else None


def _cannot(cell: Cell, registry: Registry) -> str | None:
    """What a gradient of two made-up seeds says."""
    budget, device = cell.settings.budget, Device("cpu")
    terms = synthetic_bench(cell, registry, device).terms
    least = max(TRIED, *(group_of(plan.objective.coupled_with(plan.config)) for plan in terms))
    whole = -(-least // budget.captions) * budget.captions
    few = dataclasses.replace(budget, batch=min(whole, budget.batch), texts=min(least, budget.texts))
    small = dataclasses.replace(cell, settings=dataclasses.replace(cell.settings, budget=few))
    try:
        with sealed("measuring"):
            bench = synthetic_bench(small, registry, device)
            batches = [synthetic_loader(bench, 1, seed).host(0).to(device.torch) for seed in (0, 1)]
            return why_alone(learner_of(bench), batches, device)
    except UserError:
        return None
    except Exception as wrong:  # noqa: BLE001 (as above)
        return f"fails on made-up samples: {type(wrong).__name__}: {wrong}"
