"""The numbers that a paper prints, in columns of their own beside ours, as precise as it prints them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from vlpbench.results.grid_order import GridOrder

__all__ = ["Column", "published_by_column", "published_texts"]

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


def published_texts(numbers: Mapping[Column, float]) -> dict[Column, str]:
    """The numbers of one column, each with as many decimals as the most precise of them has."""
    decimals = max((_decimals(value) for value in numbers.values()), default=0)
    return {row: f"{value:.{decimals}f}" for row, value in numbers.items()}


def _decimals(value: float) -> int:
    return len(f"{value:.10f}".rstrip("0").partition(".")[2])
