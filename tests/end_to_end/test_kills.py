"""However often a run is killed, it ends in the bytes of an undisturbed one: a short benchmarks/kills.py."""

from __future__ import annotations

import importlib.util
import random
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import ModuleType

import pytest

import vlpbench as package

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "kills.py"

GRID = """
schema = 1
name = "beaten"
floors = false
tasks = ["captioning"]
[base]
objective = "prefix-lm"
backbone = "linear/encoder-decoder/nano"
data = "digits"
[budget]
samples = 120
batch = 8
[text]
vocabulary = 330
length = 16
[protocol.captioning]
samples = 40
batch = 8
[data.digits]
train = 40
val = 10
test = 10
[[rows]]
name = "words"
[[rows]]
name = "longer readout"
protocol.captioning.samples = 80
"""

Beat = Callable[[Sequence[str]], list[str]]


@pytest.fixture(scope="module")
def kills() -> ModuleType:
    """The script as a module."""
    spec = importlib.util.spec_from_file_location("kills", SCRIPT)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["kills"] = module  # dataclasses look here
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def beat(kills: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Beat]:
    """(blows) -> all that differs from an undisturbed run after these blows at random moments."""
    folder = tmp_path_factory.mktemp("kills")
    (folder / "beaten.toml").write_text(GRID)
    patch = pytest.MonkeyPatch()
    patch.setenv("PYTHONPATH", str(Path(package.__path__[0]).parent))  # the very package that is tested
    want = kills.Ground(folder / "beaten.toml", folder / "want")
    run = want.start()
    table = kills.table_of(run.communicate(timeout=240)[0])
    assert run.returncode == 0, (want.folder / "told.txt").read_text()
    assert not want.waste()
    assert {"weights.safetensors", "predictions.parquet", "scores.json"} <= {Path(name).name for name in want.files()}

    def beaten(names: Sequence[str]) -> list[str]:
        ground = kills.Ground(folder / "beaten.toml", folder / "-".join(names).replace(" ", "-"))
        dealt, wrong = kills.beaten(ground, want, table, names, random.Random(0))
        assert wrong or dealt.total() == len(names)
        return list(wrong)

    yield beaten
    patch.undo()


def test_a_run_whose_processes_are_killed_ends_in_the_same_bytes(beat: Beat) -> None:
    assert beat(["worker", "runner"]) == []


@pytest.mark.slow
def test_blows_of_other_kinds(beat: Beat) -> None:
    blows = ["fork server", "Ctrl-C", "all"]
    assert beat(blows) == []


def test_a_difference_is_seen(kills: ModuleType, tmp_path: Path) -> None:
    """The eyes of the other tests: a byte, a file that is left, a number in a table."""
    ground = kills.Ground(tmp_path / "grid.toml", tmp_path)
    record = ground.results / "grid" / "cells" / "one"
    for name, text in {"scores.json": "1", "timing.json": "2", ".scores.json.abcdefgh.json": "{"}.items():
        record.mkdir(parents=True, exist_ok=True)
        (record / name).write_text(text)
    before = ground.files()
    (record / "timing.json").write_text("3")
    assert ground.files() == before
    (record / "scores.json").write_text("0")
    assert ground.files() != before
    (ground.results / "grid" / "claims").mkdir()
    assert ground.waste() == ["grid/cells/one/.scores.json.abcdefgh.json"]
    (ground.results / "grid" / "claims" / "cell-1-000001.json").touch()
    (ground.results / "grid" / "stages" / "tune-1" / "checkpoint").mkdir(parents=True)
    assert len(ground.waste()) == 4
    table = "| row | acc. |\n|:--|:--|\n| a | 1.0 |\n\n| row | seconds a cell |\n|:--|:--|\n| a | {} |\n"
    assert kills.table_of(table.format(3)) == kills.table_of(table.format(25))
    assert kills.table_of(table.format(3)) != kills.table_of(table.format(3).replace("1.0", "1.1"))
