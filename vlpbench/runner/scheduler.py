"""Many cells' lives: as many processes at once as there are slots, no cell twice, and an end for each."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from vlpbench.contract.launcher import Job, Launcher
from vlpbench.errors import UserError
from vlpbench.grid import Cell
from vlpbench.records import Claims
from vlpbench.registry import Registry
from vlpbench.runner.cell import folder_of
from vlpbench.runner.events import Event
from vlpbench.runner.folding import Group
from vlpbench.runner.interrupts import Interrupts
from vlpbench.runner.memory import MemoryWatch
from vlpbench.runner.rules import Rules
from vlpbench.runner.running import GRACE, End, Running
from vlpbench.runner.sharing import CLAIMS
from vlpbench.runner.slots import free_slot
from vlpbench.runner.stages import next_shared
from vlpbench.runner.worker import claim_name

__all__ = ["Scheduler"]

KILLS = 5
"""How often a cell goes on after it was killed from outside, whatever its tries."""

TICK = 0.5
"""Seconds between two looks at what runs, at most."""


@dataclass
class Scheduler:
    """Runs groups of cells by a launcher until each cell is done, has failed, or somebody asked to stop."""

    results: Path
    registry: Registry
    launcher: Launcher
    rules: Rules
    job_of: Callable[[Sequence[Cell]], Job]
    """What a launcher is to start for the cells of a group."""
    heard: Callable[[Event], None] = lambda event: None
    waiting: list[Group] = field(default_factory=list)
    running: dict[int, Running] = field(default_factory=dict)
    tries: Counter[str] = field(default_factory=Counter)
    kills: Counter[str] = field(default_factory=Counter)
    failures: int = 0

    def __post_init__(self) -> None:
        self.claims = Claims(self.results / CLAIMS)
        self.memory = MemoryWatch(self.rules.memory)
        self._announced: set[str] = set()

    def run(self, groups: Sequence[Group]) -> None:
        """Run all cells; each end is heard. KeyboardInterrupt where somebody asked to stop, once all have stopped.

        A cell whose process died with others in it is tried by itself before that counts. Cells that share a
        tuning or a pretraining do not run it twice: the second waits until the first has left it, here or in another
        run on the same results. What another run does is waited for and then heard as its own.
        """
        self.waiting = list(groups)
        with Interrupts() as interrupts:
            try:
                while self.running or (self.waiting and not self._stopping(interrupts)):
                    self._look(interrupts)
                    self._wait()
            finally:
                for one in self.running.values():
                    one.kill()
                self.launcher.close()
            if interrupts.count:
                raise KeyboardInterrupt

    def _look(self, interrupts: Interrupts) -> None:
        """One round: who has ended, who must end, how far the others are, and who is next."""
        for slot, one in list(self.running.items()):
            for event in one.events(self.claims):
                self.heard(event)
            ends = one.buried(self.registry)
            if ends is None:
                continue
            del self.running[slot]
            again = [cell.id for cell in one.cells if self._goes_on(one, cell, ends[cell.id])]
            if again:
                self.waiting.insert(0, one.group.without({*one.group.ids} - {*again}))
        self._enforce(interrupts)
        if not self._stopping(interrupts):
            self._take_over()
            self._start()

    def _wait(self) -> None:
        started = [one.started for one in self.running.values()]
        if started:
            self.launcher.wait(started, TICK)
        elif self.waiting:
            time.sleep(TICK / 2)

    def _stopping(self, interrupts: Interrupts) -> bool:
        return interrupts.count > 0 or 0 < self.rules.most <= self.failures

    def _start(self) -> None:
        """Fill the free slots with groups that nobody runs and whose next stages nobody is making."""
        while found := self._next():
            group, slot = found
            try:
                started = self.launcher.start(self.job_of(group.cells), slot)
            except (EOFError, ConnectionError) as wrong:  # what starts processes was itself killed meanwhile
                self._not_started(group.cells[0], wrong)
                return
            self._leave(group.ids)
            self.tries.update(group.ids)
            self.running[slot] = Running(group, slot, started, self.results)
            for one in group.ids:
                self.heard(Event("started", one))

    def _not_started(self, cell: Cell, wrong: Exception) -> None:
        """Count it as a kill: the next look tries again, and after as many as a cell survives there is no point."""
        self.kills[cell.id] += 1
        said = f"its process could not be started ({type(wrong).__name__})"
        if self.kills[cell.id] > KILLS:
            raise UserError(f"{said}, {KILLS + 1} times", f"cell {cell.row!r}, seed {cell.seed}",
                            "see what kills processes here, then run the same command again") from wrong
        self.heard(Event("retried", cell.id, said))

    def _next(self) -> tuple[Group, int] | None:
        """The first group that may start, and its slot; what another run has of it waits by itself."""
        taken = {slot: one.group.share for slot, one in self.running.items()}
        if len(taken) >= self.launcher.place.slots:
            return None
        held = self.claims.all()
        running = [cell for one in self.running.values() for cell in one.cells]
        busy = {next_shared(cell, self.results, self.registry) for cell in running} - {None}
        for group in self.waiting:
            slot = free_slot(self.launcher.place, taken, group.share)
            left = group.without(cell.id for cell in group.cells if claim_name(cell) in held)
            if slot is None or not left.cells:
                continue
            stages = {next_shared(cell, self.results, self.registry) for cell in left.cells} - {None}
            if stages & busy or any(stage is not None and stage.path.name in held for stage in stages):
                continue
            states = {cell.id: folder_of(cell, self.results).state() for cell in left.cells}
            left = left.without(one for one, state in states.items() if state not in ("pending", "damaged"))
            if left.cells:  # else another run was faster
                return left, slot
        return None

    def _leave(self, ids: Iterable[str]) -> None:
        """These cells wait no longer."""
        left = (group.without(ids) for group in self.waiting)
        self.waiting = [group for group in left if group.cells]

    def _take_over(self) -> None:
        """Hear of the ends of cells that another run has seen to."""
        held = self.claims.all()
        for cell in [cell for group in self.waiting for cell in group.cells]:
            holder = held.get(claim_name(cell))
            if holder is not None:
                if cell.id not in self._announced:
                    self._announced.add(cell.id)
                    self.heard(Event("waiting", cell.id, f"run by {holder.sentence()}"))
                continue
            folder = folder_of(cell, self.results)
            state = folder.state()
            if state == "done":
                self._leave((cell.id,))
                self.heard(Event("taken", cell.id, "done by another run"))
            elif state in ("failed", "timeout"):
                self._leave((cell.id,))
                self.failures += 1
                self.heard(Event(state, cell.id, str(folder.status().get("cause", ""))))

    def _enforce(self, interrupts: Interrupts) -> None:
        """End cells that take too long or hold too much, and all where somebody asked to stop."""
        if interrupts.count and "" not in self._announced:
            self._announced.add("")
            said = "each cell finishes its step and writes a checkpoint; Ctrl-C again ends them now"
            self.heard(Event("stopping", "", said))
        for one in self.running.values():
            if interrupts.count > 1:
                one.kill(End("stopped"))
            elif interrupts.count:
                one.end(End("stopped"), grace=math.inf)
            elif self._stopping(interrupts):
                one.end(End("stopped"))
            elif self.rules.seconds and time.monotonic() - one.since > self.rules.seconds * len(one.cells):
                one.end(End("timeout", self._late(one)), grace=min(GRACE, self.rules.seconds))
        here = {slot: pid for slot, one in self.running.items() if (pid := one.started.pid) is not None}
        found = self.memory.over(here, {slot: len(one.cells) for slot, one in self.running.items()})
        if found is not None:
            self.running[found[0]].kill(End("failed", found[1]))

    def _late(self, one: Running) -> str:
        many = len(one.cells)
        together = f" for each of the {many} cells that ran together" if many > 1 else ""
        return f"it took longer than its {self.rules.seconds:g} s{together}"

    def _doubted(self, one: Running, cell: Cell, end: End) -> End:
        """The end, or "killed" where a process said that it was stopped or not needed and nobody knows of it."""
        if end.what == "stopped" and one.ending is None:
            return End("killed", "it ended as if it had been asked to stop, and this run did not ask")
        free = end.what == "taken" and self.claims.holder(claim_name(cell)) is None
        if free and folder_of(cell, self.results).state() == "pending":
            return End("killed", "it ended as if another process had its cell, and none has")
        return end

    def _killed(self, one: Running, cell: Cell, end: End) -> End:
        """A cell that was killed goes on from its last checkpoint; one that is killed time and again has failed."""
        self.kills[cell.id] += 1
        if self.kills[cell.id] <= KILLS:
            return End("retried", end.said)
        return one.recorded(cell, End("failed", end.said), self.registry)

    def _goes_on(self, one: Running, cell: Cell, end: End) -> bool:
        """Tell of an end; whether the cell goes on with those it was started with. One that failed may be tried again.

        A process that died, or held too much, may have done so for another of its cells.
        """
        if end.what == "killed" or (end := self._doubted(one, cell, end)).what == "killed":
            end = self._killed(one, cell, end)
        if end.what == "taken":
            self.tries[cell.id] -= 1
            self.waiting.append(Group((cell,), share=one.group.share))
            self.heard(Event("retried", cell.id, "another run has it"))
            return False
        if end.what == "retried":
            self.tries[cell.id] -= 1
        if end.what in ("failed", "timeout"):
            beside = end.what == "failed" and len(one.cells) > 1 and not end.own
            if beside:
                self.tries[cell.id] -= 1
            if beside or self.tries[cell.id] <= self.rules.retries:
                folder_of(cell, self.results).forget()
                reason = "its process died with others in it" if beside else one.group.reason
                self.waiting.insert(0, Group((cell,), reason, one.group.share))
                self.heard(Event("retried", cell.id, f"by itself: {end.said}" if beside else end.said))
                return False
            self.failures += 1
        self.heard(Event(end.what, cell.id, end.said))  # type: ignore[arg-type]
        return end.what == "retried"
