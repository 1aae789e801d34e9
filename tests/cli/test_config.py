"""`config schema` and `config show`, as a new user would call them."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from vlpbench.cli.config_show import plain_lines, table_of
from vlpbench.cli.main import main

GRID = """seeds = [0, 3]
floors = false
[optim]
lr = 0.001
[[rows]]
name = "pre"
[[rows]]
name = "con"
objective = "contrastive"
"budget.samples" = 640
"""


@pytest.fixture
def grid(tmp_path: Path) -> Path:
    path = tmp_path / "g.toml"
    path.write_text(GRID)
    return path


def shown(capsys: pytest.CaptureFixture[str], *words: str) -> list[str]:
    assert main(["config", "show", *words]) == 0
    return capsys.readouterr().out.splitlines()


def test_the_schema_is_printed_or_written(tmp_path, capsys):
    assert main(["config", "schema"]) == 0
    schema = json.loads(capsys.readouterr().out)
    assert jsonschema.Draft202012Validator(schema).is_valid({"base": {"objective": "prefix-lm"}})
    assert main(["config", "schema", "--out", str(tmp_path / "s.json")]) == 0
    assert json.loads((tmp_path / "s.json").read_text()) == schema
    said = capsys.readouterr()
    assert said.out == "" and "#:schema ./s.json" in said.err


def test_each_setting_with_its_origin(grid, capsys):
    lines = shown(capsys, str(grid), "--row", "con", "-S", "image.size=16")
    assert lines[0].startswith("g: con, seed 0, cell ")
    found = {line.split()[0]: line.split(maxsplit=2)[1:] for line in lines[1:] if line}
    assert found["optim.lr"] == ["0.001", "base, line 4"]
    assert found["budget.samples"] == ["640", "row 'con', line 10"]
    assert found["image.size"] == ["16", "-S"]
    assert found["optim.clip"] == ["1.0", "default"]


def test_without_a_name_the_first_row_and_seed_and_only_changes(grid, capsys):
    lines = shown(capsys, str(grid), "--changed")
    assert lines[0].startswith("g: pre, seed 0, cell ")
    assert [line.split()[0] for line in lines if "base, line" in line] == ["optim.lr"]
    assert not any("default" in line for line in lines)


def test_as_json(grid, capsys):
    told = json.loads("\n".join(shown(capsys, str(grid), "--row", "con", "--seed", "3", "--json")))
    assert (told["grid"], told["row"], told["seed"], told["reason"]) == ("g", "con", 3, None)
    assert {"key": "optim.lr", "value": 0.001, "from": "base, line 4"} in told["settings"]


def test_a_cell_that_cannot_be_run_says_why(grid, capsys):
    lines = shown(capsys, str(grid), "-S", "trunk=dual")
    assert lines[1].startswith("can't run: n/a: prefix-lm needs ")


@pytest.mark.parametrize(
    ("words", "said"),
    [(["--row", "cn"], "did you mean 'con'?"), (["--seed", "1"], "there are 0, 3"), (["-S", "optim.lrr=1"], "lr")],
)
def test_a_cell_that_there_is_not(grid, words, said, capsys):
    assert main(["config", "show", str(grid), *words]) == 2
    assert said in capsys.readouterr().err


def test_lines_are_aligned_and_tables_apart():
    lines = plain_lines([("objective", "x", "default"), ("data", "d", "-S"), ("optim.lr", 1.0, "base, line 1")])
    assert lines == ["", 'objective  "x"  default', 'data       "d"  -S', "", "optim.lr   1.0  base, line 1"]
    assert plain_lines([]) == []


@pytest.mark.parametrize(
    ("key", "table"),
    [("objective", ""), ("data", ""), ("optim.lr", "optim"), ("protocol.vqa.lr", "protocol.vqa"),
     ("data.web.text_noise.swapped", "data.web"), ("tune.tries.optim.lr", "tune")],
)
def test_tables(key, table):
    assert table_of(key) == table
