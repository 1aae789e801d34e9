"""Notes on metrics that plugins bring: who brought them, which way is better, and what they say nothing about."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

__all__ = ["extra_notes"]


def extra_notes(told: Iterable[Mapping[str, Any]]) -> list[str]:
    """One line a metric and task; `told` are the scores of finished cells."""
    found: dict[tuple[str, str], list[tuple[Mapping[str, Any], int]]] = {}
    for scores in told:
        for task, one in scores["tasks"].items():
            for metric, said in one.get("extras", {}).items():
                found.setdefault((task, metric), []).append((said, one["examples"]))
    return [_line(task, metric, cells) for (task, metric), cells in found.items()]


def _line(task: str, metric: str, cells: list[tuple[Mapping[str, Any], int]]) -> str:
    who = dict.fromkeys(
        f"version {said['version']} of {said['distribution'] or said['plugin']} {said['release']}".strip()
        for said, _ in cells
    )
    ways = dict.fromkeys(f"{said['better']} is better" for said, _ in cells)
    out = sorted({said["left_out"] for said, _ in cells})
    many = f"{out[0]:,}" if len(out) == 1 else f"{out[0]:,} to {out[-1]:,}"
    left = f"; {many} of {cells[0][1]:,} predictions left out" if out[-1] else ""
    return f"{task} {metric}: {' / '.join(ways)}; a plugin's metric, {' / '.join(who)}{left}"
