"""`vlpbench grid compact`: a copy of a grid's results that is small enough to commit."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import click

from vlpbench.cli.sizes import size
from vlpbench.runner.compacting import Compacted, compact

__all__ = ["grid_compact"]


@click.command("compact")
@click.argument("results", type=click.Path(path_type=Path, file_okay=False), metavar="RESULTS")
@click.argument("folder", type=click.Path(path_type=Path), metavar="FOLDER")
def grid_compact(results: Path, folder: Path) -> int:
    """Write a small copy of a grid's RESULTS to FOLDER: finished cells without predictions, models and logs.

    Kept are settings, scores, curves, timing, environment, what [tune] chose, and scores of single examples. Reports
    and tests read the copy as they read the whole, and a run that is pointed at it goes on from there. A copy that is
    there is brought up to date. Where FOLDER is RESULTS itself, what is left out is removed.

    \b
    vlpbench grid compact results/demo reference/demo
    vlpbench run grid demo --results reference
    vlpbench grid compact reference/demo reference/demo
    """  # noqa: D301 (click reads \b)
    found = compact(results, folder)
    click.echo("\n".join(_told(found, folder)))
    return 0


def _told(found: Compacted, folder: Path) -> list[str]:
    lines = [f"not copied: {who}: {why}" for who, why in found.left.items()]
    for why, count in Counter(found.stages_left.values()).items():
        lines.append(f"left alone: {count} stage{'s' * (count != 1)}: {why}")
    if found.orphans:
        many = len(found.orphans)
        lines.append(f"left alone: {many} record{'s' * (many != 1)} of earlier settings: see vlpbench grid clean")
    if found.stages:
        lines.append(f"removed: {found.stages} stage{'s' * (found.stages != 1)} (weights and predictions)")
    parts = {
        "written": len(found.written), "there already": len(found.kept), "not copied": len(found.left),
        "still to be run": found.pending,
    }
    told = ", ".join(f"{count} {what}" for what, count in parts.items() if count) or "no cells"
    taken = sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file())
    return [*lines, f"{found.name}: {told}; {folder} takes {size(taken)}"]
