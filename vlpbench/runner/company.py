"""With whom cells run, as an estimate counts it: seeds as one model in one process, processes on one GPU."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from vlpbench.contract.launcher import Place
from vlpbench.registry import Registry
from vlpbench.runner.events import Event
from vlpbench.runner.folding import Group
from vlpbench.runner.measured import Found, Measured
from vlpbench.runner.packing import Packing, kept_packing, measure_packing
from vlpbench.runner.rules import Rules
from vlpbench.runner.shapes import PRETRAIN, shape_of

__all__ = ["ALONE", "Company", "companies"]


@dataclass(frozen=True)
class Company:
    """What the others do to the time and memory of a cell."""

    ids: tuple[str, ...] = ()
    """The cells of its process; empty where it has one of its own."""
    together: float = 1.0
    """Time of a step of all its seeds as one, as a share of the same steps one after another."""
    stretch: float = 1.0
    """How many times as long all takes beside the processes that share its GPU."""
    slots: float = 1.0
    """Slots that its process takes."""
    held: int = 0
    """Bytes that its process holds; 0 where only those of one cell are known."""

    @property
    def cells(self) -> int:
        """How many its process runs."""
        return max(1, len(self.ids))


ALONE = Company()
"""That of a cell with a process and a slot of its own."""


def companies(
    groups: Sequence[Group], found: Mapping[str, Found], packing: Packing, registry: Registry, place: Place,
    rules: Rules, heard: Callable[[Event], None],
) -> dict[str, Company]:
    """Cell's id -> its company; `found` has what each shape takes alone.

    A few steps of each distinct group that trains as one are taken. Fine-tunes gain as much as their pretraining does;
    a group without one, or whose steps fail, counts as one cell after another.
    """
    shares: dict[tuple[str, int], tuple[float, int]] = {}
    made: dict[str, Company] = {}
    several = [group for group in groups if len(group.cells) > 1]
    distinct = {_key(group): group for group in several if _alone(group, found)}
    for number, (key, group) in enumerate(distinct.items()):
        said = f"measuring {len(group.cells)} seeds of {group.cells[0].row} as one"
        heard(Event("preparing", "", said, number, len(distinct)))
        measured = kept_packing(group, place) or measure_packing(group.cells, registry, place, rules, 1)
        steps = measured.rates.get(1, 0.0)
        if steps:
            shares[key] = 1 / steps / (len(group.cells) * _alone(group, found)), measured.held
    for group in groups:
        share, held = shares.get(_key(group), (1.0, 0))
        slots = (group.share or 1 / place.each) * place.each
        stretch = packing.stretch if slots < place.each else 1.0
        ids = group.ids if len(group.cells) > 1 else ()
        made |= dict.fromkeys(group.ids, Company(ids, share, stretch, slots, held))
    return made


def _key(group: Group) -> tuple[str, int]:
    return shape_of(group.cells[0]), len(group.cells)


def _alone(group: Group, found: Mapping[str, Found]) -> float:
    """Seconds of a step of one seed alone; 0 where no pretraining was measured."""
    shape = found.get(shape_of(group.cells[0]))
    part = None if shape is None else shape.parts.get(PRETRAIN)
    return part.step if isinstance(part, Measured) else 0.0
