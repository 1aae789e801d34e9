"""Cells that end in every way, a launcher that does as it is told, and other runs on the same results."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from vlpbench.contract.launcher import Job, Launcher, Place, Started
from vlpbench.errors import UserError
from vlpbench.grid import Cell, cells, open_grid
from vlpbench.records import Claims
from vlpbench.registry import Registry
from vlpbench.runner.cell import described, folder_of
from vlpbench.runner.events import Event
from vlpbench.runner.folding import Group
from vlpbench.runner.rules import Rules
from vlpbench.runner.scheduler import KILLS, Scheduler
from vlpbench.runner.sharing import CLAIMS
from vlpbench.runner.stages import next_shared
from vlpbench.runner.workbench import opened_here
from vlpbench.runner.worker import DONE, FAILED, STOPPED, TAKEN, claim_name

DIES = """
import multiprocessing, os
if multiprocessing.parent_process() is not None:
    os._exit(9)
"""

Script = Callable[[Cell], int | None]


class Played(Started):
    """A job that ends as its script says, or not before it is told to."""

    def __init__(self, code: int | None) -> None:
        self.code, self.stopped, self.killed = code, False, False

    def ended(self) -> int | None:
        return self.code

    def stop(self) -> None:
        self.stopped, self.code = True, STOPPED if self.code is None else self.code

    def kill(self) -> None:
        self.killed, self.code = True, -signal.SIGKILL if self.code is None else self.code


class Hanging(Played):
    """A job that does not stop when it is asked."""

    def stop(self) -> None:
        self.stopped = True


class Theatre(Launcher):
    """Starts nothing: each job ends as the test has it."""

    name = "theatre"

    def __init__(self, place: Place, script: Script, kind: type[Played] = Played) -> None:
        super().__init__(place)
        self.script, self.kind = script, kind
        self.started: list[tuple[Job, int, Played]] = []
        self.most = 0

    def start(self, job: Job, slot: int) -> Started:
        self.started.append((job, slot, self.kind(self.script(job.order))))
        self.most = max(self.most, sum(one.code is None for _, _, one in self.started))
        return self.started[-1][2]


class Stage:
    """A small grid's cells, their results, and a scheduler for them."""

    def __init__(self, file: Path, results: Path) -> None:
        read, self.registry = open_grid(str(file), ("seeds=[0, 1]",))
        self.cells: Sequence[Cell] = [one for one in cells(read, self.registry, opened_here) if one.reason is None]
        self.results = results
        self.heard: list[Event] = []
        self.groups: list[Group] = []

    def run(self, script: Script, kind: type[Played] = Played, jobs: int = 1, **rules: Any) -> Theatre:
        theatre = Theatre(Place("cpu", jobs), script, kind)
        self.play(theatre, Rules(**rules))
        return theatre

    def play(self, launcher: Theatre, rules: Rules) -> None:
        def job_of(cells: Sequence[Cell]) -> Job:
            order: Any = cells[0] if len(cells) == 1 else cells
            return Job(cells[0].id, ("vlpbench",), folder_of(cells[0], self.results).path / "log.txt", order)

        groups = self.groups or [Group((cell,)) for cell in self.cells]
        Scheduler(self.results, self.registry, launcher, rules, job_of, self.heard.append).run(groups)

    def ends(self) -> dict[str, str]:
        return {event.cell: event.what for event in self.heard if event.what in ("done", "failed", "timeout", "taken")}

    def done(self, cell: Cell) -> int:
        finish(cell, self.results, self.registry)
        return DONE


def finish(cell: Cell, results: Path, registry: Registry) -> None:
    """What a cell leaves that went well."""
    folder = folder_of(cell, results)
    folder.begin(described(cell, registry))
    folder.finish({"tasks": {}}, [], {}, {})


@pytest.fixture
def stage(written: Any, tmp_path: Path) -> Stage:
    rows = {"plain": 'objective = "none"', "words": 'objective = "prefix-lm"'}
    return Stage(written(rows), tmp_path)


def test_each_cell_is_started_once_in_order_and_heard_of(stage: Stage) -> None:
    theatre = stage.run(stage.done)
    assert [job.cell for job, _, _ in theatre.started] == [cell.id for cell in stage.cells]
    assert stage.ends() == {cell.id: "done" for cell in stage.cells}
    assert [event.what for event in stage.heard[:2]] == ["started", "done"]


