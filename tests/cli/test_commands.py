from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from vlpbench.cli.main import main
from vlpbench.config.gridfile import parse_file

OBJECTIVE = """
from vlpbench.plugin import Objective, Step, hookimpl

class Mine(Objective):
    name = "mine"
    def encode(self, backbone, batch):
        return {}
    def loss(self, features, batch):
        return Step(features["x"])

@hookimpl
def vlpbench_objectives():
    return [Mine]
"""


@pytest.fixture
def objective(tmp_path: Path) -> Path:
    path = tmp_path / "mine.py"
    path.write_text(OBJECTIVE)
    return path


def test_plugins_list_shows_the_good_and_the_failed(objective, tmp_path, capsys):
    (tmp_path / "broken.py").write_text("import no_such_thing_here\n")
    words = ["-p", str(objective), "-p", str(tmp_path / "broken.py"), "plugins", "list"]
    assert main(words) == 0
    shown = capsys.readouterr().out
    assert "mine.py" in shown
    assert "objective mine" in shown
    assert re.search(r"broken.py +\(single file\) +- +\? +failed", shown)
    assert "cause: no module named 'no_such_thing_here'" in shown
    assert "to do: pip install no-such-thing-here" in shown
    assert "Traceback" not in shown
    assert main(["-v", *words]) == 0
    assert "Traceback" in capsys.readouterr().out


def test_plugins_list_as_json(objective, capsys):
    assert main(["-p", str(objective), "plugins", "list", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["failures"] == []
    mine = next(one for one in found["plugins"] if one["name"] == "mine.py")
    assert mine["brings"] == ["objective mine"]
    assert mine["hooks"] == ["vlpbench_objectives"]
    assert len(mine["sha256"]) == 64


def test_grid_list_and_show(capsys, tmp_path):
    assert main(["grid", "list"]) == 0
    assert capsys.readouterr().out.startswith("demo ")
    assert main(["grid", "show", "demo"]) == 0
    text = capsys.readouterr().out
    (tmp_path / "copy.toml").write_text(text)
    tables, _ = parse_file(tmp_path / "copy.toml")
    assert tables["name"] == "demo"


def test_a_dry_run_lists_the_cells_and_why_some_cannot_be_run(objective, tmp_path, capsys):
    path = tmp_path / "g.toml"
    path.write_text(
        "plugins = ['mine.py']\nfloors = false\n[axes]\ntrunk = ['dual', 'encoder-decoder']\n"
        "[[rows]]\nname = 'prefix'\n[[rows]]\nname = 'mine'\nobjective = 'mine'\n"
    )
    assert main(["run", "grid", str(path), "--dry-run", "--results", str(tmp_path / "r")]) == 0
    shown = capsys.readouterr()
    lines = shown.out.splitlines()
    assert "can't run  prefix, dual" in lines[0]
    assert lines[0].endswith("n/a: prefix-lm needs context, decode, dual has none")
    assert "to run     prefix, encoder-decoder" in lines[1]
    assert "prefix-lm on 36,000 samples, vqa" in lines[1]
    assert "to run     mine, dual" in lines[2]
    assert "captioning: n/a: needs decode" in lines[3]
    assert lines[-1].startswith("4 cells: 3 to run, 1 can't run; results in")
    assert not (tmp_path / "r").exists()


def test_a_dry_run_tells_of_what_is_tried_first(tmp_path, capsys):
    path = tmp_path / "g.toml"
    path.write_text(
        "floors = false\n[tune]\nsamples = 4_000\n[tune.tries]\n'optim.lr' = [1e-3, 3e-3]\n'optim.clip' = [0.5, 1, 2]\n"
    )
    assert main(["run", "grid", str(path), "--dry-run"]) == 0
    assert "6 tries on 4,000 samples each, prefix-lm on 36,000 samples, vqa" in capsys.readouterr().out


def test_a_grid_whose_cells_are_all_excluded_ends_with_4(tmp_path, capsys):
    path = tmp_path / "g.toml"
    path.write_text("[[exclude]]\nsplit = 'test'\n")
    assert main(["run", "grid", str(path), "--dry-run"]) == 4
    assert "has no cells" in capsys.readouterr().err


def test_data_list_shows_kinds_with_their_keys(capsys):
    assert main(["data", "list"]) == 0
    shown = capsys.readouterr().out
    words = ("digits", "coco", "vqa", "karpathy", "table", "folder = ", "Folder of the set, relative", "share = 1.0")
    for word in words:
        assert word in shown
    assert main(["data", "list", "demo"]) == 0
    assert capsys.readouterr().out.startswith("digits ")


@pytest.fixture
def small(tmp_path: Path) -> Path:
    path = tmp_path / "small.toml"
    path.write_text("[data.digits]\ntrain = 40\nval = 8\ntest = 8\n[budget]\nbatch = 8\n[[rows]]\nname = 'p'\n")
    return path


def test_data_is_prepared_shown_and_checked(small, tmp_path, capsys):
    assert main(["data", "prepare", str(small)]) == 0
    assert "digits: splits train, val, test, pictures in" in capsys.readouterr().out
    png = tmp_path / "batch.png"
    assert main(["data", "show", str(small), "--count", "3", "--out", str(png)]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("p, seed 0: pretraining, step 0 of 4500, prefix-lm: 8 samples")
    assert shown.count("\nsample ") == 3
    for word in ("    tokens  ", "    known   ", "    targets ", "<eos>", "<bos>"):
        assert word in shown
    assert png.read_bytes().startswith(b"\x89PNG")
    assert main(["data", "show", str(small), "--count", "3", "--out", str(png)]) == 0
    assert capsys.readouterr().out == shown
    assert main(["data", "show", str(small), "--step", "1", "--out", str(png)]) == 0
    assert capsys.readouterr().out != shown
    assert main(["data", "check", str(small)]) == 0
    assert "nothing is wrong" in capsys.readouterr().out


def test_data_show_needs_a_row_that_pretrains_or_a_task(small, capsys):
    assert main(["data", "show", str(small), "-S", "objective=none", "--task", "vqa"]) == 0
    assert "fine-tune for vqa, step 0 of 100, answering" in capsys.readouterr().out
    assert main(["data", "show", str(small), "-S", "objective=none"]) == 2
    assert "row 'p' pretrains nothing" in capsys.readouterr().err
