"""Several runners on one results folder: each stage is run once, each failure fails once, all print the same table."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

import vlpbench as package

PLUGIN = '''
"""An objective that fails at its third step, and counts how often it came so far."""
import os
from vlpbench.plugin import Objective, Step, hookimpl

class Third(Objective):
    name, needs, trains = "third", frozenset({"image_vector"}), frozenset({"vectors"})
    def encode(self, backbone, batch):
        return {"x": backbone.image_vector(batch.image).sum(1)}
    def loss(self, features, batch):
        if float(batch.progress) >= 0.5:
            with open(os.environ["FALLS"], "a") as file:
                file.write("fell\\n")
            raise ArithmeticError("the third step")
        return Step(features["x"])

@hookimpl
def vlpbench_objectives():
    return [Third]
'''

GRID = """
schema = 1
name = "shared"
floors = false
plugins = ["third.py"]
tasks = ["vqa", "captioning"]
[base]
objective = "prefix-lm"
backbone = "linear/encoder-decoder/nano"
data = "digits"
[budget]
samples = 160
batch = 8
[text]
vocabulary = 330
length = 16
[protocol.vqa]
samples = 80
batch = 8
[protocol.captioning]
samples = 40
batch = 8
[data.digits]
train = 40
val = 10
test = 10
questions = 2
[[rows]]
name = "words"
[[rows]]
name = "same pretraining"
protocol.vqa.samples = 120
[[rows]]
name = "single"
backbone = "linear/decoder-only/nano"
[[rows]]
name = "falls"
objective = "third"
"""

FAILED = 1
"""Exit code of a run where a cell has failed."""


class Place:
    """A grid, and the runs of it that were started."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "shared.toml").write_text(GRID)
        (folder / "third.py").write_text(PLUGIN)
        self.started: list[subprocess.Popen[str]] = []

    @property
    def results(self) -> Path:
        return self.folder / "results" / "shared"

    def start(self, *words: str, jobs: int = 1) -> subprocess.Popen[str]:
        """`vlpbench run WORDS`, by default the whole grid, in a session of its own."""
        what = words or ("grid", "shared.toml", "--jobs", f"{jobs}")
        where = str(Path(package.__path__[0]).parent)
        environment = {**os.environ, "PYTHONPATH": where, "CUDA_VISIBLE_DEVICES": "", "FALLS": str(self.falls)}
        line = [sys.executable, "-m", "vlpbench", "run", *what, "--results", "results", "--checkpoint-every", "0.2"]
        self.started.append(subprocess.Popen(
            line, cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment,
            start_new_session=True,
        ))
        return self.started[-1]

    @property
    def falls(self) -> Path:
        return self.folder / "falls.txt"

    def starts(self) -> dict[str, int]:
        """Stage -> how often it was begun."""
        stages = (self.results / "stages").iterdir()
        return {one.name: json.loads((one / "run.json").read_text())["starts"] for one in stages}

    def id_of(self, row: str) -> str:
        """The id of a row's only cell."""
        described = json.loads((self.results / "grid.json").read_text())["cells"]
        (found,) = [cell for cell, said in described.items() if said["row"] == row]
        return str(found)

    def wait_for_claims(self, stem: str) -> list[Path]:
        """The claims whose name begins so, once there is one."""
        end = time.monotonic() + 120
        while time.monotonic() < end:
            if found := list((self.results / "claims").glob(f"{stem}*.json")):
                return found
            time.sleep(0.02)
        raise AssertionError(f"nobody has taken {stem!r}: {[one.poll() for one in self.started]}")


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    made = Place(tmp_path)
    yield made
    for one in made.started:
        one.kill()
        one.communicate()


def ended(runs: Sequence[subprocess.Popen[str]]) -> list[tuple[int, str]]:
    """Exit code and what was printed of each."""
    said = [one.communicate(timeout=240) for one in runs]
    assert not [err for _, err in said if "Traceback" in err], said
    return [(one.returncode, out) for one, (out, _) in zip(runs, said, strict=True)]


def test_two_runners_and_a_typed_cell_share_the_work(place: Place) -> None:
    first, second = place.start(), place.start()
    place.wait_for_claims("")
    typed = place.start("cell", "shared.toml", place.id_of("same pretraining"))
    (one, table), (other, again), (third, line) = ended([first, second, typed])
    assert (one, other, third) == (FAILED, FAILED, 0)
    assert table == again
    assert line.startswith("done")
    starts = place.starts()
    kinds = Counter(name.rpartition("-")[0] for name in starts)
    assert kinds == {"pretrain": 3, "fine-tune": 5, "predict": 5}  # two cells share a pretraining and the captions
    assert set(starts.values()) == {1}
    assert place.falls.read_text() == "fell\n"
    assert not list((place.results / "claims").iterdir())


def test_the_cells_of_a_runner_that_is_killed_are_taken_over(place: Place) -> None:
    first, second, doomed = place.start(), place.start(), place.start()
    place.wait_for_claims("pretrain-")
    doomed.send_signal(signal.SIGKILL)
    doomed.communicate()
    (one, table), (other, same) = ended([first, second])
    assert (one, other) == (FAILED, FAILED)
    assert table == same
    assert place.falls.read_text() == "fell\n"
    again = sum(count - 1 for count in place.starts().values())
    assert again <= 2  # what its child was at: at most a fine-tune, and the predictions that were to follow
    assert not list((place.results / "claims").iterdir())


@pytest.mark.slow
def test_a_runner_that_is_stopped_for_a_while_goes_on(place: Place) -> None:
    first, second = place.start(), place.start()
    place.wait_for_claims("pretrain-")
    first.send_signal(signal.SIGSTOP)
    time.sleep(5)
    first.send_signal(signal.SIGCONT)
    (one, table), (other, same) = ended([first, second])
    assert (one, other) == (FAILED, FAILED)
    assert table == same
    assert set(place.starts().values()) == {1}
    assert place.falls.read_text() == "fell\n"
