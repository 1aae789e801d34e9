from __future__ import annotations

import pytest

from vlpbench.errors import UserError
from vlpbench.registry import PluginError, load_registry

HOOK = "from vlpbench.plugin import hookimpl\n\n"
INSTANCE = "class Plugin:\n    @hookimpl\n    def vlpbench_stems(self):\n        return []\nplugin = Plugin()\n"
MARK = HOOK + "@hookimpl\ndef "


def failures(registry):
    return [one for one in registry.failures if not one.name.startswith("vlpbench.")]


def only(registry):
    """The one failure, after a look that everything else still works."""
    found = failures(registry)
    assert len(found) == 1, [one.sentence() for one in found]
    assert registry.objective("prefix-lm").name == "prefix-lm"
    assert registry.stem("conv3").name == "conv3"
    return found[0]


def test_ours_come_through_the_same_hooks():
    registry = load_registry()
    assert {"none", "prefix-lm", "language-model", "contrastive"} <= set(registry.names("objective"))
    assert {"linear", "conv2", "conv3", "conv4", "timm"} <= set(registry.names("stem"))
    assert {"encoder-decoder", "dual"} <= set(registry.names("trunk"))
    assert "digits" in registry.names("data set")
    assert registry.grid("demo").is_file()
    assert registry.recipe("simvlm-base").is_file()
    assert "vlpbench.objectives" in [one.name for one in registry.plugins]


def test_an_installed_plugin_takes_part(install, source):
    path = install("vlpbench-good", "good_plugin", source("good"))
    registry = load_registry()
    assert failures(registry) == []
    assert registry.objective("good").__module__ == "good_plugin"
    origin = registry.origin("objective", "good")
    assert (origin.distribution, origin.version, origin.file) == ("vlpbench-good", "0.2", path.name)
    assert len(origin.sha256) == 64
    assert str(origin) == "vlpbench-good 0.2"


def test_a_plugin_can_be_blocked_by_either_name(install, source):
    install("vlpbench-good", "good_plugin", source("good"))
    for name in ("vlpbench-good", "good_plugin"):
        assert "good" not in load_registry(blocked=[name]).names("objective")


IMPORT_FAULTS = [
    ("import no_such_module_at_all\n", "no module named 'no_such_module_at_all'", "pip install no-such-module-at-all"),
    ("import sys\nsys.exit(7)\n", "calls sys.exit(7) when it is imported", "pip uninstall vlpbench-bad"),
    ("1 / 0\n", "ZeroDivisionError while it is imported", "tell its author"),
    ("def broken(:\n", "syntax error at bad_plugin.py:1", "correct it"),
    ("from vlpbench.plugin import Objectiv\n", "cannot import name 'Objectiv'", "did you mean 'Objective'?"),
    ("class Oddity(BaseException): pass\nraise SystemExit\n", "calls sys.exit(None)", "pip uninstall"),
]


@pytest.mark.parametrize(("text", "cause", "remedy"), IMPORT_FAULTS)
def test_a_plugin_that_cannot_be_imported_is_a_report(install, text, cause, remedy):
    install("vlpbench-bad", "bad_plugin", text)
    failure = only(load_registry())
    assert (failure.name, failure.distribution, failure.version) == ("bad_plugin", "vlpbench-bad", "0.2")
    assert cause in failure.cause
    assert remedy in failure.remedy
    assert "Traceback" in failure.traceback or "SyntaxError" in failure.traceback


