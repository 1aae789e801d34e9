"""Every script says how it is used, and those of speed run at their smallest."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
import torch

FOLDER = Path(__file__).parents[2] / "benchmarks"
SCRIPTS = sorted(path.stem for path in FOLDER.glob("*.py") if "def main(" in path.read_text(encoding="utf-8"))

LINEAR = ["--backbone", "linear/encoder-decoder/nano"]


@pytest.fixture
def run(script, monkeypatch, tmp_path):
    """Runs a script in this process: its exit code and what it wrote as JSON."""
    threads = torch.get_num_threads()

    def call(name, *words):
        module, said = script(name), tmp_path / "said.json"
        monkeypatch.setattr(sys, "argv", [f"{name}.py", *words, "--json", str(said)])
        code = module.main()
        return code, json.loads(said.read_text())

    yield call
    torch.set_num_threads(threads)
    torch.set_flush_denormal(False)


@pytest.mark.parametrize("name", SCRIPTS)
def test_help(script, name, monkeypatch, capsys):
    if name == "caption_metrics":
        pytest.importorskip("pycocoevalcap")
    monkeypatch.setattr(sys, "argv", [f"{name}.py", "--help"])
    with pytest.raises(SystemExit) as end:
        script(name).main()
    assert end.value.code == 0
    said = " ".join(capsys.readouterr().out.split())
    assert f"{name}.py" in said
    assert script(name).__doc__.splitlines()[0] in said


@pytest.fixture
def alone(monkeypatch):
    """No other library: importing them takes seconds."""
    for name in ("transformers", "open_clip", "simplejpeg"):
        monkeypatch.setitem(sys.modules, name, None)


def test_seeds_together_are_as_alone(run):
    more = ["--seeds", "2", "--steps", "2", "--batch", "4", "--rounds", "1"]
    code, said = run("seeds_together", "--only", "together", *LINEAR, *more)
    assert code == 0 and said["script"] == "seeds_together.py" and said["machine"]["model"]
    (line,) = said["lines"]
    assert line["beside"]["largest_difference"] < 1e-4
    assert line["ratio"] == pytest.approx(line["ours"] / line["theirs"])


def test_the_share_of_the_peak(run):
    code, said = run("share_of_peak", *LINEAR, "--batch", "4", "--rounds", "1")
    rates = said["rates"]
    assert code == 0 and said["lines"][0]["ours"] == rates["tflops"]
    assert rates["tflops"] == pytest.approx(rates["pairs_per_second"] * rates["flops_per_pair"] / 1e12)
    assert rates["share_of_peak"] == pytest.approx(rates["tflops"] / rates["peak_tflops"])
    assert rates["peak_bytes"] > 0 and rates["first_step_seconds"] > 0 and not rates["compiled"]


def test_sides_of_a_training_step(run, alone, capsys):
    more = ["--pixels", "32", "--batch", "4", "--rounds", "2"]
    code, said = run("training_step", "--size", "nano", *more)
    assert code == 0 and said["lines"] == []
    assert "BLIP is left out: transformers is not installed" in capsys.readouterr().out
    assert set(said["sides"]) == {"ours, conv3", "ours, linear"}
    assert all(len(side["seconds"]) == 2 and side["flops"] > 0 for side in said["sides"].values())
    assert said["sides"]["ours, conv3"]["flops"] > said["sides"]["ours, linear"]["flops"]


def test_captions_without_the_other_side(run, alone, capsys):
    code, said = run("captions", *LINEAR, "--pictures", "4")
    assert code == 0 and said["lines"] == []
    assert "vlpbench alone: 4 pictures in" in capsys.readouterr().out


def test_shortlists(run):
    code, said = run("shortlists", *LINEAR, "--pictures", "6", "--k", "2")
    (line,) = said["lines"]
    assert code == 0 and line["ours"] > 0 and line["ratio"] == pytest.approx(line["theirs"] / line["ours"])


@pytest.mark.parametrize(
    ("part", "more", "lines"),
    [("pictures", ["--pictures", "2", "--pixels", "32"], 4), ("tokens", ["--texts", "1500"], 1),
     ("training", [*LINEAR, "--batch", "4", "--steps", "2"], 5)],
)
def test_parts_of_feeding(run, alone, part, more, lines):
    code, said = run("feeding", "--only", part, "--rounds", "1", *more)
    assert len(said["lines"]) == lines
    if part != "training":  # there nothing is so much faster that one round on a busy machine must show it
        assert code == 0 and all(line["ratio"] > 1 for line in said["lines"])


@pytest.mark.slow
def test_peers_are_of_our_size(script):
    pytest.importorskip("transformers")
    peers, ours = script("peers"), script("ours")
    size = ours.SIZES["nano"]
    shape = peers.Shape(size.width, size.heads, 2, 2, 32, 8, 12, 1000)
    found, _ = peers.available(shape, lambda: ours.STEMS["conv3"](size, 32))
    assert {"BLIP", "BART"} <= set(found)
    images, tokens = torch.randn(3, 3, 32, 32), torch.randint(5, 1000, (3, 12))
    for name, build in found.items():
        loss = build()(images, tokens)
        loss.backward()
        assert loss.ndim == 0 and 3 < loss.item() < 30, name


@pytest.mark.slow
def test_packed_processes_alternate(run):
    _, said = run("seeds_together", "--only", "packed", *LINEAR, "--at-once", "2", "--steps", "1", "--rounds", "1")
    assert said["lines"][0]["most"] and said["lines"][0]["ratio"] > 0
