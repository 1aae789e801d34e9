from __future__ import annotations

from dataclasses import replace

import pytest

from vlpbench.errors import UserError
from vlpbench.grid import cells, open_grid, origins

GRID = """\
seeds = [0, 1]
[base]
recipe = "simvlm-small"
data = "digits"
size = "nano"
[optim]
clip = 2.0
[protocol.vqa]
lr = 0.5
[data.digits]
noise = 1
[axes]
image.size = [32, 64]
[[rows]]
name = "a"
tasks = ["vqa@fused", "retrieval"]
objective.prefix-lm.shortest = 2
stem = "conv2"
[[rows]]
recipe = "simvlm-base"
optim.lr = 0.25
"protocol.vqa@fused.batch" = 2
tasks = ["vqa@fused"]
"""


@pytest.fixture
def told(tmp_path, opener):
    """told(number, *overrides) -> {key: (value, where)} of one cell of GRID."""

    def tell(number, *overrides):
        path = tmp_path / "g.toml"
        path.write_text(GRID)
        grid, registry = open_grid(str(path), overrides)
        cell = cells(grid, registry, opener)[number]
        return {key: (value, where) for key, value, where in origins(grid, registry, cell)}

    return tell


def test_each_setting_says_where_it_comes_from(told):
    found = told(0)
    assert found["data"] == ("digits", "base, line 4")
    assert found["seed"] == (0, "seeds, line 1")
    assert found["tasks"] == (["vqa@fused", "retrieval"], "row 'a', line 16")
    assert found["optim.lr"] == (5e-4, "recipe simvlm-small (base, line 3)")
    assert found["optim.clip"] == (2.0, "base, line 7")
    assert found["image.size"] == (32, "axis, line 13")
    assert found["objective.prefix-lm.shortest"] == (2, "row 'a', line 17")
    assert found["objective"] == ("prefix-lm", "recipe simvlm-small (base, line 3)")
    assert found["protocol.vqa@fused.lr"] == (0.5, "base, line 9")
    assert found["data.digits.noise"] == (1, "base, line 11")
    assert found["data.digits.kind"] == ("digits", "default")
    assert found["budget.looks"] == (0, "default")


def test_parts_of_the_backbone_may_come_from_different_places(told):
    found = told(0)
    assert found["backbone"] == ("conv2/encoder-decoder/nano", "recipe simvlm-small (base, line 3)")
    assert found["stem"] == ("conv2", "row 'a', line 18")
    assert found["trunk"] == ("encoder-decoder", "recipe simvlm-small (base, line 3)")
    assert found["size"] == ("nano", "base, line 5")
    assert "stem" not in told(4)
    assert told(4)["backbone"][1] == "recipe simvlm-base (row 2, line 20)"


def test_a_row_s_recipe_stands_over_the_base_and_its_own_keys_over_both(told):
    found = told(4)
    assert found["optim.lr"] == (0.25, "row 2, line 21")
    assert found["optim.clip"] == (1.0, "recipe simvlm-base (row 2, line 20)")
    assert found["protocol.vqa@fused.batch"] == (2, "row 2, line 22")
    assert found["protocol.vqa@fused.lr"][1] == "recipe simvlm-base (row 2, line 20)"


def test_the_command_line_is_named(told):
    found = told(0, "optim.lr=1", "seeds=[7]", "image.size=8", "protocol.vqa.lr=0.125")
    assert found["optim.lr"] == (1.0, "-S")
    assert found["seed"] == (7, "-S")
    assert found["image.size"] == (8, "-S")
    assert found["protocol.vqa@fused.lr"] == (0.125, "-S")
    found = told(0, "recipe=simvlm-huge")
    assert found["optim.lr"][1] == "recipe simvlm-huge (-S)"
    assert found["image.size"] == (32, "axis, line 13")


def test_a_blind_row_is_told_apart(told):
    found = told(-1)
    assert found["blind"] == (True, "blind row")
    assert found["tasks"] == (["vqa@fused"], "blind row")
    assert found["image.size"] == (32, "axis, line 13")


def test_a_cell_of_another_grid_is_refused(tmp_path, made, registry):
    cell = made("floors = false")[0]
    grid, _ = open_grid(str(tmp_path / "g.toml"))
    with pytest.raises(UserError, match="has no cell 'x' with seed 0"):
        origins(grid, registry, replace(cell, row="x"))
