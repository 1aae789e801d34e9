"""A fine-tune at another picture size, from a grid file to an answer: shared pretraining, own pictures, own stages."""

from __future__ import annotations

import contextlib
import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vlpbench.cli.main import main
from vlpbench.device import Device
from vlpbench.errors import UserError
from vlpbench.grid import cells, open_grid
from vlpbench.records import CellFolder, read_predictions
from vlpbench.registry import load_registry
from vlpbench.runner.export import export_cell, load_cell
from vlpbench.runner.filling import filling_of
from vlpbench.runner.finetuning import fine_tune_of
from vlpbench.runner.measured import Measured
from vlpbench.runner.measured_shapes import measure_shape
from vlpbench.runner.plan import plan_grid
from vlpbench.runner.pretraining import stage_of
from vlpbench.runner.shapes import pieces_of, shapes_of
from vlpbench.runner.sharing import Sharing
from vlpbench.runner.showing import look
from vlpbench.runner.trials import trial_of
from vlpbench.runner.tuning import tune
from vlpbench.runner.workbench import Workbench, opened_here

FEW = ('tasks=["vqa"]', "image.size=16")
LARGE = (*FEW, "protocol.vqa.size=24")


def bench(short: Any, *overrides: str, row: str = "words") -> Workbench:
    grid, registry = open_grid(str(short.file), overrides)
    (cell,) = [cell for cell in cells(grid, registry, opened_here) if cell.row == row]
    return Workbench(cell, registry, Device("cpu"))


def alone(short: Any, written: Any, results: Path, changes: str) -> Any:
    """A grid of one row."""
    text = short.file.read_text().partition("\n[[rows]]")[0]
    return type(short)(written({"words": changes}, text), results)


def read(folder: CellFolder, name: str) -> Any:
    return json.loads((folder.path / name).read_text())


@pytest.mark.parametrize(
    ("backbone", "size", "places"),
    [
        ("linear/encoder-decoder/nano", 24, (4, 9)), ("conv2/decoder-only/nano", 24, (16, 36)),
        ("conv4/dual-fusion/nano", 32, (1, 4)),
    ],
)
def test_a_cell_is_fine_tuned_and_asked_at_the_tasks_size(
    short: Any, written: Any, tmp_path: Path, backbone: str, size: int, places: tuple[int, int]
) -> None:
    objective = "contrastive" if "dual" in backbone else "prefix-lm"
    grid = alone(short, written, tmp_path / "r", f'backbone = "{backbone}"\nobjective = "{objective}"')
    small, large = grid.run("words", *FEW), grid.run("words", *FEW, f"protocol.vqa.size={size}")
    assert small.path != large.path
    assert read(small, "pretraining.json") == read(large, "pretraining.json"), "one pretraining for both"
    one, two = read(small, "scores.json"), read(large, "scores.json")
    assert one["cost"] == two["cost"] and one["cost"]["image_tokens"] == places[0], "those of pretraining"
    assert two["tasks"]["vqa"]["fine_tune"]["flops"] > one["tasks"]["vqa"]["fine_tune"]["flops"]
    assert two["tasks"]["vqa"]["examples"] == one["tasks"]["vqa"]["examples"] > 0
    model = load_cell(large.path, "cpu")
    assert model.pixels("vqa") == size and np.prod(model.model("vqa").spec.grid) == places[1]
    assert np.prod(model.backbone.spec.grid) == places[0], "as pretrained"
    assert model.evaluate("vqa").values == two["tasks"]["vqa"]["values"]
    export_cell(model, tmp_path / "out")
    taken, rows = load_cell(tmp_path / "out", "cpu"), read_predictions(large.path / "predictions" / "vqa.parquet")
    assert taken.pixels("vqa") == size
    picture = _picture(taken, rows[0]["image_id"], size, tmp_path)
    for asked in (model, taken):
        answer, sure = asked.ask(picture, rows[0]["question"])
        assert answer == rows[0]["prediction"] and sure == pytest.approx(rows[0]["probability"], abs=1e-5)


