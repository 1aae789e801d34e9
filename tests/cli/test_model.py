"""`export`, `caption`, `ask`: help that teaches, one line for what is right, and a sentence for what is not."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import vlpbench
from vlpbench.cli.main import main
from vlpbench.device import Device
from vlpbench.grid import cells, open_grid
from vlpbench.runner.cell import Hands, folder_of, run_cell
from vlpbench.runner.workbench import opened_here

GRID = """
name = "g"
floors = false
tasks = ["vqa", "captioning", "retrieval"]
[base]
objective = "prefix-lm"
backbone = "linear/encoder-decoder/nano"
[data.digits]
train = 20
val = 6
test = 6
[text]
vocabulary = 330
length = 12
[budget]
samples = 8
batch = 8
[protocol.vqa]
samples = 8
batch = 8
[protocol.captioning]
samples = 8
batch = 8
[protocol.retrieval]
samples = 8
batch = 8
"""


@pytest.fixture(scope="module")
def cell(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a cell of one step."""
    folder = tmp_path_factory.mktemp("cli")
    (folder / "g.toml").write_text(GRID)
    grid, registry = open_grid(str(folder / "g.toml"))
    (one,) = cells(grid, registry, opened_here)
    assert run_cell(one, folder / "g", Hands(registry, Device("cpu")))
    return folder_of(one, folder / "g").path


@pytest.fixture(scope="module")
def photo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from PIL import Image

    path = tmp_path_factory.mktemp("photo") / "photo.jpg"
    Image.linear_gradient("L").convert("RGB").save(path)
    return path


@pytest.mark.parametrize(
    ("command", "taught"),
    [
        ("export", ["vlpbench export results/demo/cells/", "import vlpbench", 'vlpbench.load_cell("my-model")',
                    "model.evaluate("]),
        ("caption", ["vlpbench caption my-model photo.jpg another.png", "--task", "--device"]),
        ("ask", ['vlpbench ask my-model photo.jpg "how many are there?"', "probability", "--task"]),
    ],
)
def test_help_teaches(command: str, taught: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main([command, "--help"]) == 0
    said = capsys.readouterr().out
    assert all(one in said for one in taught), said


def test_a_picture_described_and_asked_about(cell: Path, photo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["caption", str(cell), str(photo), "--device", "cpu"]) == 0
    alone = capsys.readouterr().out
    assert main(["caption", str(cell), str(photo), str(photo), "--device", "cpu"]) == 0
    assert capsys.readouterr().out == f"{photo}: {alone}" * 2
    assert main(["ask", str(cell), str(photo), "how many are there?", "--device", "cpu"]) == 0
    answer, _, sure = capsys.readouterr().out.strip().rpartition("  (")
    assert answer and 0 <= float(sure.removesuffix(")")) <= 1


def test_taken_along(cell: Path, photo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The three lines that the help shows, in a process and a folder of their own."""
    assert main(["caption", str(cell), str(photo), "--device", "cpu"]) == 0
    here = capsys.readouterr().out
    assert main(["export", str(cell), str(tmp_path / "model")]) == 0
    said = capsys.readouterr()
    assert said.out == "" and "MiB; tasks vqa, captioning, retrieval" in said.err
    code = "import vlpbench\nmodel = vlpbench.load_cell('model')\nprint(model.caption(['photo.jpg'])[0])"
    (tmp_path / "photo.jpg").write_bytes(photo.read_bytes())
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False,
        env={**os.environ, "PYTHONPATH": str(Path(vlpbench.__path__[0]).parent), "CUDA_VISIBLE_DEVICES": ""},
    )
    assert (done.returncode, done.stdout) == (0, here), done.stderr
    assert main(["export", str(cell), str(tmp_path / "model")]) == 2
    assert "is there already" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["caption", "CELL", "missing.jpg"], "missing.jpg"),
        (["caption", "CELL", "NOPICTURE"], "a picture cannot be read"),
        (["caption", "CELL", "PHOTO", "--task", "captoning"], "its tasks: vqa, captioning, retrieval"),
        (["caption", "CELL", "PHOTO", "--task", "vqa"], "'vqa' writes no captions"),
        (["ask", "CELL", "PHOTO", "how many?", "--task", "retrieval"], "'retrieval' answers no open question"),
        (["caption", "CELL"], "Missing argument 'IMAGE...'"),
        (["ask", "CELL", "PHOTO"], "Missing argument 'QUESTION'"),
        (["caption", "nowhere", "PHOTO"], "nowhere is no finished cell"),
        (["caption", "GRID", "PHOTO"], "did you mean "),
        (["export", "UNFINISHED", "new"], "is no finished cell"),
        (["caption", "CELL", "PHOTO", "--device", "tpu"], "'tpu' is not one of"),
    ],
)
def test_mistakes(
    words: list[str], said: str, cell: Path, photo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "no.jpg").write_bytes(b"no picture")
    unfinished = tmp_path / "g" / "cells" / cell.name
    unfinished.mkdir(parents=True)
    (unfinished / "settings.json").write_bytes((cell / "settings.json").read_bytes())
    places = {"CELL": cell, "PHOTO": photo, "GRID": cell.parent.parent, "UNFINISHED": unfinished,
              "NOPICTURE": tmp_path / "no.jpg"}
    assert main([str(places.get(word, word)) for word in words]) == 2
    shown = capsys.readouterr()
    assert said in shown.err and shown.out == "" and "Traceback" not in shown.err
    assert not (tmp_path / "new").exists()
