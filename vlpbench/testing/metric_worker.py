"""A process that measures rows by a metric: `python -m vlpbench.testing.metric_worker RANK`.

Its hash seed is a fixed one, so that sets of words are walked through in another order than where it is asked from.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from vlpbench.tasks.extra_metrics import numbers
from vlpbench.testing.jobs import serve
from vlpbench.testing.references import Reference

__all__ = ["measured"]


def measured(job: dict[str, Any], _folder: Path, _rank: int) -> dict[str, Any]:
    """The values of a job's rows."""
    rows = job["rows"]
    return {"values": numbers(Reference(**job["class"]).find()().values(rows), len(rows))}


if __name__ == "__main__":
    if os.environ.get("PYTHONHASHSEED") != "1":  # strings are hashed as the process began
        os.environ["PYTHONHASHSEED"] = "1"
        os.execv(sys.executable, [sys.executable, "-m", "vlpbench.testing.metric_worker", *sys.argv[1:]])
    serve({"measure": measured})