def test_never_more_than_the_slots_and_none_twice(stage: Stage) -> None:
    def later(cell: Cell) -> None:
        finish(cell, stage.results, stage.registry)

    theatre = Theatre(Place("cpu", 2), later)
    used: list[int] = []

    def let_go(seconds: float) -> None:
        running = [(slot, one) for _, slot, one in theatre.started if one.code is None]
        used.append(len({slot for slot, _ in running}))
        assert len(running) <= 2 and used[-1] == len(running)
        running[0][1].code = DONE

    theatre.wait = lambda started, seconds: let_go(seconds)  # type: ignore[method-assign]
    stage.play(theatre, Rules())
    assert theatre.most == 2 and max(used) == 2 and len(theatre.started) == len(stage.cells)


def test_cells_that_share_a_pretraining_do_not_run_side_by_side(stage: Stage) -> None:
    """The blind row has the pretraining of "words"; as long as that is not there, it waits."""
    words = [cell for cell in stage.cells if cell.row.startswith("words") and cell.seed == 0]
    assert len({next_shared(cell, stage.results, stage.registry) for cell in words}) == 1
    theatre = Theatre(Place("cpu", 9), lambda cell: None)
    seen: list[set[str]] = []

    def look(started: Sequence[Started], seconds: float) -> None:
        running = {job.cell for job, _, one in theatre.started if one.code is None}
        seen.append(running)
        for job, _, one in theatre.started:
            if one.code is None:
                shared = next_shared(job.order, stage.results, stage.registry)
                if shared is not None:
                    shared.begin()
                    shared.close({})
                finish(job.order, stage.results, stage.registry)
                one.code = DONE

    theatre.wait = look  # type: ignore[method-assign]
    stage.play(theatre, Rules())
    assert not any({cell.id for cell in words} <= running for running in seen)
    assert set(stage.ends().values()) == {"done"}


@pytest.mark.parametrize(("code", "cause"), [(7, "exit code 7"), (-signal.SIGSEGV, "SIGSEGV"), (DONE, "exit code 0")])
def test_a_process_that_ends_without_a_word_is_a_failure_with_a_record(stage: Stage, code: int, cause: str) -> None:
    stage.run(lambda cell: code if cell.row == "plain" else stage.done(cell))
    for cell in stage.cells:
        folder = folder_of(cell, stage.results)
        assert folder.state() == ("failed" if cell.row == "plain" else "done")
        if cell.row == "plain":
            assert cause in folder.status()["cause"] and folder.read("settings.json")["row"] == "plain"


@pytest.mark.parametrize("retries", [0, 2])
def test_failures_are_tried_again_as_often_as_asked(stage: Stage, retries: int) -> None:
    left = {cell.id: 1 for cell in stage.cells}

    def once(cell: Cell) -> int:
        left[cell.id] -= 1
        if left[cell.id] < 0:
            return stage.done(cell)
        folder = folder_of(cell, stage.results)
        folder.begin(described(cell, stage.registry))
        folder.fail("not today", {}, {})
        return FAILED

    stage.run(once, retries=retries)
    assert set(stage.ends().values()) == ({"done"} if retries else {"failed"})
    assert [event.said for event in stage.heard if event.what == "retried"] == ["not today"] * len(left) * bool(retries)


def test_a_cell_that_is_killed_goes_on_and_one_that_always_is_has_failed(stage: Stage) -> None:
    killed = {cell.id: 0 for cell in stage.cells}

    def script(cell: Cell) -> int:
        killed[cell.id] += 1
        return -signal.SIGKILL if cell.row == "plain" or killed[cell.id] <= 2 else stage.done(cell)

    stage.run(script)
    for cell in stage.cells:
        assert killed[cell.id] == (KILLS + 1 if cell.row == "plain" else 3)
        assert stage.ends()[cell.id] == ("failed" if cell.row == "plain" else "done")
    cause = folder_of(stage.cells[0], stage.results).status()["cause"]
    assert "signal SIGKILL" in cause and "GiB" in cause


