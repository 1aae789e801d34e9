"""What a dry run says of processes: which seeds train as one, why others go alone, how many share a GPU."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from vlpbench.contract.launcher import Place
from vlpbench.device import Device
from vlpbench.registry import Registry
from vlpbench.runner.folding import Group, groups, is_folding
from vlpbench.runner.grid_run import place_of
from vlpbench.runner.packing import kept_packing, shared_by
from vlpbench.runner.plan import Plan
from vlpbench.runner.rules import Rules

__all__ = ["group_lines"]


def group_lines(plan: Plan, registry: Registry, rules: Rules) -> Iterator[str]:
    """A line a group of seeds, a line a reason for those of a row that go alone, and one about slots.

    Nothing where cells are not to be packed, or where there is nothing to run.
    """
    device = Device.choose(rules.device)
    if not is_folding(rules, device.kind) or not plan.chosen("run"):
        return
    place = place_of(device, rules)
    found = groups(plan.chosen("run"), plan.results, registry, rules, place)
    for (row, reason, _), some in groupby(found, key=_told):
        many = list(some)
        seeds = _seeds([cell.seed for group in many for cell in group.cells])
        said = f"alone, {reason}" if reason else "together, as one model in one process"
        yield f"{row}, {seeds}: {said}"
    yield _slots(found, place, registry, rules)


def _told(group: Group) -> tuple[str, str, int]:
    """What groups must agree in to share a line: those of several cells have one each."""
    return group.cells[0].row, group.reason, 0 if group.reason else group.cells[0].seed


def _seeds(seeds: Sequence[int]) -> str:
    """ "seed 3", "seeds 0-7", "seeds 0, 2, 5"."""
    if len(seeds) == 1:
        return f"seed {seeds[0]}"
    if list(seeds) == list(range(seeds[0], seeds[0] + len(seeds))):
        return f"seeds {seeds[0]}-{seeds[-1]}"
    return f"seeds {', '.join(map(str, seeds))}"


def _slots(found: Sequence[Group], place: Place, registry: Registry, rules: Rules) -> str:
    """How many processes at once, or how that will be found out."""
    many = f"{len(found)} process{'es' * (len(found) != 1)}"
    if place.device == "cpu":
        return f"{many}, {place.slots} at once"
    if rules.each:
        return f"{many}, {place.each} at once on each GPU, as --slots-per-gpu says"
    chosen = shared_by(found, place, registry, rules)
    if chosen is None:
        return f"{many}, one at once on each GPU"
    kept = kept_packing(chosen.largest, place)
    small, of = len(chosen.small), f"the largest of {len(chosen.small)} small ones is {chosen.largest.cells[0].row}"
    if kept is None:
        return f"{many}; how many of them share a GPU is measured when it runs ({of})"
    alone = f"; {len(found) - small} have a GPU to themselves" if small < len(found) else ""
    return f"{many}, {min(kept.at_once, chosen.most)} at once on each GPU, as was measured before ({of}){alone}"
