"""The demo over five seeds as a results folder: its committed frame, written by the records' own code."""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from vlpbench.grid.open import open_grid
from vlpbench.runner.cell import described, folder_of
from vlpbench.runner.grid_run import begin
from vlpbench.runner.plan import plan_grid

FRAME = Path(__file__).parents[2] / "results" / "reference" / "demo" / "frame.csv"
FLOORS = {
    "vqa": {"chance": {"accuracy": 5.534}, "majority of its question type": {"accuracy": 30.628}},
    "captioning": {"chance": {"CIDEr": 0.683}, "majority": {"CIDEr": 0.343}},
    "retrieval": {"chance": {"TR@1": 0.2, "IR@1": 0.2}},
}
CURVE = [{"stage": "pretrain", "step": step, "loss": 4.0 / (1 + step), "lr": 0.002} for step in range(0, 500, 50)]
HERE = {"device": "cpu (x86_64)", "cores": "2", "torch": "2.9.0"}


def task_of(lines: Sequence[dict[str, str]]) -> dict[str, Any]:
    """What a record says of one task, from the frame's lines of it."""
    first, values = lines[0], {line["metric"]: float(line["value"]) if line["value"] else None for line in lines}
    return {
        "protocol": first["protocol"], "head": first["head"], "data": first["data"], "split": first["split"],
        "select": "last", "examples": int(first["images"]), "told": {"images": int(first["images"])},
        "fine_tune": {"samples": int(float(first["fine_tune_samples"])), "flops": 0}, "values": values,
        "reasons": {line["metric"]: "there is no SPICE here" for line in lines if line["reason"]},
        "floors": FLOORS.get(first["task"], {}), "ceilings": {},
    }


@pytest.fixture
def five_seeds() -> Callable[[Path], None]:
    """five_seeds(folder) writes `results/demo` there, with the settings of the grid and the scores of the frame."""

    def write(folder: Path) -> None:
        grid, registry = open_grid("demo", ["seeds=[0, 1, 2, 3, 4]", "data.digits.train=40"])
        plan = plan_grid(grid, registry, folder / "results")
        begin(plan, lambda event: None)
        with FRAME.open(encoding="utf-8", newline="") as file:
            frame = list(csv.DictReader(file))
        for cell in plan.cells:
            lines = [line for line in frame if (line["row"], line["seed"]) == (cell.row, str(cell.seed))]
            tasks = {task: task_of([line for line in lines if line["task"] == task]) for task in cell.settings.tasks}
            cost = {"parameters": "parameters", "image_tokens": "image_tokens", "samples": "samples",
                    "targets": "target_tokens", "flops": "flops"}
            record = folder_of(cell, plan.results)
            record.begin(described(cell, registry))
            spent = {name: int(float(lines[0][key])) for name, key in cost.items()}
            record.finish(
                {"tasks": tasks, "cost": spent, "left_out": {}},
                CURVE, {}, {"timing": {"total": float(lines[0]["seconds"]), "seconds": {}}, "environment": HERE},
            )

    return write
