"""From what was measured to what a grid costs: the sums over cells, rows, memory and disk.

A cell's part that could not be measured ends the cell there, as it will in the run.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from vlpbench.contract.launcher import Place
from vlpbench.grid import Cell, task_why_not
from vlpbench.registry import Registry
from vlpbench.runner.company import ALONE, Company
from vlpbench.runner.measured import OPEN, START, Failure, Found, Measured, seconds_of
from vlpbench.runner.shapes import Piece
from vlpbench.runner.simulation import Job, Run, simulate

__all__ = ["Disk", "Memory", "RowCost", "Work", "disk_of", "memory_of", "row_costs", "run_of"]

MEANS = 3
"""A checkpoint in sizes of its weights: AdamW keeps two means of each."""
COPIES = 2
"""Predictions are kept with their stage and in the cell's record."""


@dataclass(frozen=True)
class RowCost:
    """What the cells of one row cost together."""

    row: str
    """The line of the table."""
    ids: Sequence[str]
    """Its cells that are to be run."""
    seconds: Mapping[str, float]
    """"start", "tune", "pretrain" or task -> seconds; what another row's cell runs, or what is there, has none."""
    peak_bytes: int = 0
    """Most memory that one of its cells holds."""
    said: Mapping[str, str] = field(default_factory=dict)
    """The same keys -> why there are none, or what will go wrong."""

    @property
    def cells(self) -> int:
        """How many of its cells are to be run."""
        return len(self.ids)

    @property
    def total(self) -> float:
        """Seconds of all its cells."""
        return sum(self.seconds.values())


@dataclass(frozen=True)
class Memory:
    """What cells hold, in bytes: of a GPU, or of the machine."""

    cell: int = 0
    """The largest one, or the largest process of several."""
    at_once: int = 0
    """As many of the largest as share it."""


@dataclass(frozen=True)
class Disk:
    """What a run leaves on disk, in bytes."""

    weights: int = 0
    """Of what the stages learnt."""
    checkpoints: int = 0
    """The largest checkpoints that are there at once; they go when their stages end."""
    predictions: int = 0
    """Of the tasks, with their stages and in the records."""

    @property
    def whole(self) -> int:
        """The most that the run takes at any time."""
        return self.weights + self.checkpoints + self.predictions


@dataclass(frozen=True)
class Work:
    """One cell, its pieces, and what is known of each."""

    cell: Cell
    """The cell."""
    pieces: Sequence[Piece]
    """All of its work, also what is there already."""
    found: Mapping[str, Found]
    """Shape -> what was measured."""
    company: Company = ALONE
    """With whom it runs. All seconds below are its part of what its process takes."""

    def part(self, piece: Piece) -> Measured | Failure:
        """What was measured of a piece's part."""
        return self.found[piece.shape].part(piece.part)

    def begins(self, key: str) -> float:
        """Seconds of a part of its beginning: its process, then its data."""
        shapes = [self.found[piece.shape].seconds(key) for piece in self.pieces if piece.shape in self.found]
        return shapes[-1] / self.company.cells if shapes else 0.0

    def to_do(self) -> Iterator[tuple[Piece, Measured | Failure]]:
        """The pieces that are to be run, up to the first that fails."""
        for piece in self.pieces:
            if not piece.done:
                found = self.part(piece)
                yield piece, found
                if isinstance(found, Failure):
                    return

    def takes(self) -> list[tuple[str, float]]:
        """The beginning, then the pieces: each one's stage and seconds; what fails leaves no stage to share."""
        with_ = self.company
        pieces = [
            ("", found.seconds) if isinstance(found, Failure)
            else (piece.stage, seconds_of(piece, found, with_.together) * with_.stretch)
            for piece, found in self.to_do()
        ]
        return [("", self.begins(START) + self.begins(OPEN)), *pieces]

    @property
    def process(self) -> str:
        """What tells its process from others: the id of the first cell."""
        return self.company.ids[0] if self.company.ids else self.cell.id

    def paid(self, run: Run) -> Iterator[tuple[Piece, float]]:
        """The pieces that this cell runs itself, with their seconds; the first of them also opens the data."""
        opening = self.begins(OPEN)
        for at, (piece, _) in enumerate(self.to_do(), 1):
            if at in run.paid[self.process]:
                yield piece, run.paid[self.process][at] / self.company.cells + opening
                opening = 0.0

    def peak(self) -> int:
        """Most memory that it holds, in bytes."""
        return max((found.peak for _, found in self.to_do() if isinstance(found, Measured)), default=0)


def run_of(work: Sequence[Work], slots: int) -> Run:
    """The grid run in thought."""
    return simulate(list(_jobs(work)), slots)


def _jobs(work: Sequence[Work]) -> Iterator[Job]:
    """One a process: the pieces of its cells go side by side, so that each takes as long as all of them together."""
    processes: dict[str, list[Work]] = {}
    for one in work:
        processes.setdefault(one.process, []).append(one)
    for process, some in processes.items():
        beside = list(zip(*(one.takes() for one in some), strict=False))
        pieces = [("+".join(filter(None, (stage for stage, _ in same))), sum(t for _, t in same)) for same in beside]
        yield Job(process, pieces, some[0].company.slots)


def row_costs(work: Sequence[Work], run: Run, registry: Registry) -> list[RowCost]:
    """One entry a row, in the order of its first cell."""
    rows = dict.fromkeys(one.cell.row for one in work)
    return [_row(row, [one for one in work if one.cell.row == row], run, registry) for row in rows]


def _row(row: str, work: Sequence[Work], run: Run, registry: Registry) -> RowCost:
    seconds = {START: sum(one.begins(START) for one in work)}
    for piece, paid in (paid for one in work for paid in one.paid(run)):
        seconds[piece.column] = seconds.get(piece.column, 0.0) + paid
    said: dict[str, str] = {}
    for one in work:
        ran = {id(piece) for piece, _ in one.paid(run)}
        said |= {piece.column: "there already" for piece in one.pieces if piece.done}
        said |= {piece.column: "shared" for piece, _ in one.to_do() if id(piece) not in ran}
        said |= {piece.column: found.said for piece, found in one.to_do() if isinstance(found, Failure)}
        reasons = {task: task_why_not(task, one.cell.settings, registry) for task in one.cell.settings.tasks}
        said |= {task: reason for task, reason in reasons.items() if reason}
    return RowCost(row, [one.cell.id for one in work], seconds, max(one.peak() for one in work), said)


def memory_of(work: Sequence[Work], place: Place) -> Memory:
    """The largest cell, and as many of the largest as share the machine's memory, or one GPU's."""
    processes = {one.process: one.company.held or one.company.cells * one.peak() for one in work}
    peaks = sorted(processes.values(), reverse=True)
    return Memory(max(peaks, default=0), sum(peaks[: place.each if place.devices else place.slots]))


def disk_of(work: Sequence[Work], slots: int) -> Disk:
    """What the run will leave, each stage once, whoever runs it."""
    kept: dict[str, int] = {}
    trained: dict[str, int] = {}
    rows = 0.0
    for one in work:
        for piece, found in one.to_do():
            if isinstance(found, Failure):
                continue
            if piece.kind == "predict":
                rows += COPIES * sum(found.rows.at(found.examples.get(split, 0)) for split in piece.amount.predicted)
            else:
                kept[piece.stage] = found.weights
                trained |= {piece.stage: found.weights} if piece.amount.steps else {}
    largest = sorted(trained.values(), reverse=True)[:slots]
    return Disk(sum(kept.values()), MEANS * sum(largest), round(rows))
