"""A record as lines of the frame: one for each task and metric, whatever became of the cell."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from vlpbench.config.known import backbone_parts
from vlpbench.metrics.names import is_suite
from vlpbench.results.compute.cells import CellTime
from vlpbench.results.grid_order import GridOrder
from vlpbench.results.metric_names import better
from vlpbench.results.records import DAMAGED, Record

__all__ = ["lines_of", "lines_of_missing"]


def lines_of(record: Record, time: CellTime, alone: float | None) -> Iterator[dict[str, Any]]:
    """The lines of one cell; of one that is not done one a task, with the reason. `alone` is `alone_seconds`."""
    base = _settings(record.asked) | {"grid": record.order.name, "status": record.state}
    if record.state != "done":
        tasks = record.asked["settings"]["tasks"]
        yield from (base | {"task": task, "metric": "", "reason": record.reason} for task in tasks)
        return
    cost = record.scores["cost"]
    base |= {
        "parameters": cost["parameters"], "image_tokens": cost["image_tokens"], "samples": cost["samples"],
        "target_tokens": cost["targets"], "flops": cost["flops"], "seconds": time.total if time.seconds else None,
        "alone_seconds": alone,
        "peak_bytes": time.peak_bytes or None, "pairs_per_second": time.pairs_per_second, "tflops": time.tflops,
        "device": time.environment.get("device", ""),
    }
    for task, found in record.scores["tasks"].items():
        if "values" not in found:
            yield base | {"task": task, "metric": "", "status": "n/a", "reason": found["reason"]}
        else:
            yield from _of_task(record, base, task, found)


def _of_task(
    record: Record, base: Mapping[str, Any], task: str, found: Mapping[str, Any]
) -> Iterator[dict[str, Any]]:
    told, taught = found.get("told", {}), found["fine_tune"]
    shared = {
        **base, "task": task, "protocol": found["protocol"], "head": found["head"], "data": found["data"],
        "split": found["split"], "examples": found.get("examples"), "images": told.get("images"),
        "metrics_version": record.scores.get("metrics", 1), "fine_tune_samples": taught["samples"],
        "fine_tune_flops": taught.get("flops"),
    }
    extras = found.get("extras", {})
    for metric, value in found["values"].items():
        yield shared | _way(metric, told, extras) | {
            "metric": metric, "value": value, "published": record.asked["published"].get(f"{task}.{metric}"),
            "reason": found["reasons"].get(metric, ""),
        }


def _way(metric: str, told: Mapping[str, Any], extras: Mapping[str, Any]) -> dict[str, Any]:
    """How a metric is to be read: which end is good, and the rule and version behind it, its own for a plugin's."""
    if is_suite(metric):
        return {"better": better(metric) or "", "normalisation": _normalisation(metric, told)}
    own = extras.get(metric, {})
    return {"better": own.get("better", ""), "normalisation": "", "metrics_version": own.get("version")}


def lines_of_missing(
    order: GridOrder, there: Collection[str], unreadable: Collection[str]
) -> Iterator[dict[str, Any]]:
    """Cells of the grid that left no line: not run yet, with a reason not to, or of settings that cannot be read."""
    for cell, said in order.cells.items():
        if cell in there:
            continue
        reason = said["reason"] or ""
        status = "n/a" if reason else "pending"
        if cell in unreadable:
            status, reason = "damaged", DAMAGED
        for task in order.tasks:
            yield {
                "grid": order.name, "row": said["row"], "cell": cell, "seed": said["seed"], "task": task,
                "metric": "", "status": status, "reason": reason,
            }


def _normalisation(metric: str, told: Mapping[str, Any]) -> str:
    """The rule behind one score of answers: that of its name, else the task's; none where answers are as written."""
    name, _, which = metric.partition("[")
    if which.startswith("rule="):
        return which.removeprefix("rule=").rstrip("]")
    return "none" if name == "exact" else str(told.get("normalisation", ""))


def _settings(asked: Mapping[str, Any]) -> dict[str, Any]:
    stem, trunk, size = backbone_parts(asked["settings"]["backbone"])
    return {
        "row": asked["row"], "cell": asked["id"], "seed": asked["seed"],
        "objective": asked["settings"]["objective"], "blind": asked["settings"]["blind"],
        "stem": stem, "trunk": trunk, "size": size,
    }
