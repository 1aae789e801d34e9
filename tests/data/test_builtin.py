"""What comes with vlpbench is offered through the hook that strangers use."""

from __future__ import annotations

import dataclasses

import pluggy

from vlpbench import hookspecs
from vlpbench.contract.dataset import Dataset
from vlpbench.data import builtin


def test_hook_gives_data_sets():
    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    manager.register(builtin)
    (found,) = manager.hook.vlpbench_datasets()
    files = ["coco", "vqa", "karpathy", "table", "folders", "shards", "text"]
    made = ["digits", "shapes", "signs", "digits-texts", "shapes-texts", "signs-texts"]
    assert [kind.name for kind in found] == files + made
    assert all(issubclass(kind, Dataset) for kind in found)


def test_settings_have_defaults_and_are_frozen(tmp_path):
    for made in builtin.vlpbench_datasets():
        config = made.config_class()
        assert dataclasses.is_dataclass(config)
        assert config.__dataclass_params__.frozen
        assert made(config, tmp_path / "root", tmp_path / "cache").describe()["kind"] == made.name
    assert list(tmp_path.iterdir()) == []
