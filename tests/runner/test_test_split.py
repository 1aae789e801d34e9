"""Nothing that a cell learns or chooses by sees a test split, whichever way round a plugin or a grid file tries."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from vlpbench.cli.main import main
from vlpbench.device import Device
from vlpbench.grid import cells, open_grid
from vlpbench.runner.cell import Hands, folder_of, run_cell
from vlpbench.runner.workbench import opened_here

PLUGIN = '''
"""A data set whose training split is its test split too, and an objective that reads a test split by itself."""
from vlpbench.data.worlds.digits import Digits
from vlpbench.plugin import Objective, Step, hookimpl

class Leaky(Digits):
    name = "leaky"
    def read(self, split):
        yield from super().read("test" if split in self.leaks else split)
    leaks = ("train",)

class LeakyChoice(Leaky):
    name, leaks = "leaky-choice", ("val",)

class Reads(Objective):
    name, needs, trains = "reads", frozenset({"image_vector", "text_vector"}), frozenset({"vectors"})
    @staticmethod
    def corrupt(batch, rng, config):
        from vlpbench.registry import load_registry
        from vlpbench.runner.workbench import opened_here
        from vlpbench.data.worlds.digits import DigitsConfig
        list(opened_here(load_registry().dataset("digits"), DigitsConfig(train=8, val=8, test=8)).read("test"))
        return {}
    def encode(self, backbone, batch):
        return {"x": (backbone.image_vector(batch.image) * backbone.text_vector(batch.text)).sum(1)}
    def loss(self, features, batch):
        return Step(1 - features["x"])

class ReadsFirst(Objective):
    name, needs, trains = "reads-first", Reads.needs, Reads.trains
    def __init__(self, config, spec):
        super().__init__(config, spec)
        Reads.corrupt(None, None, None)
    encode, loss = Reads.encode, Reads.loss

@hookimpl
def vlpbench_datasets():
    return [Leaky, LeakyChoice]

@hookimpl
def vlpbench_objectives():
    return [Reads, ReadsFirst]
'''

GRID = """
name = "attack"
floors = false
plugins = ["attack.py"]
tasks = ["retrieval"]
[base]
backbone = "linear/dual/nano"
objective = "contrastive"
data = "good"
[budget]
samples = 16
batch = 8
[text]
vocabulary = 330
length = 12
[protocol.retrieval]
samples = 16
batch = 8
data = "good"
"""
SETS = "".join(
    f'[data.{name}]\nkind = "{kind}"\ntrain = 16\nval = 8\ntest = 8\n'
    for name, kind in (("good", "digits"), ("bad", "leaky"), ("chosen", "leaky-choice"))
)


@pytest.fixture
def attack(tmp_path: Path) -> Any:
    """(overrides) -> whether the cell was done, and what its record says if it was not."""
    (tmp_path / "attack.py").write_text(PLUGIN)
    (tmp_path / "g.toml").write_text(GRID + SETS)

    def run(*overrides: str) -> tuple[bool, dict[str, Any]]:
        grid, registry = open_grid(str(tmp_path / "g.toml"), overrides)
        (cell,) = cells(grid, registry, opened_here)
        done = run_cell(cell, tmp_path / "r", Hands(registry, Device("cpu")))
        return done, folder_of(cell, tmp_path / "r").status()

    return run


def test_without_an_attack_it_is_done(attack: Any) -> None:
    done, status = attack()
    assert done and status["state"] == "done"


@pytest.mark.parametrize(
    ("overrides", "doing"),
    [
        (("data=bad",), "training"),
        (("text.trained_on=bad",), "the tokenizer"),
        (("data=bad", "text.trained_on=good"), "training"),
        (("objective=none", "protocol.retrieval.data=bad", "text.trained_on=good"), "the fine-tune of retrieval"),
        (("objective=reads",), "pretraining"),
        (("objective=reads-first",), "pretraining"),
        (("select=validation", "protocol.retrieval.data=chosen"), "the fine-tune of retrieval"),
        (("tune.tries={'optim.lr'=[1e-3, 1e-2]}", "tune.task=retrieval", "protocol.retrieval.data=chosen"), "tuning"),
        (("data=chosen", "budget.looks=1"), "selection"),
    ],
)
def test_refused(attack: Any, overrides: tuple[str, ...], doing: str) -> None:
    done, status = attack(*overrides)
    assert not done and status["state"] == "failed"
    assert f"{doing} may not read the test split" in status["cause"], status
    assert "test" in status["place"] and status["remedy"], "a mistake with its place and what to do"


def test_what_was_opened_for_floors_is_no_way_round(attack: Any) -> None:
    """The training split is kept for the cell: opened first by a task that only compares with it, it is sealed too."""
    done, status = attack(
        "objective=none", "tasks=['captioning@zero-shot', 'captioning']", "protocol.captioning.data=bad",
        "text.trained_on=good", "backbone=linear/encoder-decoder/nano",
    )
    assert not done and "may not read the test split" in status["cause"]


def test_a_plugin_cannot_read_a_test_split_while_it_is_loaded(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "eager.py").write_text(
        "from pathlib import Path\n"
        "from vlpbench.data.worlds.digits import Digits, DigitsConfig\n"
        "list(Digits(DigitsConfig(train=4, val=4, test=4), Path(), Path('cache')).read('test'))\n"
    )
    main(["-p", str(tmp_path / "eager.py"), "plugins", "list"])
    assert "loading a plugin may not read the test split" in capsys.readouterr().out