HOOK_FAULTS = [
    (MARK + "vlpbench_objectivs():\n    return []\n", "there is no hook 'vlpbench_objectivs'",
     "did you mean 'vlpbench_objectives'?"),
    (MARK + "vlpbench_objectives(cfg):\n    return []\n", "vlpbench_objectives has a wrong signature",
     "arguments it may take: none"),
    (MARK + "vlpbench_cell_finished(cell):\n    return None\n", "wrong signature",
     "arguments it may take: record"),
    (MARK + "vlpbench_cell_finished(record=None):\n    return 1\n", "has a default", "drop the default"),
    (HOOK + "def vlpbench_objectives():\n    return []\n", "not marked as a hook", "put @hookimpl"),
    ("import pluggy\nhookimpl = pluggy.HookimplMarker('other')\n@hookimpl\ndef vlpbench_stems():\n    return []\n",
     "not marked as a hook", "put @hookimpl"),
    ("x = 1\n", "it implements no hook", "put @hookimpl over one of: vlpbench_cell_finished"),
    (MARK + "vlpbench_objectives():\n    return 3\n", "vlpbench_objectives returned 3", "a list of classes"),
    (MARK + "vlpbench_objectives():\n    pass\n", "returned None", "a list of classes"),
    (MARK + "vlpbench_objectives():\n    raise KeyError('x')\n", "KeyError: 'x'", "tell its author"),
    (MARK + "vlpbench_objectives():\n    raise SystemExit('bye')\n", "SystemExit: bye", "tell its author"),
    (MARK + "vlpbench_grids():\n    return ['x']\n", "vlpbench_grids returned", "path of a TOML file"),
    (MARK + "vlpbench_recipes():\n    return []\n", "vlpbench_recipes returned []", "path of a TOML file"),
    (MARK + "vlpbench_recipes():\n    return {'r': 'no.toml'}\n", "recipe 'r': there is no file no.toml", "path of"),
    (MARK + "vlpbench_grids():\n    return {'g': 'no.toml'}\n", "there is no file no.toml", "path of a TOML"),
]


@pytest.mark.parametrize(("text", "cause", "remedy"), HOOK_FAULTS)
def test_a_hook_that_would_be_ignored_or_misused_is_a_report(install, text, cause, remedy):
    install("vlpbench-bad", "bad_plugin", text)
    failure = only(load_registry())
    assert cause in failure.cause
    assert remedy in failure.remedy


def test_an_entry_point_to_a_class_is_told_apart_from_an_instance(install, source):
    text = HOOK + INSTANCE
    install("vlpbench-cls", "cls_plugin", text, value="cls_plugin:Plugin")
    assert "is the class Plugin" in only(load_registry()).cause


def test_an_instance_is_as_good_as_a_module(install):
    text = HOOK + INSTANCE
    install("vlpbench-inst", "inst_plugin", text, value="inst_plugin:plugin")
    assert failures(load_registry()) == []


def test_an_entry_point_to_nothing_is_a_report(install):
    install("vlpbench-gone", "gone_plugin", "x = 1\n", value="gone_plugin:plugin")
    assert "AttributeError" in only(load_registry()).cause
    install("vlpbench-lost", "lost_plugin", None)
    assert any("no module named 'lost_plugin'" in one.cause for one in failures(load_registry()))


def test_one_entry_point_name_in_two_distributions_loads_neither(install, source):
    install("vlpbench-one", "one_plugin", source("one"), point="same")
    install("vlpbench-two", "two_plugin", source("two"), point="same")
    registry = load_registry()
    found = failures(registry)
    assert [one.distribution for one in found] == ["vlpbench-one", "vlpbench-two"]
    assert all("vlpbench-one 0.2" in one.cause and "vlpbench-two 0.2" in one.cause for one in found)
    assert not {"one", "two"} & set(registry.names("objective"))


def test_one_component_name_in_two_plugins_is_used_by_none(install, source):
    install("vlpbench-one", "one_plugin", source("same"))
    install("vlpbench-two", "two_plugin", source("same"))
    registry = load_registry()
    assert len(failures(registry)) == 2
    with pytest.raises(PluginError, match=r"taken by vlpbench-one 0.2 and vlpbench-two 0.2: none is used"):
        registry.objective("same")


def test_a_built_in_name_cannot_be_taken(install, source):
    install("vlpbench-thief", "thief_plugin", source("prefix-lm"))
    registry = load_registry()
    failure = only(registry)
    assert "is taken by vlpbench" in failure.cause
    assert "vlpbench-thief 0.2: the built-in one is kept" in failure.cause
    assert registry.objective("prefix-lm").__module__.startswith("vlpbench.")


