"""`vlpbench bench`: text and JSON, a grid's cell, and mistakes told with what to do."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from vlpbench.cli.main import main
from vlpbench.grid import cells, open_grid
from vlpbench.runner.workbench import opened_here

KEYS = {
    "pairs_per_second", "images_per_second", "tflops", "share_of_peak", "peak_tflops", "peak_bytes",
    "first_step_seconds", "step_seconds", "loader_seconds", "both_seconds", "parts",
}
SMALL = ["--batch", "4", "--steps", "2", "--backbone", "linear/encoder-decoder/nano"]

GRID = """
schema = 1
name = "few"
[base]
backbone = "linear/encoder-decoder/nano"
[budget]
samples = 64
batch = 8
[text]
vocabulary = 330
[data.digits]
kind = "digits"
train = 40
val = 10
test = 10
questions = 2
[[rows]]
name = "nothing"
objective = "none"
[[rows]]
name = "words"
objective = "prefix-lm"
[[rows]]
name = "impossible"
objective = "prefix-lm"
backbone = "linear/dual/nano"
"""


@pytest.fixture
def grid(tmp_path: Path) -> Path:
    path = tmp_path / "few.toml"
    path.write_text(GRID, encoding="utf-8")
    return path


def ids(grid: Path) -> dict[str, str]:
    read, registry = open_grid(str(grid))
    return {cell.row: cell.id for cell in cells(read, registry, opened_here)}


def test_json_has_every_figure_and_stdout_nothing_else(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", *SMALL, "--json"]) == 0
    out, err = capsys.readouterr()
    found = json.loads(out)
    assert set(found) >= KEYS
    assert set(found["step_seconds"]) >= {"median", "low", "high"} and found["step_seconds"]["count"] == 2
    assert found["inputs"] == "made up" and found["pairs"] == 4
    assert "measuring: steps alone" in err


def test_text_says_the_rate_first_then_steps_then_parts(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", *SMALL, "--objective", "contrastive"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("contrastive on linear/encoder-decoder/nano, inputs made up\n4 pairs a step, float32")
    places = [out.index(one) for one in ("pairs a second", "FLOP a second", "batches alone", "both together", "stem")]
    assert places == sorted(places)
    assert "(measured here)" in out
    assert max(map(len, out.splitlines())) <= 110


def test_a_cell_of_a_grid_is_measured_on_its_own_data(grid: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cell = ids(grid)["words"]
    assert main(["bench", str(grid), cell[:6], "--steps", "2", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["inputs"], found["pairs"]) == ("few: words, seed 0", 8)


def test_without_an_id_the_first_row_that_pretrains(grid: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", str(grid), "--steps", "1", "--batch", "4", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["inputs"], found["pairs"]) == ("few: words, seed 0", 4)


@pytest.mark.parametrize(("row", "cause"), [("nothing", "does not pretrain"), ("impossible", "dual has none")])
def test_a_cell_without_a_step_says_why(grid: Path, capsys: pytest.CaptureFixture[str], row: str, cause: str) -> None:
    assert main(["bench", str(grid), ids(grid)[row]]) == 2
    err = capsys.readouterr().err
    assert cause in err and "name a cell that pretrains" in err


def test_an_account_trains_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    said = ["bench", "--account", "--batch", "16", "--backbone", "linear/encoder-decoder/nano"]
    assert main(said) == 0
    out, err = capsys.readouterr()
    assert "measuring" not in err
    assert "together" in out and "roofline" in out and "790 TFLOP/s" in out
    assert main([*said, "--peak", "100", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["flops_per_step"] == sum(part["flops"] for part in found["parts"].values())
    assert found["samples_per_second_at_peak"] == pytest.approx(16 * 100e12 / found["flops_per_step"])
    assert found["samples_per_second_roofline"] <= found["samples_per_second_at_peak"]
    assert (found["samples"], found["pixels"], found["tokens"]) == (16, 32, 24)


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (["--backbone", "conv3/encoder-decodr/nano"], "did you mean 'encoder-decoder'?"),
        (["--objective", "prefixlm"], "did you mean 'prefix-lm'?"),
        (["--batch", "0"], "Invalid value for '--batch'"),
        (["--steps", "0"], "Invalid value for '--steps'"),
        (["--objective", "none"], "trains nothing"),
        (["demo", "zzzz"], "--dry-run lists the ids"),
        (["dem"], "did you mean 'demo'?"),
        (["demo", "--objective", "contrastive"], "-S objective=contrastive"),
        (["-S", "optim.lr"], "is not KEY=VALUE"),
        (["--device", "tpu"], "Invalid value for '--device'"),
    ],
)
def test_mistakes_are_told_with_what_to_do(capsys: pytest.CaptureFixture[str], said: list[str], told: str) -> None:
    assert main(["bench", *said]) == 2
    out, err = capsys.readouterr()
    assert told in err and not out


def test_an_objective_that_wants_fields_is_sent_to_a_grid(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "boxed.py"
    file.write_text('''
from vlpbench.plugin import Objective, Step, hookimpl

class Boxed(Objective):
    """Wants boxes."""
    name, needs, wants = "boxed", frozenset({"image_tokens"}), ("boxes",)
    def encode(self, backbone, batch):
        return {"x": backbone.image_tokens(batch.image)}
    def loss(self, features, batch):
        return Step(features["x"].mean((1, 2)))

@hookimpl
def vlpbench_objectives():
    return [Boxed]
''', encoding="utf-8")
    assert main(["-p", str(file), "bench", "--objective", "boxed"]) == 2
    err = capsys.readouterr().err
    assert "boxes (boxed)" in err and "vlpbench bench GRID ID" in err
