"""What the measuring of one part of a shape found, and the seconds that a piece of work takes by it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from vlpbench.runner.shapes import Piece

__all__ = ["OPEN", "START", "Failure", "Found", "Line", "Measured", "seconds_of"]


START, OPEN = "start", "open"
"""The parts that every cell begins with: its process is there and its plugins are loaded; its data is open."""


@dataclass(frozen=True)
class Line:
    """A cost that grows with the number of examples."""

    fixed: float = 0.0
    """What it costs whatever their number."""
    each: float = 0.0
    """What one more costs."""

    def at(self, examples: float) -> float:
        """The cost of so many."""
        return self.fixed + self.each * examples


@dataclass(frozen=True)
class Measured:
    """Pretraining, or one task, as it was measured; what it has not costs nothing."""

    build: float = 0.0
    """Seconds until the first step: data, model, examples."""
    first: float = 0.0
    """Seconds of the first step, on which the floating-point operations are counted."""
    step: float = 0.0
    """Seconds of any other step, their median."""
    look: float = 0.0
    """Seconds of one look of pretraining at the validation split."""
    keep: float = 0.0
    """Seconds to write what was learnt."""
    weights: int = 0
    """Bytes of what is written."""
    asked: Line = Line()
    """Seconds to predict and score so many examples."""
    rows: Line = Line()
    """Bytes of the predictions."""
    fitted: float = 0.0
    """Seconds of a probe's fit."""
    examples: Mapping[str, int] = field(default_factory=dict)
    """Samples that each split has for the task."""
    external: float = 0.0
    """Seconds of programs that are started once a scoring."""
    peak: int = 0
    """Most bytes held until its end: of the GPU, or of the process."""


@dataclass(frozen=True)
class Failure:
    """Why a part could not be measured: its cell will most likely end like this."""

    said: str
    """A sentence: "fails after 2 s: LookupError: no start today"."""
    seconds: float = 0.0
    """How long it took to fail."""


@dataclass
class Found:
    """What is known of one shape."""

    parts: dict[str, Measured | Failure] = field(default_factory=dict)
    """The beginning, pretraining and tasks by key; behind one that failed nothing was measured."""

    def seconds(self, key: str) -> float:
        """Seconds of a part of the beginning."""
        found = self.parts.get(key)
        return 0.0 if found is None else found.build if isinstance(found, Measured) else found.seconds

    def part(self, key: str) -> Measured | Failure:
        """One part; what was not reached has the failure of the part that was."""
        if key in self.parts:
            return self.parts[key]
        failed = [one for one in self.parts.values() if isinstance(one, Failure)]
        return failed[-1] if failed else Failure("was not measured")


def seconds_of(piece: Piece, found: Measured, together: float = 1.0) -> float:
    """What a piece of work takes; its steps take the share `together` of what they take alone."""
    much = piece.amount
    asked = sum(found.asked.at(found.examples.get(split, 0)) for split in much.predicted)
    if piece.kind == "predict":
        return asked + found.external * len(much.predicted)
    learning = found.first + found.step * (much.steps - 1) if much.steps else 0.0
    return found.build + learning * together + found.look * much.looks + asked + found.fitted + found.keep
