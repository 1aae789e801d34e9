from __future__ import annotations

import sys

import pytest

from vlpbench.registry import PluginError, load_registry
from vlpbench.registry.find import chosen, installed


@pytest.fixture
def info(tmp_path, install):
    """info(name) is the metadata folder of an installed distribution."""
    return lambda name: tmp_path / "site" / f"{name.replace('-', '_')}-0.2.dist-info"


@pytest.mark.parametrize("name", ["vlpbench-good", "VLPBench_Good", "good-one", " good.one "])
def test_a_plugin_is_left_out_by_either_name_however_it_is_written(install, source, name):
    install("vlpbench-good", "good_plugin", source("good"), point="good-one")
    registry = load_registry(blocked=[name])
    assert "good" not in registry.names("objective")
    assert registry.blocked == (name,)
    assert [(one.name, one.who, one.by) for one in registry.left_out] == [
        ("good-one", "vlpbench-good 0.2", "--no-plugin")
    ]
    assert "good" in load_registry(blocked=["vlpbench-goo"]).names("objective")


@pytest.mark.parametrize(
    ("said", "there"),
    [(None, {"one", "two"}), ("", set()), (" , ", set()), ("one-plug", {"one"}), ("vlpbench_TWO", {"two"}),
     ("vlpbench-two, one_plug", {"one", "two"}), ("nothing", set())],
)
def test_the_variable_names_the_plugins_that_are_loaded(install, source, monkeypatch, said, there):
    install("vlpbench-one", "one_plugin", source("one"), point="one-plug")
    install("vlpbench-two", "two_plugin", source("two"), point="two-plug")
    if said is None:
        monkeypatch.delenv("VLPBENCH_PLUGINS", raising=False)
    else:
        monkeypatch.setenv("VLPBENCH_PLUGINS", said)
    registry = load_registry()
    assert {"one", "two"} & set(registry.names("objective")) == there
    assert len(registry.left_out) == 2 - len(there)
    assert "prefix-lm" in registry.names("objective")


def test_a_file_is_loaded_whatever_the_variable_says(tmp_path, source, monkeypatch):
    monkeypatch.setenv("VLPBENCH_PLUGINS", "")
    (tmp_path / "mine.py").write_text(source("mine"))
    assert "mine" in load_registry([tmp_path / "mine.py"]).names("objective")


def test_asking_for_what_is_left_out_tells_by_whom(install, source, monkeypatch):
    install("vlpbench-good", "good_plugin", source("good"))
    with pytest.raises(PluginError, match=r"objective 'good' is not there: .* is left out by --no-plugin") as caught:
        load_registry(blocked=["vlpbench-good"]).objective("good")
    assert caught.value.remedy == "drop --no-plugin good_plugin"
    monkeypatch.setenv("VLPBENCH_PLUGINS", "")
    registry = load_registry()
    assert "left out by VLPBENCH_PLUGINS" in registry.known().broken["objective", "good"][0]
    with pytest.raises(PluginError, match="left out by VLPBENCH_PLUGINS") as caught:
        registry.require(["vlpbench_good"], "my.toml, plugins")
    assert "unset it" in caught.value.remedy and caught.value.place == "my.toml, plugins"


def test_a_plugin_that_a_grid_requires_is_there_broken_or_not_installed(install, source):
    install("vlpbench-good", "good_plugin", source("good"))
    install("vlpbench-bad", "bad_plugin", "1 / 0\n")
    registry = load_registry()
    registry.require(["vlpbench-good", "good-plugin"])
    with pytest.raises(PluginError, match="ZeroDivisionError"):
        registry.require(["vlpbench-bad"])
    with pytest.raises(PluginError, match="'vlpbench-god' is not installed") as caught:
        registry.require(["vlpbench-god"])
    assert caught.value.remedy == "did you mean 'vlpbench-good'? else pip install vlpbench-god"


def test_leaving_out_one_of_two_rivals_lets_the_other_load(install, source):
    install("vlpbench-one", "one_plugin", source("one"), point="same")
    install("vlpbench-two", "two_plugin", source("two"), point="same")
    registry = load_registry(blocked=["vlpbench-two"])
    assert registry.failures == ()
    assert "one" in registry.names("objective")


@pytest.mark.parametrize(
    ("file", "text", "cause"),
    [
        ("METADATA", "Metadata-Version: 2.1\n", "vlpbench_bad-0.2.dist-info does not say the distribution's Name"),
        ("METADATA", None, "does not say the distribution's Name"),
        ("entry_points.txt", "[vlpbench]\nno value here\n", "vlpbench_bad-0.2.dist-info cannot be read"),
        ("entry_points.txt", "[vlpbench]\nbad = 1 2 3\n", "cannot be read"),
    ],
)
def test_broken_metadata_are_a_report(install, info, source, file, text, cause):
    install("vlpbench-bad", "bad_plugin", source("bad"))
    install("vlpbench-good", "good_plugin", source("good"))
    if text is None:
        (info("vlpbench-bad") / file).unlink()
    else:
        (info("vlpbench-bad") / file).write_text(text)
    registry = load_registry()
    assert "good" in registry.names("objective")
    (failure,) = registry.failures
    assert failure.distribution == "vlpbench-bad" and failure.version == "0.2"
    assert "the metadata are broken" in failure.cause and cause in failure.cause
    assert failure.remedy == "pip install --force-reinstall vlpbench-bad"


def test_a_distribution_that_is_not_ours_may_be_as_broken_as_it_likes(install, info):
    install("other-thing", "other_plugin", "")
    (info("other-thing") / "METADATA").write_text("")
    (info("other-thing") / "entry_points.txt").write_text("[console_scripts]\nnonsense\n")
    assert list(installed()) == []


def test_of_a_distribution_that_is_found_twice_the_first_counts(install, source, tmp_path, monkeypatch):
    install("vlpbench-good", "good_plugin", source("good"))
    older = tmp_path / "older" / "vlpbench_good-0.1.dist-info"
    older.mkdir(parents=True)
    (older / "METADATA").write_text("Metadata-Version: 2.1\nName: vlpbench.good\nVersion: 0.1\n")
    (older / "entry_points.txt").write_text("[vlpbench]\nold = gone\ngood_plugin = gone\n")
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path / "older")])
    assert [(one.name, one.version) for one in installed()] == [("good_plugin", "0.2")]


def test_what_is_chosen_and_what_is_left_out_are_all(install, source):
    for name in ("one", "two", "three"):
        install(f"vlpbench-{name}", f"{name}_plugin", source(name))
    kept, left = chosen(installed(), ["one_plugin"], ["vlpbench-one", "vlpbench-two"])
    assert [one.name for one in kept] == ["two_plugin"]
    assert {one.name: one.by for one in left} == {"one_plugin": "--no-plugin", "three_plugin": "VLPBENCH_PLUGINS"}
    assert "three" in next(one for one in left if one.name == "three_plugin").provides


def test_a_folder_is_no_single_file(tmp_path):
    (failure,) = load_registry([tmp_path]).failures
    assert "is a folder" in failure.cause and "pip install it" in failure.remedy
