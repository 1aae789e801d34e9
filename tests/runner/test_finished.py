"""A finished cell asked about pictures of one's own: what its record says of the test split, and words for mistakes."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from vlpbench.device import Device
from vlpbench.errors import UserError
from vlpbench.files import digest_file
from vlpbench.records import read_predictions
from vlpbench.records.digested import digested
from vlpbench.runner.export import export_cell, load_cell
from vlpbench.runner.finished import Finished
from vlpbench.runner.workbench import Workbench


@pytest.fixture(scope="module")
def words(short: Any) -> Finished:
    """A cell with a decoder."""
    return load_cell(short.run("words").path, "cpu")


@pytest.fixture(scope="module")
def pairs(short: Any) -> Finished:
    """A cell without one."""
    return load_cell(short.run("pairs").path, "cpu")


@pytest.fixture(scope="module")
def photos(words: Finished, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The pictures of the test split, as files."""
    from PIL import Image

    folder = tmp_path_factory.mktemp("photos")
    split = words.bench.split("digits", "test", "evaluate")
    for number, pixels in enumerate(split.pixels):
        Image.fromarray(np.asarray(pixels)).save(folder / f"{number:02}.png")
    return sorted(folder.iterdir())


def test_captions_are_those_of_the_record(short: Any, words: Finished, photos: list[Path]) -> None:
    rows = read_predictions(short.run("words").path / "predictions" / "captioning.parquet")
    assert words.caption(photos) == [row["prediction"] for row in rows]
    assert words.caption([str(photos[3])]) == [rows[3]["prediction"]], "whoever else is asked about"


@pytest.mark.parametrize("cell", ["words", "pairs"])
def test_answers_are_those_of_the_record(short: Any, cell: str, photos: list[Path], request: Any) -> None:
    model = request.getfixturevalue(cell)
    samples = model.bench.split("digits", "test", "evaluate").samples
    photo = {sample.id: path for sample, path in zip(samples, photos, strict=True)}
    for row in read_predictions(short.run(cell).path / "predictions" / "vqa.parquet")[:5]:
        answer, sure = model.ask(photo[row["image_id"]], row["question"])
        assert answer == row["prediction"] and sure == pytest.approx(row["probability"], abs=1e-5)


def test_any_picture_and_any_question(words: Finished, tmp_path: Path) -> None:
    from PIL import Image

    Image.new("RGBA", (70, 31), (200, 10, 10, 128)).save(tmp_path / "odd.png")
    (sentence,) = words.caption([tmp_path / "odd.png"])
    answer, sure = words.ask(tmp_path / "odd.png", "is there ‘ø’ in it, and what of a very long question " * 9)
    assert isinstance(sentence, str) and answer and 0 < sure <= 1
    with pytest.raises(UserError, match="no question"):
        words.ask(tmp_path / "odd.png", " ")


def test_what_it_is(words: Finished) -> None:
    assert repr(words) == "Finished('words', seed 0, linear/encoder-decoder/nano, tasks vqa, captioning, retrieval)"
    assert not words.backbone.training and {"context", "decode"} <= words.backbone.abilities
    pretrained = words.backbone.state_dict()
    assert all(torch.equal(pretrained[name], value) for name, value in words.pretrained.weights.items())
    tuned = words.model("captioning").state_dict()
    assert any(not torch.equal(tuned[name], value) for name, value in pretrained.items()), "the fine-tune moved it"
    assert words.model("captioning") is words.model("captioning")


def test_a_picture_that_is_none(words: Finished, tmp_path: Path) -> None:
    (tmp_path / "bad.png").write_bytes(b"no picture")
    for path in (tmp_path / "bad.png", tmp_path / "missing.png"):
        with pytest.raises(UserError) as caught:
            words.caption([path])
        assert path.name in str(caught.value)


