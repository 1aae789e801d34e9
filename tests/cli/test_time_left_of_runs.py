"""How near the truth the time left is in whole runs that are made up, with a clock of their own."""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from math import exp

import pytest

from vlpbench.cli import time_left
from vlpbench.cli.time_left import TimeLeft
from vlpbench.cli.work import Part, Work, asking
from vlpbench.runner.events import Event


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [0.0]
    monkeypatch.setattr(time_left.time, "monotonic", lambda: now[0])
    return now


@dataclass(frozen=True)
class Made:
    """How a made run goes."""

    parts: Mapping[str, Sequence[Part]]
    seconds: Mapping[str, float]
    """True seconds of each part, by its key."""
    jobs: int = 1
    every: float = 1.0
    """Seconds between two words of a cell."""
    start: float = 2.0
    """Seconds before the first step of a part."""
    resumed: Mapping[str, float] = field(default_factory=dict)
    """Shares that an earlier run has done, by the part's key."""
    fails: Mapping[str, float] = field(default_factory=dict)
    """Cells that fail, and after how many seconds."""
    steps: int = 1000

    def events(self) -> Iterator[tuple[float, Event]]:
        """When what is heard, in order."""
        free, waiting = [0.0] * self.jobs, list(self.parts)
        over: dict[str, float] = {}
        told: list[tuple[float, int, Event]] = []
        while waiting:
            now = heapq.heappop(free)
            cell = next((one for one in waiting if all(over.get(part.key, 0) <= now for part in self.parts[one][:1])),
                        waiting[0])
            waiting.remove(cell)
            number = len(told)
            told.append((now, number, Event("started", cell)))
            heapq.heappush(free, self._live(cell, now, over, told))
        for when, _, event in sorted(told):
            yield when, event

    def _live(self, cell: str, now: float, over: dict[str, float], told: list[tuple[float, int, Event]]) -> float:
        fails = now + self.fails.get(cell, float("inf"))
        for part in self.parts[cell]:
            if part.key in over:
                if over[part.key] > now:
                    told.append((now, len(told), Event("waiting", cell, f"waits for {part.stage}")))
                now = max(now, over[part.key])
                continue
            first = self.resumed.get(part.key, 0.0)
            end = now + self.start + self.seconds[part.key] * (1 - first)
            word = now + self.start + 0.5
            while word < min(end, fails) and not part.silent:
                share = 1 - (end - word) / self.seconds[part.key]
                said = Event("progress", cell, part.stage, int(share * self.steps), self.steps)
                told.append((word, len(told), said))
                word += self.every
            if fails < end:
                told.append((fails, len(told), Event("failed", cell, "RuntimeError: made")))
                return fails
            if not part.silent:
                told.append((end, len(told), Event("progress", cell, part.stage, self.steps, self.steps)))
            now = over[part.key] = end
        told.append((now, len(told), Event("done", cell)))
        return now


def _made(seed: int, rows: int, seeds: int, shared: bool = False) -> tuple[dict[str, list[Part]], dict[str, float]]:
    """Parts in samples and their true seconds: rows differ in speed by a fifth or so, tasks by up to two thirds."""
    chance, parts, seconds = random.Random(seed), dict[str, list[Part]](), dict[str, float]()
    for row in range(rows):
        model, slow, objective = (f"model {row}", ""), exp(chance.gauss(0, 0.2)), exp(chance.gauss(0, 0.2))
        for number in range(seeds):
            cell = f"row {row} seed {number}"
            pretraining = f"pretrain {row // 2 if shared else row} {number}"
            parts[cell] = [Part("pretrain", 36_000, "pretrain", (f"model {row}", f"objective {row}"), pretraining)]
            for task in ("vqa", "captioning", "retrieval"):
                parts[cell].append(Part(task, 6_400, task, model, f"{cell} {task}"))
                parts[cell].append(Part(asking(task), 500, asking(task), model, f"{cell} {task} asked"))
            costs = {"vqa": 4.0, "captioning": 5.0, "retrieval": 3.0}
            for part in parts[cell]:
                task = part.kind.partition(":")[0]
                cost = 3 * objective if task == "pretrain" else costs[task] * (1 + part.silent)
                seconds.setdefault(part.key, part.units * cost / 1000 * slow * exp(chance.gauss(0, 0.05)))
    return parts, seconds


def _told(made: Made, work: Work, clock: list[float]) -> tuple[list[tuple[float, float | None]], float]:
    """What is said each second, and the seconds of the whole run."""
    left, told, now = TimeLeft(work), list[tuple[float, float | None]](), 0.0
    for when, event in made.events():
        while now + 1 < when:
            clock[0] = now = now + 1
            told.append((now, left.seconds()))
        clock[0] = when
        left.heard(event)
    assert left.seconds() == 0 and left.share == pytest.approx(1)
    return told, when


def _errors(told: Sequence[tuple[float, float | None]], total: float) -> list[float]:
    """Of what was said after a quarter, a half and three quarters, as shares of the whole."""
    found = dict(told)
    moments = [round(total * share) for share in (0.25, 0.5, 0.75)]
    return [abs((found[moment] or 0.0) - (total - moment)) / total for moment in moments]


RUNS: dict[str, Callable[[int], Made]] = {
    "one job": lambda seed: Made(*_made(seed, 5, 2)),
    "four jobs": lambda seed: Made(*_made(seed, 5, 3), jobs=4),
    "eight jobs, a word every 20 s": lambda seed: Made(*_made(seed, 10, 3), jobs=8, every=20),
    "two jobs, shared pretrainings": lambda seed: Made(*_made(seed, 5, 2, shared=True), jobs=2),
    "two jobs, resumed": lambda seed: Made(
        *_made(seed, 5, 2), jobs=2, resumed={"pretrain 0 0": 0.9, "pretrain 0 1": 0.5, "row 1 seed 0 vqa": 0.7}
    ),
    "two jobs, three cells fail": lambda seed: Made(
        *_made(seed, 5, 2), jobs=2, fails={"row 1 seed 0": 60, "row 2 seed 1": 100, "row 0 seed 1": 20}
    ),
}


@pytest.mark.parametrize("run", RUNS)
def test_time_left_is_near_the_truth_and_moves_smoothly(run: str, clock: list[float]) -> None:
    errors = []
    for seed in range(3):
        made = RUNS[run](seed)
        told, total = _told(made, Work(made.parts), clock)
        errors.append(_errors(told, total))
        said = [seconds for _, seconds in told if seconds is not None]
        assert len(said) > 0.9 * len(told)  # it is told soon
        assert all(0 < seconds < 3 * total for seconds in said)
        assert all(1 / 1.2 < one / other < 1.2 for one, other in pairwise(said) if one > 20)
    quarter, half, three_quarters = (sorted(column)[1] for column in zip(*errors, strict=True))
    assert quarter < 0.5 and half < 0.3 and three_quarters < 0.1  # medians of three runs; only samples are known


@pytest.mark.parametrize("run", RUNS)
def test_with_an_estimate_it_is_near_from_the_start(run: str, clock: list[float]) -> None:
    made, chance = RUNS[run](3), random.Random(3)
    guess = {key: seconds * exp(chance.gauss(0, 0.15)) for key, seconds in made.seconds.items()}
    seconds = {cell: {part.stage: guess[part.key] for part in parts} for cell, parts in made.parts.items()}
    told, total = _told(made, Work(made.parts).timed(seconds), clock)
    quarter, half, three_quarters = _errors(told, total)
    assert quarter < 0.2 and half < 0.15 and three_quarters < 0.06
