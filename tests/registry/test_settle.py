from __future__ import annotations

from typing import get_args

import pytest

from vlpbench.config.task_name import TASKS
from vlpbench.metrics.names import SUITE
from vlpbench.registry import PluginError, load_registry
from vlpbench.registry.settle import TABLES, belongs_to_suite
from vlpbench.results.tables.asked import What

TEXTS = {
    "objective": "class Mine(Objective):\n    def encode(self, backbone, batch): ...\n"
                 "    def loss(self, features, batch): ...\n",
    "stem": "class Mine(Stem):\n    def forward(self, images): ...\n",
    "trunk": "class Mine(Trunk):\n    version = 2\n",
    "data set": "class Mine(Dataset):\n    config_class = NoConfig\n    images = None\n    def splits(self): ...\n"
                "    def read(self, split): ...\n    def fingerprint(self): ...\n",
    "launcher": "class Mine(Launcher):\n    def start(self, job, slot): ...\n",
    "metric": "class Mine(Metric):\n    tasks = {'vqa'}\n    def values(self, rows): ...\n",
    "table": "class Mine(ReportTable):\n    def frame(self, results): ...\n",
}
HOOKS = {"data set": "datasets"}
OURS = {"objective": "prefix-lm", "stem": "conv3", "trunk": "dual", "data set": "coco", "launcher": "local"}


def plugin(kind: str, name: str) -> str:
    """The text of a plugin that brings one component of a kind."""
    top = "from pathlib import Path\nfrom vlpbench.plugin import *\nfrom vlpbench.plugin import hookimpl\n"
    if kind in ("grid", "recipe"):
        body, brings = "", f"{{{name!r}: Path(__file__).with_name('some.toml')}}"
    else:
        body, brings = TEXTS[kind] + f"    name = {name!r}\n", "[Mine]"
    return f"{top}{body}@hookimpl\ndef vlpbench_{HOOKS.get(kind, f'{kind}s')}():\n    return {brings}\n"


@pytest.fixture
def put(install, tmp_path):
    (tmp_path / "site" / "some.toml").write_text('description = "some"\n')

    def install_one(distribution: str, kind: str, name: str) -> None:
        install(distribution, distribution.replace("-", "_"), plugin(kind, name))

    return install_one


@pytest.mark.parametrize(
    ("kind", "name"), [*OURS.items(), ("grid", "demo"), ("recipe", "simvlm-base"), ("metric", "cider"),
                       ("metric", "bleu-4"), ("metric", "retrieval"), ("table", "cost"), ("table", "vqa")],
)
def test_what_is_ours_stays_ours(put, kind, name):
    before = load_registry().components.get((kind, name))
    put("other-thief", kind, name)
    registry = load_registry()
    (failure,) = registry.failures
    assert f"{kind} {name!r} is taken by vlpbench 0.1.0 and other-thief 0.2" in failure.cause
    assert "is kept" in failure.cause and "rename" in failure.remedy
    assert (failure.status, failure.kind, failure.provides) == ("conflict", kind, (name,))
    after = registry.components.get((kind, name))
    assert (before and before.value) == (after and after.value)


@pytest.mark.parametrize("kind", ["objective", "stem", "launcher", "data set", "grid", "recipe", "metric", "table"])
def test_of_two_strangers_none_has_the_name(put, kind):
    put("other-one", kind, "same")
    put("other-two", kind, "same")
    registry = load_registry()
    assert "same" not in registry.names(kind)
    assert len(registry.failures) == 2
    with pytest.raises(PluginError, match=rf"{kind} 'same' is taken by other-one 0.2 and other-two 0.2: none is used"):
        registry._find(kind, "same")
    put("other-three", "stem" if kind != "stem" else "metric", "same")  # another kind is no rival
    assert len(load_registry().failures) == 2
    assert load_registry(blocked=["Other_Two"]).names(kind).count("same") == 1


def test_a_metric_and_a_table_with_names_of_their_own_are_found(put):
    put("other-metric", "metric", "answer-length")
    put("other-table", "table", "by-colour")
    registry = load_registry()
    assert registry.failures == ()
    assert registry.metric("answer-length").tasks == {"vqa"}
    assert registry.table("by-colour").name == "by-colour"


def test_two_of_one_name_in_one_plugin_are_told_apart(install, source):
    text = source("same") + source("same", cls="Other").replace("[Other]", "[Mine, Other]")
    install("vlpbench-twice", "twice_plugin", text)
    (failure,) = load_registry().failures
    assert "it brings two of the name objective 'same': Mine and Other" in failure.cause


def test_one_class_given_twice_is_one(install, source):
    install("vlpbench-twice", "twice_plugin", source("same").replace("[Mine]", "[Mine, Mine]"))
    assert load_registry().failures == ()


def test_all_names_of_the_suite_are_kept():
    assert set(get_args(What)) <= set(TABLES)
    for task in TASKS:
        assert belongs_to_suite("metric", task.partition("@")[0])
        assert belongs_to_suite("table", task.partition("@")[0])
    for metric in (name for names in SUITE.values() for name in names):
        assert belongs_to_suite("metric", metric.lower().replace("_", "-"))
    assert not belongs_to_suite("metric", "answer-length")
    assert not belongs_to_suite("objective", "recall")
