"""Names in a sentence: one that has a comma of its own stands in quotes, so that it reads as one."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

__all__ = ["listed", "of_most", "spans"]

_RUN = 3
"""So many numbers that follow each other are told by their ends."""


def listed(names: Iterable[str], most: int | None = None) -> str:
    """`base, 'base, blind', other`; at most so many names, and how many more there are."""
    every = [f"'{name}'" if "," in name else name for name in names]
    more = f" and {len(every) - most} more" if most is not None and len(every) > most else ""
    return ", ".join(every[:most]) + more


def of_most(ways: Mapping[str, Collection[str]]) -> str:
    """The way of more than half of the rows, with how many they are where there are others (way -> its rows)."""
    most = max(ways, key=lambda way: len(ways[way]))
    mine, every = len(ways[most]), len({row for rows in ways.values() for row in rows})
    if len(ways) == 1:
        return most
    return f"{most} ({mine} of {every} rows)" if 2 * mine > every else "differs by row"


def spans(numbers: Sequence[int]) -> str:
    """Ascending numbers, runs of them by their ends: `0–4, 7, 8`."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ", ".join(f"{run[0]}–{run[-1]}" if len(run) >= _RUN else ", ".join(map(str, run)) for run in runs)