def _picture(model: Any, number: int, size: int, folder: Path) -> Path:
    """A test picture as the task sees it, as a file."""
    from PIL import Image

    split = model.bench.split("digits", "test", "evaluate", size=size)
    (row,) = [row for row, sample in enumerate(split.samples) if sample.id == number]
    Image.fromarray(np.asarray(split.pixels[row])).save(folder / "one.png")
    return folder / "one.png"


def test_all_tasks_the_row_without_pretraining_and_the_blind_one(short: Any, tmp_path: Path) -> None:
    """Every task may have its size, zero-shot ones too; what is not pretrained begins as the others do."""
    own = [f'protocol."{task}".size=24' for task in ("retrieval", "retrieval@match@zero-shot")]
    found = read(short.run("pairs", 'tasks=["retrieval", "retrieval@match@zero-shot"]', "image.size=16", *own,
                           results=tmp_path), "scores.json")["tasks"]
    assert all(one["values"]["TR@1"] is not None for one in found.values()) and len(found) == 2
    for said in (("blind=true",), ('tasks=["captioning"]', "protocol.captioning.size=24"),
                 ('tasks=["captioning@zero-shot"]', 'protocol."captioning@zero-shot".size=24')):
        (task,) = read(short.run("words", *LARGE, *said, results=tmp_path), "scores.json")["tasks"].values()
        assert task["examples"] > 0 and any(value is not None for value in task["values"].values())
    model = load_cell(short.run("none", *LARGE, results=tmp_path).path, "cpu")
    trial = trial_of(model.bench, "vqa", model.pretrained)
    drawn = trial.build(frozenset({"decode"})).state_dict()
    first = model.bench.blueprint.build({"decode"})
    expected = trial.blueprint.fitted(trial.blueprint.build({"decode"}), first.state_dict())  # type: ignore[union-attr]
    assert all(bool((drawn[name] == value).all()) for name, value in expected.items())


def test_what_is_opened_for_whom(short: Any) -> None:
    one = bench(short, *LARGE, 'tasks=["vqa", "captioning"]', "image.crop=0.5")
    assert (one.size_of("vqa"), one.size_of("captioning"), one.sizes_of("digits")) == (24, 16, [16, 24])
    vqa, captioning = trial_of(one, "vqa"), trial_of(one, "captioning")
    seen, other = vqa.open_split("test", "evaluate"), captioning.open_split("test", "evaluate")
    assert (seen.pixels.shape[1], other.pixels.shape[1]) == (27, 18), "a seventh more, where training crops"
    assert [sample.id for sample in seen.samples] == [sample.id for sample in other.samples]
    assert vqa.open_split("test", "evaluate") is seen
    assert vqa.pictures(seen, [0]).shape == (1, 3, 24, 24) and captioning.pictures(other, [0]).shape[2] == 16
    assert vqa.settings.image.size == 24 and captioning.settings is one.settings
    assert "pictures of 24 x 24 pixels" in look(one, task="vqa").headline()
    assert "pictures of 16 x 16 pixels" in look(one).headline()
    blind = trial_of(bench(short, *LARGE, "blind=true"), "vqa").open_split("test", "evaluate").pixels
    assert blind.shape[1:3] == (24, 24) and (np.asarray(blind) == blind[0, 0, 0, 0]).all()


def test_which_stages_a_size_decides(short: Any, tmp_path: Path) -> None:
    said = ('tasks=["vqa", "captioning"]', "image.size=16")
    usual, large = bench(short, *said).cell, bench(short, *said, "protocol.vqa.size=24").cell
    equal = bench(short, *said, "protocol.vqa.size=16").cell
    assert usual.id == equal.id != large.id
    assert stage_of(usual, tmp_path) == stage_of(large, tmp_path)
    for task, same in (("vqa", False), ("captioning", True)):
        assert (fine_tune_of(usual, task, tmp_path) == fine_tune_of(large, task, tmp_path)) is same
        assert fine_tune_of(usual, task, tmp_path) == fine_tune_of(equal, task, tmp_path)


