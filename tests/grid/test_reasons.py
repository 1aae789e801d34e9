from __future__ import annotations

import pytest

from vlpbench.grid import task_why_not


@pytest.mark.parametrize(
    ("base", "tasks", "reason"),
    [
        ("trunk = 'dual'", ["vqa"], "n/a: prefix-lm needs context, decode, dual has none"),
        ("trunk = 'dual'\nobjective = 'contrastive + 2*prefix-lm'", ["vqa"], "n/a: prefix-lm needs context, decode"),
        ("trunk = 'dual'\nobjective = 'contrastive'", ["captioning"], "n/a: captioning needs decode"),
        ("trunk = 'dual'\nobjective = 'contrastive'", ["captioning", "vqa"], None),
        ("objective = 'none'", ["retrieval@zero-shot"],
         "n/a: retrieval@zero-shot pretraining did not train vectors"),
        ("objective = 'prefix-lm'", ["retrieval@zero-shot"], "did not train vectors"),
        ("objective = 'contrastive'", ["retrieval@zero-shot"], None),
        ("objective = 'prefix-lm'", ["captioning@zero-shot", "retrieval"], None),
        ("objective = 'contrastive'\ndata = 'none'\ntexts = 'digits'", ["vqa"],
         "n/a: contrastive learns from pairs, but data is none"),
        ("objective = 'prefix-lm + contrastive'\ndata = 'none'\ntexts = 'digits'", ["vqa"], "n/a: contrastive learns"),
        ("objective = 'prefix-lm'\ndata = 'none'\ntexts = 'digits'", ["vqa"], None),
        ("objective = 'prefix-lm'\ndata = 'digits'\ntexts = 'digits'", ["vqa"], None),
        ("init.stem = '{weights}'", ["vqa"], "n/a: init.stem has weights of a timm model, conv3 is none"),
    ],
)
def test_a_cell_says_why_it_cannot_be_run(made, tmp_path, base, tasks, reason):
    weights = tmp_path / "x.safetensors"
    weights.write_bytes(b"x")
    text = f"floors = false\ntasks = {tasks}\n[base]\n{base.replace('{weights}', str(weights))}\n"
    found = made(text + "[protocol.vqa]\ndata = 'digits'\n")[0]
    if reason is None:
        assert found.reason is None
    else:
        assert reason in (found.reason or "")


def test_a_task_says_why_it_has_no_score(made, registry):
    cell = made("floors = false\n[base]\nobjective = 'contrastive'\ntrunk = 'dual'")[0]
    assert cell.reason is None
    said = {task: task_why_not(task, cell.settings, registry) for task in cell.settings.tasks}
    assert said["captioning"] == "n/a: needs decode"
    assert said["vqa"] is said["retrieval"] is None


TRUNK = """
from dataclasses import dataclass
from vlpbench.backbones.dual_encoder import DualEncoder as Dual
from vlpbench.plugin import Objective, Step, hookimpl

@dataclass(frozen=True)
class Config:
    deaf: bool = False

class Choosy(Dual):
    name, config_class = "choosy", Config

    @classmethod
    def offers_with(cls, config):
        return frozenset(cls.offers) - ({"text_vector"} if config.deaf else set())

class Texts(Objective):
    name, uses = "texts-only", {"texts"}
    def encode(self, backbone, batch):
        return {}
    def loss(self, features, batch):
        return Step(features["x"])

@hookimpl
def vlpbench_trunks():
    return [Choosy]

@hookimpl
def vlpbench_objectives():
    return [Texts]
"""


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ((), None),
        (("trunk.choosy.deaf=true",), "n/a: contrastive needs text_vector, choosy has none"),
        (("objective=texts-only",), "n/a: texts-only learns from texts, but texts is none"),
        (("objective=texts-only", "texts=digits"), None),
        (("objective=none", "tasks=retrieval", "trunk.choosy.deaf=true"), "n/a: retrieval needs"),
    ],
)
def test_settings_of_a_trunk_decide_what_it_offers(made, tmp_path, said, reason):
    (tmp_path / "mine.py").write_text(TRUNK)
    text = "plugins = ['mine.py']\ntasks = ['vqa']\nfloors = false\n"
    text += "[base]\ntrunk = 'choosy'\nobjective = 'contrastive'\n"
    found = made(text, *said)[0].reason
    assert found is None if reason is None else (found or "").startswith(reason)