def test_a_good_component_survives_its_bad_neighbour(install, source):
    text = source("good") + source("bad", "version = 'two'", "Bad").replace("[Bad]", "[Mine, Bad]")
    install("vlpbench-half", "half_plugin", text)
    registry = load_registry()
    assert registry.objective("good").name == "good"
    assert "version is 'two'" in only(registry).cause
    with pytest.raises(PluginError, match="version is 'two'"):
        registry.objective("bad")


@pytest.mark.parametrize("asked", ["simvlm", "simvlm_plugin", "hidden-name", "tupled"])
def test_asking_for_what_a_failed_plugin_brings_tells_why_it_failed(install, source, asked):
    text = "import sentencepiece_is_missing\n" + source("hidden-name") + source("x", "name, version = 'tupled', 1", "T")
    install("vlpbench-simvlm", "simvlm_plugin", text)
    with pytest.raises(PluginError) as caught:
        load_registry().objective(asked)
    assert "vlpbench-simvlm 0.2" in caught.value.cause
    assert "no module named 'sentencepiece_is_missing'" in caught.value.cause
    assert "pip install sentencepiece-is-missing" in caught.value.remedy
    assert caught.value.exit_code == 3


def test_an_unknown_name_gets_the_nearest_and_the_failures(install):
    with pytest.raises(UserError, match="did you mean 'conv3'"):
        load_registry().stem("conv33")
    install("vlpbench-bad", "bad_plugin", "1 / 0\n")
    with pytest.raises(UserError, match="not loaded: bad_plugin"):
        load_registry().objective("something-else")


def test_a_stem_is_looked_up_by_what_stands_before_the_colon():
    assert load_registry().stem("timm:resnet18.a1_in1k").name == "timm"


def test_what_a_plugin_prints_does_not_spoil_the_output(install, source, capsys):
    install("vlpbench-loud", "loud_plugin", "print('hello')\n" + source("loud"))
    load_registry()
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "hello" in shown.err


def test_a_single_file_needs_no_installation(tmp_path, source):
    path = tmp_path / "my-objective.py"
    path.write_text("from __future__ import annotations\n" + source("from-file"), encoding="utf-8")
    registry = load_registry([path, path])
    assert registry.objective("from-file").name == "from-file"
    assert registry.origin("objective", "from-file").distribution == ""
    assert registry.files == (path,)


@pytest.mark.parametrize(
    ("name", "text", "cause", "remedy"),
    [
        ("no.py", None, "there is no file", "check the path"),
        ("notes.txt", "x = 1", "is no Python file", ""),
        ("bad.py", "from . import x\n", "relative import", "no package around it"),
        ("bad.py", "import beside_me\n", "no module named 'beside_me'", "cannot import its neighbours"),
    ],
)
def test_a_single_file_that_cannot_be_loaded_is_a_report(tmp_path, name, text, cause, remedy):
    (tmp_path / "beside_me.py").write_text("x = 1\n")
    if text is not None:
        (tmp_path / name).write_text(text)
    failure = only(load_registry([tmp_path / name]))
    assert cause in failure.cause
    assert remedy in failure.remedy
    assert failure.asked


def test_observers_are_told_one_by_one(install):
    seen = "seen = []\n@hookimpl\ndef vlpbench_cell_finished(record):\n    seen.append(record)\n    record['x'] = 2\n"
    install("vlpbench-a", "a_watcher", MARK + "vlpbench_cell_finished(record):\n    1 / 0\n")
    install("vlpbench-b", "b_watcher", HOOK + seen)
    registry = load_registry()
    warnings: list[str] = []
    record = {"x": 1}
    registry.tell(record, warnings.append)
    import b_watcher

    assert b_watcher.seen == [{"x": 2}]
    assert record == {"x": 1}
    assert warnings == ["plugin 'a_watcher': vlpbench_cell_finished raised ZeroDivisionError: division by zero"]


def test_what_a_grid_file_may_say_comes_from_the_registry(install, source):
    install("vlpbench-bad", "bad_plugin", "import nothing_there\n")
    known = load_registry().known()
    assert "prefix-lm" in known.objectives
    assert "digits" in known.kinds
    assert known.trunks.keys() >= {"encoder-decoder", "dual"}
    assert known.recipes["simvlm-base"].name == "simvlm-base.toml"
    assert "nothing_there" in known.broken["objective", "bad"][0]
