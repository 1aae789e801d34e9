"""Many cells' lives: as many at once as there are slots, none twice, and an end for each."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from vlpbench.contract.launcher import Job, Launcher
from vlpbench.errors import UserError
from vlpbench.grid import Cell
from vlpbench.records import Claims
from vlpbench.registry import Registry
from vlpbench.runner.cell import folder_of
from vlpbench.runner.events import Event
from vlpbench.runner.interrupts import Interrupts
from vlpbench.runner.memory import MemoryWatch
from vlpbench.runner.rules import Rules
from vlpbench.runner.running import GRACE, End, Running
from vlpbench.runner.sharing import CLAIMS
from vlpbench.runner.stages import next_shared
from vlpbench.runner.worker import claim_name

__all__ = ["Scheduler"]

KILLS = 5
"""How often a cell goes on after it was killed from outside, whatever its tries."""

TICK = 0.5
"""Seconds between two looks at what runs, at most."""


@dataclass
class Scheduler:
    """Runs cells by a launcher until each is done, has failed, or somebody asked to stop."""

    results: Path
    registry: Registry
    launcher: Launcher
    rules: Rules
    job_of: Callable[[Cell], Job]
    """What a launcher is to start for a cell."""
    heard: Callable[[Event], None] = lambda event: None
    waiting: list[Cell] = field(default_factory=list)
    running: dict[int, Running] = field(default_factory=dict)
    tries: Counter[str] = field(default_factory=Counter)
    kills: Counter[str] = field(default_factory=Counter)
    failures: int = 0

    def __post_init__(self) -> None:
        self.claims = Claims(self.results / CLAIMS)
        self.memory = MemoryWatch(self.rules.memory)
        self._announced: set[str] = set()

    def run(self, cells: Sequence[Cell]) -> None:
        """Run all cells; each end is heard. KeyboardInterrupt where somebody asked to stop, once all have stopped.

        Cells that share a tuning or a pretraining do not run it twice: the second waits until the first has left it,
        here or in another run on the same results. What another run does is waited for and then heard as its own.
        """
        self.waiting = list(cells)
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
            end = one.buried(self.registry)
            if end is None:
                continue
            del self.running[slot]
            if end.what == "killed" or (end := self._doubted(one, end)).what == "killed":
                end = self._killed(one, end)
            self._ended(one.cell, end)
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
        """Fill the free slots with cells that nobody runs and whose next stage nobody is making."""
        while len(self.running) < self.launcher.place.slots and (cell := self._next()):
            slot = min(set(range(self.launcher.place.slots)) - self.running.keys())
            try:
                started = self.launcher.start(self.job_of(cell), slot)
            except (EOFError, ConnectionError) as wrong:  # what starts processes was itself killed meanwhile
                self._not_started(cell, wrong)
                return
            self.waiting.remove(cell)
            self.tries[cell.id] += 1
            self.running[slot] = Running(cell, slot, started, self.results)
            self.heard(Event("started", cell.id))

    def _not_started(self, cell: Cell, wrong: Exception) -> None:
        """Count it as a kill: the next look tries again, and after as many as a cell survives there is no point."""
        self.kills[cell.id] += 1
        said = f"its process could not be started ({type(wrong).__name__})"
        if self.kills[cell.id] > KILLS:
            raise UserError(f"{said}, {KILLS + 1} times", f"cell {cell.row!r}, seed {cell.seed}",
                            "see what kills processes here, then run the same command again") from wrong
        self.heard(Event("retried", cell.id, said))

    def _next(self) -> Cell | None:
        held = self.claims.all()
        busy = {next_shared(one.cell, self.results, self.registry) for one in self.running.values()} - {None}
        for cell in self.waiting:
            stage = next_shared(cell, self.results, self.registry)
            if claim_name(cell) in held or (stage is not None and (stage in busy or stage.path.name in held)):
                continue
            if folder_of(cell, self.results).state() in ("pending", "damaged"):  # else another run was faster
                return cell
        return None

    def _take_over(self) -> None:
        """Hear of the ends of cells that another run has seen to."""
        held = self.claims.all()
        for cell in list(self.waiting):
            holder = held.get(claim_name(cell))
            if holder is not None:
                if cell.id not in self._announced:
                    self._announced.add(cell.id)
                    self.heard(Event("waiting", cell.id, f"run by {holder.sentence()}"))
                continue
            folder = folder_of(cell, self.results)
            state = folder.state()
            if state == "done":
                self.waiting.remove(cell)
                self.heard(Event("taken", cell.id, "done by another run"))
            elif state in ("failed", "timeout"):
                self.waiting.remove(cell)
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
            elif self.rules.seconds and time.monotonic() - one.since > self.rules.seconds:
                said = f"it took longer than its {self.rules.seconds:g} s"
                one.end(End("timeout", said), grace=min(GRACE, self.rules.seconds))
        here = {slot: pid for slot, one in self.running.items() if (pid := one.started.pid) is not None}
        found = self.memory.over(here)
        if found is not None:
            self.running[found[0]].kill(End("failed", found[1]))

    def _doubted(self, one: Running, end: End) -> End:
        """The end, or "killed" where a process said that it was stopped or not needed and nobody knows of it."""
        if end.what == "stopped" and one.ending is None:
            return End("killed", "it ended as if it had been asked to stop, and this run did not ask")
        free = end.what == "taken" and self.claims.holder(claim_name(one.cell)) is None
        if free and folder_of(one.cell, self.results).state() == "pending":
            return End("killed", "it ended as if another process had its cell, and none has")
        return end

    def _killed(self, one: Running, end: End) -> End:
        """A cell that was killed goes on from its last checkpoint; one that is killed time and again has failed."""
        self.kills[one.cell.id] += 1
        if self.kills[one.cell.id] <= KILLS:
            return End("retried", end.said)
        return one.recorded(End("failed", end.said), self.registry)

    def _ended(self, cell: Cell, end: End) -> None:
        """Tell of an end; a cell that failed may be tried again."""
        if end.what == "taken":
            self.tries[cell.id] -= 1
            self.waiting.append(cell)
            self.heard(Event("retried", cell.id, "another run has it"))
            return
        if end.what == "retried":
            self.tries[cell.id] -= 1
            self.waiting.insert(0, cell)
        if end.what in ("failed", "timeout"):
            if self.tries[cell.id] <= self.rules.retries:
                folder_of(cell, self.results).forget()
                self.waiting.insert(0, cell)
                self.heard(Event("retried", cell.id, end.said))
                return
            self.failures += 1
        self.heard(Event(end.what, cell.id, end.said))  # type: ignore[arg-type]
