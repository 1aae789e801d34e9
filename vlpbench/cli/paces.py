"""How fast things go: what a window of time saw, and seconds a unit of each kind of work."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable
from math import exp, log

__all__ = ["Paces", "Window"]

FORGET = 1800.0
"""Seconds of work after which what was measured before counts a third: a machine may become busier."""


class Window:
    """What was done over the last seconds; how much was done before the first look is nobody's speed."""

    def __init__(self, seconds: float = 30.0, share: float = 0.0) -> None:
        self.seconds, self.share = seconds, share
        self.points: deque[tuple[float, float]] = deque()
        self.start = 0.0

    def add(self, now: float, done: float) -> None:
        """Note how much is done at a moment; less than before is a new beginning.

        The window is `seconds` long, or `share` of the time since the beginning where that is longer.
        """
        if not self.points or done < self.points[-1][1]:
            self.points.clear()
            self.start = now
        length = max(self.seconds, self.share * (now - self.start))
        if len(self.points) > 2 and now - self.points[-2][0] < length / 100:
            self.points.pop()  # a hundred points tell as much as all
        self.points.append((now, done))
        while len(self.points) > 2 and self.points[1][0] <= now - length:
            self.points.popleft()

    @property
    def span(self) -> tuple[float, float]:
        """Seconds that the window saw, and what was done in them."""
        if not self.points:
            return 0.0, 0.0
        (begin, before), (end, after) = self.points[0], self.points[-1]
        return end - begin, after - before

    def speed(self, now: float) -> float | None:
        """Done a second; a long silence makes it slower, None is not known yet."""
        seconds, done = self.span
        if done <= 0 or seconds <= 0:
            return None
        quiet = now - self.points[-1][0]
        usual = seconds / (len(self.points) - 1)
        return done / (seconds + (quiet if quiet > 5 * usual else 0.0))


Shape = tuple[str, str]


class Paces:
    """Seconds a unit, measured for each kind and shape; what was not measured is told from what is nearest.

    Nearest: the kind's mean over all shapes, times how much slower than the mean the same model has been elsewhere.
    """

    def __init__(self, prior: float | None = None) -> None:
        self.prior = prior
        self.sums: dict[tuple[str, Shape], tuple[float, float]] = {}
        self.starts: dict[tuple[str, Shape], list[float]] = defaultdict(list)
        self.seconds = 0.0
        self.measured: dict[tuple[str, Shape], float] = {}
        self.means: dict[str, float] = {}
        self.mean = 0.0
        self._known: dict[tuple[str, Shape], float | None] = {}

    def add(self, kind: str, shape: Shape, units: float, seconds: float) -> None:
        """So many units took so many seconds."""
        before, took = self.sums.get((kind, shape), (0.0, 0.0))
        fade = exp(-seconds / FORGET)
        self.sums[kind, shape] = before * fade + units, took * fade + seconds
        self.seconds += seconds
        self._known.clear()

    def add_start(self, kind: str, shape: Shape, seconds: float) -> None:
        """A part took so long before its first step."""
        self.starts[kind, shape].append(max(0.0, seconds))

    def start(self, kind: str, shape: Shape) -> float:
        """Seconds before the first step of a part."""
        like = [one for (other, _), starts in self.starts.items() if other == kind for one in starts]
        own = self.starts.get((kind, shape), like)
        return sum(own) / len(own) if own else 0.0

    def a_unit(self, kind: str, shape: Shape) -> float | None:
        """Seconds a unit of a kind and shape; None until anything was measured."""
        if (kind, shape) not in self._known:
            self._known[kind, shape] = self._a_unit(kind, shape)
        return self._known[kind, shape]

    def _a_unit(self, kind: str, shape: Shape) -> float | None:
        if not self._known:
            self._measure()
        if (kind, shape) in self.measured:
            return self.measured[kind, shape]
        if not self.measured:
            return self.prior
        slower = [pace / self.means[of] for (of, other), pace in self.measured.items() if other[0] == shape[0]]
        return self.means.get(kind, self.mean) * (_mean(slower) if slower else 1.0)

    def _measure(self) -> None:
        """Seconds a unit where something was done, for each kind and shape, each kind, and all."""
        self.measured = {key: took / units for key, (units, took) in self.sums.items() if units > 0 and took > 0}
        kinds = defaultdict(list)
        for (kind, _), pace in self.measured.items():
            kinds[kind].append(pace)
        self.means = {kind: _mean(paces) for kind, paces in kinds.items()}
        units, took = (sum(column) for column in zip((0.0, 0.0), *self.sums.values(), strict=True))
        self.mean = took / units if units else 0.0


def _mean(values: Iterable[float]) -> float:
    """The geometric mean: paces differ by factors."""
    logs = [log(value) for value in values]
    return exp(sum(logs) / len(logs))