@pytest.mark.parametrize("often", [1, KILLS, KILLS + 1])
def test_a_launcher_whose_server_is_killed_is_asked_again(stage: Stage, often: int) -> None:
    """multiprocessing says EOFError or a broken connection, which a command line takes for Ctrl-D."""
    theatre, whole = Theatre(Place("cpu", 1), stage.done), Theatre.start
    left = [EOFError(), ConnectionRefusedError(), BrokenPipeError()] * 2

    def start(job: Job, slot: int) -> Started:
        if len(left) > 6 - often:
            raise left.pop()
        return whole(theatre, job, slot)

    theatre.start = start  # type: ignore[method-assign]
    if often > KILLS:
        with pytest.raises(UserError, match=r"could not be started .*, 6 times"):
            stage.play(theatre, Rules())
        return
    stage.play(theatre, Rules())
    assert set(stage.ends().values()) == {"done"}
    assert len(theatre.started) == len(stage.cells)
    assert sum("could not be started" in event.said for event in stage.heard) == often


@pytest.mark.parametrize(
    ("code", "said"), [(STOPPED, "as if it had been asked to stop"), (TAKEN, "as if another process")]
)
def test_a_process_that_always_says_it_is_not_needed_has_failed(stage: Stage, code: int, said: str) -> None:
    theatre = stage.run(lambda cell: code if cell.row == "plain" else stage.done(cell))
    plain = [cell for cell in stage.cells if cell.row == "plain"]
    assert len(theatre.started) == len(stage.cells) + KILLS * len(plain), "an exit code of a stranger's ends nothing"
    for cell in plain:
        assert stage.ends()[cell.id] == "failed"
        assert said in folder_of(cell, stage.results).status()["cause"]


def test_a_time_limit_stops_first_and_leaves_a_record(stage: Stage) -> None:
    theatre = stage.run(lambda cell: None if cell.row == "plain" else stage.done(cell), seconds=0.01)
    slow = [(job, one) for job, _, one in theatre.started if job.order.row == "plain"]
    for job, one in slow:
        folder = folder_of(job.order, stage.results)
        assert one.stopped and folder.state() == "timeout"
        assert folder.status()["cause"] == "it took longer than its 0.01 s"
        assert stage.ends()[job.cell] == "timeout"


