"""The grid in thought, against a clock that looks at every second."""

from __future__ import annotations

import random

import pytest

from vlpbench.runner.simulation import Job, Run, simulate


class Clock:
    """The same in whole seconds: each second, who has ended goes on, then who waits, then free slots are filled."""

    def __init__(self, jobs: list[Job], slots: int) -> None:
        self.waiting, self.slots, self.result = list(jobs), slots, Run()
        self.jobs: list[Job] = []
        self.at: dict[str, int] = {}
        self.left: dict[str, float] = {}
        self.done: set[str] = set()

    def run(self) -> Run:
        self.fill()
        while self.jobs:
            self.result.seconds += 1
            ended = [job for job in self.jobs if self.left.get(job.cell) == 1]
            for job in self.jobs:
                if job.cell in self.left:
                    self.left[job.cell] -= 1
            for job in ended:
                del self.left[job.cell]
                self.done |= {job.pieces[self.at[job.cell]][0]} - {""}
                self.at[job.cell] += 1
            for job in [*ended, *(job for job in self.jobs if job not in ended)]:
                self.go_on(job)
            self.fill()
        return self.result

    def held(self) -> set[str]:
        return {job.pieces[self.at[job.cell]][0] for job in self.jobs if job.cell in self.left} - {""}

    def go_on(self, job: Job) -> None:
        if job.cell in self.left:
            return
        while self.at[job.cell] < len(job.pieces) and job.pieces[self.at[job.cell]][0] in self.done:
            self.at[job.cell] += 1
        if self.at[job.cell] == len(job.pieces):
            self.jobs.remove(job)
            return
        stage, seconds = job.pieces[self.at[job.cell]]
        if stage not in self.held():
            self.left[job.cell] = self.result.paid[job.cell][self.at[job.cell]] = seconds

    def following(self, job: Job) -> list[str]:
        return [stage for stage, _ in job.pieces if stage and stage not in self.done]

    def fill(self) -> None:
        for job in tuple(self.waiting):
            following, taken = self.following(job), {stage for one in self.jobs for stage in self.following(one)[:1]}
            if len(self.jobs) < self.slots and (not following or following[0] not in taken):
                self.waiting.remove(job)
                self.jobs.append(job)
                self.result.paid[job.cell], self.at[job.cell] = {}, 0
                self.go_on(job)


@pytest.mark.parametrize("seed", range(60))
def test_it_ends_when_a_clock_does(seed: int) -> None:
    chance = random.Random(seed)
    jobs = [
        Job(f"cell {number}", [
            (chance.choice(["", "", "a", "b", "c"]) if at else "", float(chance.randint(1, 6)))
            for at in range(chance.randint(1, 4))
        ])
        for number in range(chance.randint(1, 7))
    ]
    slots = chance.randint(1, 4)
    assert simulate(jobs, slots) == Clock(jobs, slots).run()


def test_a_shared_stage_is_paid_once_and_waited_for() -> None:
    jobs = [Job("first", [("", 1), ("shared", 10), ("", 2)]), Job("second", [("", 1), ("shared", 10), ("", 2)])]
    run = simulate(jobs, 2)
    assert run.seconds == 14 and run.paid == {"first": {0: 1, 1: 10, 2: 2}, "second": {0: 1, 2: 2}}


def test_who_would_wait_lets_another_go_first() -> None:
    jobs = [Job("first", [("shared", 10)]), Job("twin", [("shared", 10), ("", 1)]), Job("other", [("own", 10)])]
    assert simulate(jobs, 2).seconds == 11  # the twin begins when the stage is there, beside nothing


def test_one_slot_takes_the_sum_and_many_the_longest() -> None:
    jobs = [Job(str(seconds), [("", seconds)]) for seconds in (3.0, 1.0, 2.0)]
    assert simulate(jobs, 1).seconds == 6 and simulate(jobs, 3).seconds == 3
    assert simulate([], 2) == Run() and simulate([Job("idle", [])], 1).seconds == 0


def test_what_takes_all_slots_runs_beside_nothing_and_is_overtaken_meanwhile() -> None:
    jobs = [Job("small", [("", 4)]), Job("large", [("", 10)], takes=2), Job("other", [("", 6)])]
    assert simulate(jobs, 2).seconds == 16, "both small ones side by side, then the large one"
    assert simulate(jobs[1:2], 2).seconds == 10
