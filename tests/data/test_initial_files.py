from __future__ import annotations

import json
from pathlib import Path

import pytest

from vlpbench.config.settings import Init
from vlpbench.data.errors import DataError
from vlpbench.data.initial_files import initial_files


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A working directory and, beside it, a data folder."""
    for name in ("work", "data"):
        (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path / "work")
    monkeypatch.setenv("VLPBENCH_DATA", str(tmp_path / "data"))
    return tmp_path


def put(folder, *names):
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).write_text("x")
    return folder


def test_nothing_said_nothing_found(here):
    assert initial_files(Init()) == {}


def test_a_relative_path_is_looked_for_here_first_and_then_in_the_data_folder(here):
    put(here / "data", "a.safetensors")
    assert initial_files(Init(stem="a.safetensors")) == {"stem": (here / "data" / "a.safetensors",)}
    put(here / "work", "a.safetensors")
    assert initial_files(Init(stem="a.safetensors")) == {"stem": (here / "work" / "a.safetensors",)}
    path = str(here / "data" / "a.safetensors")
    assert initial_files(Init(stem=path))["stem"] == (here / "data" / "a.safetensors",)


def test_a_stem_may_be_a_folder(here):
    put(here / "work" / "net", "model.safetensors", "config.json")
    assert initial_files(Init(stem="net"))["stem"] == (here / "work" / "net" / "model.safetensors",)


def test_a_text_encoder_is_three_files(here):
    folder = put(here / "data" / "bert", "model.safetensors", "config.json", "tokenizer.json", "vocab.txt")
    names = ("model.safetensors", "config.json", "tokenizer.json")
    assert initial_files(Init(text="bert"))["text"] == tuple(folder / name for name in names)


def test_a_checkpoint_is_weights_a_stage_or_a_cell(here):
    stage = put(here / "work" / "results" / "g" / "stages" / "pretrain-1", "weights.safetensors", "tokenizer.json")
    cell = put(here / "work" / "results" / "g" / "cells" / "a-s0-1")
    (cell / "pretraining.json").write_text(json.dumps({"stage": "pretrain-1"}))
    files = (stage / "weights.safetensors", stage / "tokenizer.json")
    for said in ("results/g/stages/pretrain-1", "results/g/stages/pretrain-1/weights.safetensors",
                 "results/g/cells/a-s0-1", str(cell)):
        (weights, tokenizer) = initial_files(Init(checkpoint=said))["checkpoint"]
        assert (weights.resolve(), tokenizer.resolve()) == files


@pytest.mark.parametrize(
    ("init", "file", "place"),
    [
        (Init(stem="net.pt"), "net.pt", "init.stem"),
        (Init(stem="bert"), "bert/pytorch_model.bin", "init.stem"),
        (Init(text="bert"), "bert/pytorch_model.bin", "init.text"),
        (Init(checkpoint="last.CKPT"), "last.CKPT", "init.checkpoint"),
    ],
)
def test_a_pickle_is_refused_with_the_way_to_convert_it(here, init, file, place):
    (here / "work" / "bert").mkdir(parents=True)
    (here / "work" / file).write_bytes(b"")
    with pytest.raises(DataError, match=f"{Path(file).name} is a pickle") as caught:
        initial_files(init)
    assert caught.value.place == place
    assert "safetensors.torch.save_file" in caught.value.remedy


@pytest.mark.parametrize(
    ("init", "cause", "place", "remedy"),
    [
        (Init(stem="net/modle.safetensors"), "there is no 'modle.safetensors'", "init.stem", "model.safetensors?"),
        (Init(stem="nowhere/x"), "there is no 'x'", "init.stem", "working directory"),
        (Init(stem="notes.txt"), "notes.txt is no safetensors file", "init.stem", "convert"),
        (Init(text="net/model.safetensors"), "is no folder", "init.text", "name the folder"),
        (Init(text="net"), "has no tokenizer.json", "init.text", "tokeniser.json?"),
        (Init(checkpoint="net/model.safetensors"), "has no tokenizer.json", "init.checkpoint", ""),
        (Init(checkpoint="net"), "has neither weights.safetensors nor pretraining.json", "init.checkpoint", "a cell's"),
        (Init(checkpoint="cells/lost"), "the pretraining of lost", "init.checkpoint", "run the cell again"),
        (Init(checkpoint="cells/bad"), "names no stage", "init.checkpoint", "run the cell again"),
    ],
)
def test_what_is_missing_is_said_with_the_nearest(here, init, cause, place, remedy):
    put(here / "work", "notes.txt")
    put(here / "work" / "net", "model.safetensors", "config.json", "tokeniser.json")
    for name, text in (("lost", '{"stage": "pretrain-9"}'), ("bad", "{}")):
        (put(here / "work" / "cells" / name) / "pretraining.json").write_text(text)
    with pytest.raises(DataError) as caught:
        initial_files(init)
    assert cause in caught.value.cause
    assert caught.value.place == place
    assert remedy in caught.value.remedy
