"""The numbers that a paper prints, in columns of their own beside ours, as precise as it prints them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from vlpbench.results.grid_order import GridOrder

__all__ = ["Column", "decimals_of", "published_by_column"]

Column = tuple[str, str]
"""Two names: task and metric of a column, or grid and row of a line."""


def published_by_column(orders: Iterable[GridOrder], asked: Sequence[str] | None) -> dict[Column, dict[Column, float]]:
    """(task, metric) -> (grid, row) -> number, of the tasks that the grids have and the metrics that are asked for."""
    found: dict[Column, dict[Column, float]] = {}
    for order in orders:
        for row, numbers in order.published.items():
            for key, value in numbers.items():
                task, _, metric = key.partition(".")
                if (not order.tasks or task in order.tasks) and (asked is None or metric in asked):
                    found.setdefault((task, metric), {})[order.name, row] = value
    return found


def decimals_of(numbers: Iterable[float]) -> int:
    """How many decimals the most precise of some printed numbers has."""
    return max((len(f"{value:.10f}".rstrip("0").partition(".")[2]) for value in numbers), default=0)