@pytest.mark.parametrize(
    ("stem", "size", "said"),
    [("linear", 20, "8: 16 or 24"), ("conv2", 22, "4: 20 or 24"), ("conv4", 24, "16: 16 or 32")],
)
def test_a_size_that_a_stem_cannot_take_is_told_before_anything_runs(
    short: Any, written: Any, tmp_path: Path, stem: str, size: int, said: str
) -> None:
    err, grid = io.StringIO(), alone(short, written, tmp_path, f'backbone = "{stem}/encoder-decoder/nano"')
    with contextlib.redirect_stderr(err), contextlib.redirect_stdout(io.StringIO()):
        code = main(["run", "grid", str(grid.file), "--dry-run", "--results", str(tmp_path / "results"),
                     *(word for one in (*FEW, f"protocol.vqa.size={size}") for word in ("-S", one))])
    assert code == 2 and not (tmp_path / "results").exists()
    assert f"protocol.vqa.size {size} is not a multiple" in err.getvalue()
    assert f"take a multiple of {said}" in err.getvalue()


def test_a_picture_that_no_size_fits_and_a_task_that_cannot_be_run_are_no_fault_of_the_key(
    short: Any, written: Any, tmp_path: Path
) -> None:
    grid, registry = open_grid(str(short.file), (*FEW, "protocol.vqa.size=24", "image.size=20"))
    assert plan_grid(grid, registry, Path("nowhere")).cells, "image.size is wrong by itself, and its cells say so"
    file = alone(short, written, tmp_path, 'backbone = "linear/dual/nano"').file
    said = ("image.size=16", "protocol.captioning.size=20", 'tasks=["captioning"]')
    grid, registry = open_grid(str(file), said)
    assert {bool(cell.reason) for cell in plan_grid(grid, registry, Path("nowhere")).cells} == {True}


def test_a_size_that_is_tried_and_cannot_be_taken_has_no_score(short: Any, tmp_path: Path) -> None:
    said = (*FEW, 'tune.tries={"protocol.vqa.size"=[20, 24]}', "tune.samples=8")
    one = bench(short, *said)
    tuned = tune(one.cell, Sharing(tmp_path), one.registry, Device("cpu"))
    assert tuned.told is not None and "is not a multiple" in tuned.told["tried"][0]["reason"]
    assert tuned.cell.settings.protocol["vqa"].size == 24
    assert plan_grid(open_grid(str(short.file), said)[0], one.registry, tmp_path).cells, "no plan is refused for a try"


def test_what_it_costs_is_measured_at_its_size(short: Any, tmp_path: Path) -> None:
    registry = load_registry()
    grid, _ = open_grid(str(short.file), (*LARGE, "protocol.vqa.batch=16"))
    plan = plan_grid(grid, registry, tmp_path)
    cell = next(cell for cell in plan.cells if cell.row == "none")
    (shape,) = shapes_of(pieces_of(cell, plan, registry))
    (key,) = shape.parts
    found = measure_shape(shape, registry, Device("cpu")).part(key)
    assert isinstance(found, Measured) and found.step > 0 and found.examples["test"] > 0
    small = bench(short, *FEW, "protocol.vqa.batch=16", row="none").cell
    assert next(piece.part for piece in pieces_of(small, plan, registry)) != key
    assert filling_of(cell, registry).places == 9 + 16 and filling_of(small, registry).places == 4 + 16


def test_an_objective_whose_weights_hang_on_the_size_says_so(short: Any) -> None:
    one = bench(short, *LARGE)
    trial = trial_of(one, "vqa")

    def head(spec: Any) -> Any:
        raise RuntimeError("size mismatch for places")

    with pytest.raises(UserError, match="size mismatch") as caught:
        replace(trial, heads={"match": head}).head("match")
    assert caught.value.place == "protocol.vqa.size"
    with pytest.raises(RuntimeError):
        replace(trial_of(bench(short, *FEW), "vqa"), heads={"match": head}).head("match")
