"""Launchers come through a hook and are held to their contract as all else is."""

from __future__ import annotations

import json

import pytest

from vlpbench.cli.main import main
from vlpbench.errors import UserError
from vlpbench.plugin import Launcher
from vlpbench.registry import load_registry
from vlpbench.registry.checks import Unfit, check_component

PLUGIN = """
from vlpbench.plugin import Launcher, hookimpl

class Mine(Launcher):
    name = "mine"
    {more}
    def start(self, job, slot):
        raise RuntimeError("nothing runs here")

@hookimpl
def vlpbench_launchers():
    return [Mine]
"""


def test_ours_and_a_strangers_are_found_by_name(tmp_path):
    (tmp_path / "mine.py").write_text(PLUGIN.format(more=""))
    registry = load_registry([tmp_path / "mine.py"])
    assert registry.names("launcher") == ["local", "mine", "print"]
    assert issubclass(registry.launcher("mine"), Launcher)
    assert str(registry.origin("launcher", "mine")) == "mine.py"


def test_an_unknown_one_gets_the_nearest():
    with pytest.raises(UserError, match="unknown launcher 'locale'") as caught:
        load_registry().launcher("locale")
    assert "did you mean 'local'?" in caught.value.remedy


def test_asking_for_one_whose_plugin_is_broken_tells_why(tmp_path):
    (tmp_path / "mine.py").write_text("import no_such_queue\n" + PLUGIN.format(more=""))
    with pytest.raises(UserError, match=r"launcher 'mine' is not there: .*no_such_queue"):
        load_registry([tmp_path / "mine.py"]).launcher("mine")


def test_the_name_of_ours_cannot_be_taken(tmp_path):
    (tmp_path / "mine.py").write_text(PLUGIN.format(more="").replace('"mine"', '"local"'))
    registry = load_registry([tmp_path / "mine.py"])
    assert registry.launcher("local").__module__ == "vlpbench.runner.launchers.local"
    (failure,) = [one for one in registry.failures if one.name == "mine.py"]
    assert "the built-in one is kept" in failure.cause


@pytest.mark.parametrize(
    ("facts", "cause", "remedy"),
    [
        ({"name": "My Queue"}, "name is 'My Queue'", "lower-case"),
        ({"start": lambda self, job: None}, "takes (self, job) instead of (self, job, slot)", "def start"),
        ({"wait": lambda self, seconds: None}, "instead of (self, started, seconds)", "def wait"),
        ({"__init__": lambda self: None}, "__init__ takes (self) instead of (self, place)", "(self, place)"),
        ({"requires": ("no_such_queue",)}, "missing module no_such_queue", "pip install"),
    ],
)
def test_what_breaks_the_contract_is_said(facts, cause, remedy):
    good = {"name": "mine", "start": lambda self, job, slot: None}
    assert check_component("launcher", type("Mine", (Launcher,), good)) is None
    with pytest.raises(Unfit) as caught:
        check_component("launcher", type("Mine", (Launcher,), {**good, **facts}))
    assert cause in str(caught.value) and remedy in caught.value.remedy


def test_one_that_starts_nothing_is_refused():
    with pytest.raises(Unfit, match="Mine lacks start") as caught:
        check_component("launcher", type("Mine", (Launcher,), {"name": "mine"}))
    assert "docstrings of vlpbench.plugin.Launcher" in caught.value.remedy


def test_what_is_no_launcher_is_refused():
    with pytest.raises(Unfit, match="dict is no subclass of Launcher"):
        check_component("launcher", dict)


def test_plugins_list_names_them(tmp_path, capsys):
    (tmp_path / "mine.py").write_text(PLUGIN.format(more=""))
    assert main(["-p", str(tmp_path / "mine.py"), "plugins", "list", "--json"]) == 0
    brought = [one for plugin in json.loads(capsys.readouterr().out)["plugins"] for one in plugin["brings"]]
    assert {"launcher local", "launcher print", "launcher mine"} <= set(brought)
    assert main(["plugins", "list", "--all"]) == 0
    assert "launcher local, print" in capsys.readouterr().out
