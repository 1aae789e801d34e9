from __future__ import annotations

import pytest

from vlpbench.config.changes import with_changes
from vlpbench.config.merge import merge, settings_of

SAID = {"tasks": ["vqa@decoder", "vqa@fused", "retrieval"], "tune.tries.optim.lr": [1.0], "tune.task": "retrieval",
        "objective.prefix-lm.shortest": 4}


@pytest.fixture
def cell(known):
    return settings_of(merge([SAID]), 3, known)


def test_one_setting_is_another_and_all_else_as_it_was(cell, known):
    found = with_changes(cell, {"optim.lr": 0.5}, known)
    assert found.optim.lr == 0.5
    assert with_changes(found, {"optim.lr": cell.optim.lr}, known) == cell
    assert (found.seed, found.tune, found.objectives) == (3, cell.tune, {"prefix-lm": {"shortest": 4}})


@pytest.mark.parametrize(
    ("changes", "rates"),
    [
        ({"protocol.vqa.lr": 0.5}, (0.5, 0.5, 1e-3)),
        ({"protocol.vqa@fused.lr": 0.5}, (1e-3, 0.5, 1e-3)),
        ({"protocol.vqa@fused.lr": 0.25, "protocol.vqa.lr": 0.5}, (0.5, 0.25, 1e-3)),
        ({"protocol.captioning.lr": 0.5}, (1e-3, 1e-3, 1e-3)),
    ],
)
def test_what_a_task_s_protocol_says_holds_for_its_forms(cell, known, changes, rates):
    protocol = with_changes(cell, changes, known).protocol
    assert tuple(protocol[task].lr for task in SAID["tasks"]) == rates


def test_what_depends_on_a_change_is_filled_in_anew(cell, known):
    found = with_changes(cell, {"trunk": "dual", "trunk.dual.layers": 5, "objective": "contrastive"}, known)
    assert found.wiring == {"decoder": "none", "layers": 5}
    assert found.objectives == {"contrastive": {}}
