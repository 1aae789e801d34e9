"""`vlpbench report submission`: what a finished cell predicted, as the evaluation servers want it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from vlpbench.config.task_name import parse_task
from vlpbench.errors import UserError, unknown
from vlpbench.records import CellFolder
from vlpbench.scoring.submission import SubmissionName, write_submission

__all__ = ["submission"]

_SERVED = ("vqa", "captioning")


@click.command()
@click.argument("cell", type=click.Path(path_type=Path, file_okay=False), metavar="CELL")
@click.argument("task", metavar="TASK")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), metavar="FOLDER")
@click.option(
    "--split", metavar="NAME", help="As the server calls it (test2014, test-dev2015); by default the cell's split.",
)
@click.option(
    "--method", metavar="NAME", help="What the server shall call your model; by default the cell's row and seed.",
)
@click.option(
    "--data", "kind", type=click.Choice(["mscoco", "abstract_v002"]), default="mscoco", show_default=True,
    help="VQA: which pictures.",
)
def submission(cell: Path, task: str, folder: Path, split: str | None, method: str | None, kind: Any) -> None:
    """Write a result file for the VQA or COCO captioning server to FOLDER, from stored predictions.

    CELL is a finished cell's folder in results, TASK one of its tasks. Answers and captions go out as the model wrote
    them. COCO's server takes the files of val2014 and test2014 in one zip archive, VQA's takes the file itself.

    \b
    vlpbench report submission results/demo/cells/prefix-lm-s0-0123456789ab vqa submit --split test-dev2015
    vlpbench report submission results/demo/cells/prefix-lm-s0-0123456789ab captioning submit --split test2014
    """  # noqa: D301 (click reads \b)
    record = CellFolder(cell)
    asked, rows = _predicted(record, task)
    said = parse_task(task)
    name = SubmissionName(
        split or asked["settings"].get("split", "test"),
        method or f"{asked['row']}-s{asked['seed']}",
        kind,
        "MultipleChoice" if said.form.startswith("choices") else "OpenEnded",
    )
    path = write_submission(folder, said.task, rows, name)
    click.echo(f"{path}: {len(rows):,} {'captions' if said.task == 'captioning' else 'answers'}")


def _predicted(record: CellFolder, task: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The settings of a finished cell, and what it predicted in a task; UserError where there is nothing to submit."""
    state = record.state()
    if state != "done":
        there = (record.path / "settings.json").is_file()
        raise UserError(
            f"this cell is {state}, not done" if there else "there is no cell here", str(record.path),
            "run the grid again" if there else "name a cell's folder: results/GRID/cells/ROW-sSEED-ID",
        )
    asked, tasks = record.read("settings.json"), record.read("scores.json")["tasks"]
    fit = [name for name, said in tasks.items() if "values" in said and parse_task(name).task in _SERVED]
    if task not in tasks:
        raise unknown("task of this cell", task, fit or tasks, str(record.path))
    if parse_task(task).task not in _SERVED:
        raise UserError(
            f"no evaluation server takes {task}", str(record.path), f"tasks with one: {', '.join(fit) or 'none here'}"
        )
    if "values" not in tasks[task]:
        raise UserError(f"{task} has no predictions in this cell: {tasks[task]['reason']}", str(record.path))
    return asked, record.predictions(task)
