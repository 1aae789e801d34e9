"""What seeds and images can show, as data; numbers in the unit of print (caption scores times 100)."""

from __future__ import annotations

from dataclasses import dataclass

from vlpbench.results.power.spread import SeedSpread

__all__ = ["ImageNeed", "Images", "MetricPower", "Power", "SeedNeed", "SeenGap"]


@dataclass(frozen=True)
class SeedNeed:
    """How many seeds of each row find a gap; None stands for more than 1,000."""

    gap: float
    """The gap."""
    seeds: int | None
    """Were the spread what it seems."""
    fewest: int | None
    """Were it the lower end of its interval."""
    most: int | None
    """Were it the upper end."""


@dataclass(frozen=True)
class SeenGap:
    """A row as it stands."""

    row: str
    """The row."""
    gap: float
    """Mean difference to the baseline."""
    std: float
    """Of its own differences between seeds."""
    seeds: int
    """That both rows have."""
    need: SeedNeed | None
    """What a gap of this size needs, by the row's own spread; None where it has none."""


@dataclass(frozen=True)
class ImageNeed:
    """How many test images find a gap with the seeds that there are; None: no number of them does."""

    gap: float
    """The gap."""
    these_models: int | None
    """To say something of these very models."""
    new_seeds: int | None
    """To say something of the recipe over new seeds, too."""


@dataclass(frozen=True)
class Images:
    """What test images can show."""

    images: int
    """Of the test set."""
    seeds: int
    """Of each row."""
    ladder: tuple[ImageNeed, ...]
    """One a gap asked for."""


@dataclass(frozen=True)
class MetricPower:
    """One task and metric."""

    task: str
    """The task."""
    metric: str
    """The metric."""
    spread: SeedSpread
    """From seed to seed."""
    smallest: float
    """Least gap that the seeds there are find, corrected for all comparisons."""
    alone: float
    """The same for one comparison by itself."""
    ladder: tuple[SeedNeed, ...]
    """One a gap asked for."""
    seen: tuple[SeenGap, ...]
    """One a row with at least two pairs."""
    images: Images | None
    """None where scores of single examples are not to be had."""
    no_images: str = ""
    """Why they are not."""


@dataclass(frozen=True)
class Power:
    """What one grid's seeds and test images can show."""

    grid: str
    """Name of the grid."""
    baseline: str
    """Row that the others are held against."""
    alpha: float
    """Level of a table's tests, all together."""
    power: float
    """How likely a gap is found."""
    comparisons: int
    """Of the table: the smallest p must be below alpha over so many."""
    metrics: tuple[MetricPower, ...]
    """Those with a spread."""
    without: tuple[tuple[str, str], ...]
    """(task, metric) without a spread: no row has two seeds in common with the baseline, or differences never vary."""