def test_a_cell_that_does_not_stop_is_killed(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vlpbench.runner.running.Running.end.__defaults__", (0.1,))
    theatre = stage.run(lambda cell: None if cell.row == "plain" else stage.done(cell), Hanging, seconds=0.01)
    assert all(one.killed for job, _, one in theatre.started if job.order.row == "plain")
    assert "timeout" in stage.ends().values()


def test_after_so_many_failures_nothing_more_is_started(stage: Stage) -> None:
    theatre = stage.run(lambda cell: 7, most=1)
    assert len(theatre.started) == 1
    states = [folder_of(cell, stage.results).state() for cell in stage.cells]
    assert states == ["failed"] + ["pending"] * (len(states) - 1)


def test_asked_once_cells_stop_by_themselves(stage: Stage) -> None:
    theatre = Theatre(Place("cpu", 2), lambda cell: None)
    threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
    with pytest.raises(KeyboardInterrupt):
        stage.play(theatre, Rules())
    assert all(one.stopped for _, _, one in theatre.started) and len(theatre.started) == 2
    said = [event.what for event in stage.heard if event.what in ("stopping", "stopped")]
    assert said == ["stopping", "stopped", "stopped"]
    assert {folder_of(cell, stage.results).state() for cell in stage.cells} == {"pending"}


def test_asked_twice_they_are_ended_now(stage: Stage) -> None:
    theatre = Theatre(Place("cpu", 2), lambda cell: None, Hanging)
    for seconds in (0.2, 0.9):
        threading.Timer(seconds, os.kill, (os.getpid(), signal.SIGINT)).start()
    start = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        stage.play(theatre, Rules())
    assert all(one.killed for _, _, one in theatre.started) and time.monotonic() - start < 10


def test_what_another_run_does_is_waited_for_and_heard(stage: Stage) -> None:
    first, second, *rest = stage.cells
    theirs = Claims(stage.results / CLAIMS)
    held = [claim for cell in (first, second) if (claim := theirs.take(claim_name(cell)))]

    def end() -> None:
        finish(first, stage.results, stage.registry)
        folder = folder_of(second, stage.results)
        folder.begin(described(second, stage.registry))
        folder.fail("theirs", {}, {})
        for claim in held:
            claim.release()

    threading.Timer(0.5, end).start()
    theatre = stage.run(stage.done)
    assert [job.cell for job, _, _ in theatre.started] == [cell.id for cell in rest]
    ends = stage.ends()
    assert ends[first.id] == "taken" and ends[second.id] == "failed"
    assert [event.cell for event in stage.heard if event.what == "waiting"] == [first.id, second.id]


def test_a_cell_that_another_process_took_meanwhile_is_looked_at_again(stage: Stage) -> None:
    answers = {stage.cells[0].id: iter([TAKEN, DONE])}

    def script(cell: Cell) -> int:
        code = next(answers[cell.id], DONE) if cell.id in answers else DONE
        return stage.done(cell) if code == DONE else code

    theatre = stage.run(script)
    assert [job.cell for job, _, _ in theatre.started].count(stage.cells[0].id) == 2
    assert set(stage.ends().values()) == {"done"}


def test_a_record_that_cannot_be_written_is_said_and_the_others_go_on(stage: Stage, monkeypatch: Any) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    plain = stage.cells[0]

    def script(cell: Cell) -> int:
        if cell.id != plain.id:
            return stage.done(cell)
        monkeypatch.setattr("vlpbench.records.CellFolder.fail", full)
        return 7

    stage.run(script)
    (said,) = [event.said for event in stage.heard if event.what == "failed"]
    assert "exit code 7" in said and "No space left" in said
    assert list(stage.ends().values()).count("done") == len(stage.cells) - 1


def test_a_child_that_dies_before_it_begins_leaves_a_failed_record(ran: Any, written: Any, tmp_path: Path) -> None:
    file = written({"plain": 'objective = "none"'})
    (file.parent / "failing.py").write_text(DIES + (file.parent / "failing.py").read_text())
    found = type(ran)(file, tmp_path).again()
    assert found.code == 1
    folder = found.folder("plain")
    assert folder.state() == "failed" and "exit code 9" in folder.status()["cause"]
    assert folder.read("settings.json")["row"] == "plain"
    (line,) = [line for line in found.out.splitlines() if line.startswith("| plain ")]
    assert "failed" in line and "pending" not in line
    assert [(row, state) for row, state, _ in found.heard] == [("plain", "failed")]


@pytest.fixture
def together(stage: Stage) -> Stage:
    """The same cells, the two seeds of each row in one process."""
    rows = dict.fromkeys(cell.row for cell in stage.cells)
    stage.groups = [Group(tuple(cell for cell in stage.cells if cell.row == row)) for row in rows]
    return stage


def seen(stage: Stage, what: str) -> list[str]:
    return [event.cell for event in stage.heard if event.what == what]


def test_a_group_is_one_process_and_an_end_for_each(together: Stage) -> None:
    theatre = together.run(lambda cells: max(together.done(cell) for cell in cells))
    assert len(theatre.started) == len(together.groups) == len(together.cells) / 2
    assert together.ends() == {cell.id: "done" for cell in together.cells}
    assert sorted(seen(together, "started")) == sorted(cell.id for cell in together.cells)


def test_what_died_beside_others_is_tried_by_itself(together: Stage) -> None:
    """A process that dies takes all with it, which costs no try; a record of a cell's own is the cell's own failure."""
    runs: list[list[str]] = []

    def script(order: Any) -> int:
        cells = [order] if isinstance(order, Cell) else list(order)
        runs.append([f"{cell.row} {cell.seed}" for cell in cells])
        if cells[0].row == "plain" and len(cells) > 1:
            return 7
        for cell in cells:
            if cell.row != "words" or cell.seed == 0:
                together.done(cell)
            else:
                folder = folder_of(cell, together.results)
                folder.begin(described(cell, together.registry))
                folder.fail("not this seed", {}, {})
        return DONE if all(folder_of(cell, together.results).state() == "done" for cell in cells) else FAILED

    together.run(script)
    assert runs[0] == ["plain 0", "plain 1"] and sorted(runs[1:3]) == [["plain 0"], ["plain 1"]]
    assert runs[3] == ["words 0", "words 1"] and all("words 1" not in one for one in runs[4:])
    ends = {f"{cell.row} {cell.seed}": together.ends()[cell.id] for cell in together.cells}
    assert ends.pop("words 1") == "failed" and set(ends.values()) == {"done"}
    said = [event.said for event in together.heard if event.what == "retried"]
    assert all(one.startswith("by itself: the process ended") for one in said) and len(said) == 2


def test_a_seed_that_failed_is_tried_again_as_often_as_asked_and_alone(together: Stage) -> None:
    runs: list[int] = []

    def script(order: Any) -> int:
        cells = [order] if isinstance(order, Cell) else list(order)
        runs.append(len(cells))
        for cell in cells[:1] if len(cells) > 1 else cells:
            together.done(cell)
        if len(cells) > 1:
            folder = folder_of(cells[1], together.results)
            folder.begin(described(cells[1], together.registry))
            folder.fail("not today", {}, {})
            return FAILED
        return DONE

    together.groups = together.groups[:1]
    together.run(script, retries=1)
    assert runs == [2, 1] and set(together.ends().values()) == {"done"}


def test_a_group_that_is_killed_goes_on_together(together: Stage) -> None:
    left = {"plain": 2, "words": 1}

    def script(cells: Sequence[Cell]) -> int:
        assert len(cells) == 2
        left[cells[0].row] = left.get(cells[0].row, 0) - 1
        return -signal.SIGKILL if left[cells[0].row] >= 0 else max(together.done(cell) for cell in cells)

    theatre = together.run(script)
    assert len(theatre.started) == len(together.groups) + 3
    assert set(together.ends().values()) == {"done"}


def test_the_time_of_a_group_is_that_of_its_cells(together: Stage) -> None:
    together.groups = together.groups[:1]
    begun = time.monotonic()
    theatre = together.run(lambda cells: None, seconds=0.4)
    assert time.monotonic() - begun > 0.8 and len(theatre.started) == 1
    assert set(together.ends().values()) == {"timeout"} and len(together.ends()) == 2
    for cell in together.groups[0].cells:
        cause = folder_of(cell, together.results).status()["cause"]
        assert cause == "it took longer than its 0.4 s for each of the 2 cells that ran together"


def test_what_another_run_has_of_a_group_does_not_hold_up_the_rest(together: Stage) -> None:
    first = together.groups[0].cells[0]
    claim = Claims(together.results / CLAIMS).take(claim_name(first))
    assert claim is not None

    def end() -> None:
        finish(first, together.results, together.registry)
        claim.release()

    threading.Timer(0.5, end).start()
    theatre = together.run(lambda order: max(
        together.done(cell) for cell in ([order] if isinstance(order, Cell) else order)
    ))
    assert theatre.started[0][0].cell == together.groups[0].cells[1].id
    assert together.ends()[first.id] == "taken" and len(theatre.started) == len(together.groups)


def test_a_process_that_says_failed_and_leaves_a_cell_untouched_is_asked_again(together: Stage) -> None:
    """The code is that of the first cell that is not done: it says nothing of the second."""
    together.groups = together.groups[:1]
    runs: list[int] = []

    def script(order: Any) -> int:
        cells = [order] if isinstance(order, Cell) else list(order)
        runs.append(len(cells))
        if len(cells) == 2:
            folder = folder_of(cells[0], together.results)
            folder.begin(described(cells[0], together.registry))
            folder.fail("not today", {}, {})
            return FAILED
        return together.done(cells[0])

    together.run(script)
    assert sorted(together.ends().values()) == ["done", "failed"] and runs == [2, 1]


def test_stopped_groups_stop_each_cell(together: Stage) -> None:
    theatre = Theatre(Place("cpu", 1), lambda cells: None)
    threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
    with pytest.raises(KeyboardInterrupt):
        together.play(theatre, Rules())
    assert len(seen(together, "stopped")) == 2 and len(theatre.started) == 1


def test_a_group_that_fills_a_device_has_it_to_itself(together: Stage) -> None:
    """A device of three slots: what takes a third shares, what takes all does not."""
    one, two, *_ = together.groups
    thirds = [Group((cell,), share=1 / 3) for cell in one.cells]
    together.groups = [*thirds, *(Group((cell,), share=1.0) for cell in two.cells)]
    theatre = Theatre(Place("cuda", 0, ("0",), 3), lambda cell: None)
    seen_at_once: list[set[str]] = []

    def look(started: Sequence[Started], seconds: float) -> None:
        running = [(job, play) for job, _, play in theatre.started if play.code is None]
        seen_at_once.append({job.order.row for job, _ in running})
        for job, play in running:
            play.code = together.done(job.order)

    theatre.wait = look  # type: ignore[method-assign]
    together.play(theatre, Rules())
    assert theatre.most == 2 and seen_at_once == [{"plain"}, {"words"}, {"words"}]
