"""A stage is whole with its weights, or it has not been run."""

from __future__ import annotations

from pathlib import Path

import pytest

from vlpbench.records import StageFolder


@pytest.fixture
def stage(tmp_path: Path) -> StageFolder:
    """A stage that has been run."""
    made = StageFolder.of(tmp_path, "pretrain", {"seed": 0})
    made.path.mkdir(parents=True)
    made.weights.write_bytes(b"weights")
    made.close({"flops": 7, "curve": []})
    return made


def test_what_decides_it_names_it(tmp_path: Path) -> None:
    one = StageFolder.of(tmp_path, "pretrain", {"seed": 0, "lr": 1e-3})
    assert one == StageFolder.of(tmp_path, "pretrain", {"lr": 1e-3, "seed": 0})
    others = [{"seed": 1, "lr": 1e-3}, {"seed": 0}, {"seed": 0, "lr": 1e-4}]
    assert len({one, *(StageFolder.of(tmp_path, "pretrain", other) for other in others)}) == 4
    assert one.path.parent == tmp_path / "stages" and one.path.name.startswith("pretrain-")


def test_it_tells_what_it_was_told(stage: StageFolder) -> None:
    assert stage.told() == {"flops": 7, "curve": []}


def test_without_the_last_file_it_has_not_been_run(tmp_path: Path) -> None:
    made = StageFolder.of(tmp_path, "pretrain", {})
    assert made.told() is None
    made.path.mkdir(parents=True)
    made.weights.write_bytes(b"weights")
    assert made.told() is None


@pytest.mark.parametrize("content", [b"weightz", b"weight", b""])
def test_other_weights_have_not_been_run(stage: StageFolder, content: bytes) -> None:
    stage.weights.write_bytes(content)
    assert stage.told() is None


def test_lost_weights_have_not_been_run(stage: StageFolder) -> None:
    stage.weights.unlink()
    assert stage.told() is None


@pytest.mark.parametrize("content", ["", "{", "[]", "null", '{"weights": 3}', '{"told": {}}'])
def test_a_damaged_word_has_not_been_run(stage: StageFolder, content: str) -> None:
    (stage.path / "stage.json").write_text(content)
    assert stage.told() is None


def test_a_word_without_anything_told_has_not_been_run(stage: StageFolder) -> None:
    path = stage.path / "stage.json"
    path.write_text(path.read_text().replace('"told"', '"tolt"'))
    assert stage.told() is None
