from __future__ import annotations

import pytest

from vlpbench.config.problems import GridError
from vlpbench.errors import UserError
from vlpbench.grid import open_grid
from vlpbench.registry import PluginError

OBJECTIVE = """
from vlpbench.plugin import Objective, Step, hookimpl

class Mine(Objective):
    name = "mine"
    def encode(self, backbone, batch):
        return {}
    def loss(self, features, batch):
        return Step(features["x"])

@hookimpl
def vlpbench_objectives():
    return [Mine]
"""


def test_the_demo_is_found_by_its_name():
    grid, registry = open_grid("demo")
    assert grid.name == "demo"
    assert [row.changes["objective"] for row in grid.rows] == ["none", "prefix-lm", "contrastive"]
    assert grid.seeds == (0, 1)
    assert registry.files == ()


@pytest.mark.parametrize(
    ("said", "what", "remedy"),
    [
        ("dmeo", "unknown grid 'dmeo'", "did you mean 'demo'?"),
        ("mygrd.toml", "there is no grid file", "did you mean"),
        ("zzzzzzzzz.toml", "there is no grid file", "vlpbench grid list"),
    ],
)
def test_what_is_not_there_gets_the_nearest(tmp_path, monkeypatch, said, what, remedy):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mygrid.toml").write_text("")
    with pytest.raises(UserError) as caught:
        open_grid(said)
    assert what in caught.value.cause
    assert remedy in caught.value.remedy


def test_a_grid_brings_its_plugin_file_along(tmp_path):
    (tmp_path / "mine.py").write_text(OBJECTIVE)
    path = tmp_path / "g.toml"
    path.write_text("plugins = ['mine.py']\n[base]\nobjective = 'mine + contrastive'\n")
    grid, registry = open_grid(str(path))
    assert grid.base["objective"] == "mine + contrastive"
    assert registry.files == (tmp_path / "mine.py",)
    path.write_text("[base]\nobjective = 'mine'\n")
    with pytest.raises(GridError, match="unknown objective 'mine'"):
        open_grid(str(path))
    assert open_grid(str(path), files=[tmp_path / "mine.py"])[0].base["objective"] == "mine"


@pytest.mark.parametrize(
    ("plugins", "said"),
    [
        ("['no.py']", "there is no file"),
        ("['broken.py']", "ZeroDivisionError"),
        ("['vlpbench-nowhere']", "the plugin 'vlpbench-nowhere' is not installed"),
    ],
)
def test_a_plugin_that_the_grid_names_must_work(tmp_path, plugins, said):
    (tmp_path / "broken.py").write_text("1 / 0\n")
    path = tmp_path / "g.toml"
    path.write_text(f"plugins = {plugins}\n")
    with pytest.raises(PluginError, match=said) as caught:
        open_grid(str(path))
    assert caught.value.exit_code == 3


def test_a_setting_that_needs_a_broken_plugin_is_the_plugins_fault(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "broken_pack.py").write_text("import nothing_like_it\n")
    info = tmp_path / "vlpbench_mine-0.2.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: vlpbench-mine\nVersion: 0.2\n")
    (info / "entry_points.txt").write_text("[vlpbench]\nmine = broken_pack\n")
    path = tmp_path / "g.toml"
    for text, code in (("[base]\nobjective = 'mine'\n", 3), ("[base]\nobjective = 'yours'\n", 2)):
        path.write_text(text)
        with pytest.raises(GridError) as caught:
            open_grid(str(path))
        assert caught.value.exit_code == code
    path.write_text("plugins = ['vlpbench_mine']\n")
    with pytest.raises(PluginError, match="left out by --no-plugin"):
        open_grid(str(path), blocked=["vlpbench-mine"])
