"""Processes that die at any moment, and the slots they had."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from vlpbench.runner.scheduler import Slots

DIES = """
import multiprocessing, os
if multiprocessing.parent_process() is not None:
    os._exit(9)
"""


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="this system has no affinity")
def test_cells_on_a_cpu_have_a_core_of_their_own() -> None:
    cores = sorted(os.sched_getaffinity(0))
    many = Slots("cpu", len(cores))
    assert [many.core(slot) for slot in range(len(cores))] == cores
    assert Slots("cpu", len(cores) + 1).core(0) is None, "more cells than cores: the system decides"
    assert Slots("cuda", 1).core(0) is None


def test_a_child_that_dies_before_it_begins_leaves_a_failed_record(ran: Any, written: Any, tmp_path: Path) -> None:
    file = written({"plain": 'objective = "none"'})
    (file.parent / "failing.py").write_text(DIES + (file.parent / "failing.py").read_text())
    found = type(ran)(file, tmp_path).again()
    assert found.code == 1
    folder = found.folder("plain")
    assert folder.state() == "failed" and "exit code 9" in folder.status()["cause"]
    assert folder.read("settings.json")["row"] == "plain"
    (line,) = [line for line in found.out.splitlines() if line.startswith("| plain ")]
    assert "failed" in line and "pending" not in line
    assert [(row, state) for row, state, _ in found.heard] == [("plain", "failed")]