def test_what_it_was_not_asked(words: Finished, pairs: Finished, photos: list[Path]) -> None:
    for wrong, cause in (
        (lambda: words.evaluate("captioning@zero-shot"), "was not asked 'captioning@zero-shot'"),
        (lambda: words.caption(photos[:1], "captoning"), "was not asked 'captoning'"),
        (lambda: words.caption(photos[:1], "retrieval"), "'retrieval' writes no captions"),
        (lambda: words.ask(photos[0], "how many?", "captioning"), "'captioning' answers no open question"),
        (lambda: pairs.caption(photos[:1]), "none of the cell's tasks writes captions"),
    ):
        with pytest.raises(UserError, match=cause) as caught:
            wrong()
        assert "vqa" in caught.value.remedy, "what it was asked"


def test_the_first_task_that_can_is_asked(words: Finished, photos: list[Path]) -> None:
    """As the grid names them, those that were fine-tuned first."""
    cell = words.bench.cell
    tasks = ("vqa@choices", "captioning@zero-shot", "vqa", "captioning")
    bench = Workbench(replace(cell, settings=replace(cell.settings, tasks=tasks)), words.bench.registry, Device("cpu"))
    stages = {task: words.stages[task.partition("@")[0]] for task in sorted(tasks)}
    model = Finished(bench, words.pretrained, stages)
    assert model.tasks == tasks
    assert model.ask(photos[0], "how many?") == words.ask(photos[0], "how many?")
    assert model.caption(photos[:2]) == words.caption(photos[:2])
    few = Finished(bench, words.pretrained, {"vqa@choices": words.stages["vqa"]})
    with pytest.raises(UserError, match="none of the cell's tasks answers open questions"):
        few.ask(photos[0], "how many?")


def test_other_data_is_refused(short: Any, words: Finished, tmp_path: Path) -> None:
    cell = short.run("words").path
    shutil.copytree(short.results, tmp_path / "grid")
    settings = tmp_path / "grid" / "cells" / cell.name / "settings.json"
    said = json.loads(settings.read_text())
    said["fingerprints"]["digits"] = "another"
    settings.write_text(json.dumps(said))
    status = settings.with_name("status.json")
    whole = json.loads(status.read_text())
    whole["files"]["settings.json"] = digest_file(settings)
    status.write_text(json.dumps(digested(whole)))
    with pytest.raises(UserError, match="is not the one that the cell was scored on"):
        load_cell(settings.parent, "cpu").evaluate("vqa")


def test_a_task_whose_weights_are_gone(short: Any, tmp_path: Path) -> None:
    cell = short.run("words").path
    shutil.copytree(short.results, tmp_path / "grid")
    stage = json.loads((cell / "fine_tunes.json").read_text())["vqa"]
    (tmp_path / "grid" / "stages" / stage / "weights.safetensors").write_bytes(b"cut")
    model = load_cell(tmp_path / "grid" / "cells" / cell.name, "cpu")
    with pytest.raises(UserError, match="what vqa was learnt to is not there") as caught:
        model.evaluate("vqa")
    assert "run the grid again" in caught.value.remedy
    assert model.evaluate("retrieval").examples > 0


def test_what_is_damaged_is_not_taken_along(short: Any, tmp_path: Path) -> None:
    """Nothing is written before all of it is known to be there."""
    cell = short.run("words").path
    shutil.copytree(short.results, tmp_path / "grid")
    stage = json.loads((cell / "fine_tunes.json").read_text())["vqa"]
    shutil.rmtree(tmp_path / "grid" / "stages" / stage)
    model = load_cell(tmp_path / "grid" / "cells" / cell.name, "cpu")
    with pytest.raises(UserError, match="what vqa was learnt to is not there"):
        export_cell(model, tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_of_several_pictures_the_broken_one_is_named(words: Finished, tmp_path: Path) -> None:
    from PIL import Image

    Image.new("RGB", (40, 30)).save(tmp_path / "good.png")
    (tmp_path / "bad.png").write_text("no picture")
    with pytest.raises(UserError, match="a picture cannot be read: it is not a picture") as caught:
        words.caption([tmp_path / "good.png", tmp_path / "bad.png"])
    assert caught.value.place == str(tmp_path / "bad.png") and caught.value.remedy
