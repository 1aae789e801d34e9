from __future__ import annotations

import pytest

from vlpbench.grid import task_why_not


@pytest.mark.parametrize(
    ("base", "tasks", "reason"),
    [
        ("trunk = 'dual'", ["vqa"], "n/a: prefix-lm needs context, decode, dual has none"),
        ("trunk = 'dual'\nobjective = 'contrastive + 2*prefix-lm'", ["vqa"], "n/a: prefix-lm needs context, decode"),
        ("trunk = 'dual'\nobjective = 'contrastive'", ["captioning"], "n/a: captioning needs decode"),
        ("trunk = 'dual'\nobjective = 'contrastive'", ["captioning", "vqa"], None),
        ("objective = 'none'", ["retrieval@zero-shot"],
         "n/a: retrieval@zero-shot pretraining did not train vectors"),
        ("objective = 'prefix-lm'", ["retrieval@zero-shot"], "did not train vectors"),
        ("objective = 'contrastive'", ["retrieval@zero-shot"], None),
        ("objective = 'prefix-lm'", ["captioning@zero-shot", "retrieval"], None),
    ],
)
def test_a_cell_says_why_it_cannot_be_run(made, base, tasks, reason):
    found = made(f"floors = false\ntasks = {tasks}\n[base]\n{base}\n")[0]
    if reason is None:
        assert found.reason is None
    else:
        assert reason in (found.reason or "")


def test_a_task_says_why_it_has_no_score(made, registry):
    cell = made("floors = false\n[base]\nobjective = 'contrastive'\ntrunk = 'dual'")[0]
    assert cell.reason is None
    said = {task: task_why_not(task, cell.settings, registry) for task in cell.settings.tasks}
    assert said["captioning"] == "n/a: needs decode"
    assert said["vqa"] is said["retrieval"] is None
