"""The package from outside: what vlpbench finds of it, each recipe as settings, and the grid as cells."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest
import vlpbench_contrastive
from vlpbench_contrastive import OBJECTIVES

RECIPES = vlpbench_contrastive.vlpbench_recipes()
NAMES = {"clip", "siglip", "align", "filip", "unicl", "otter", "zerovl", "declip", "alip", "la-clip"}


def vlpbench(*words: str, folder: Path | None = None) -> str:
    """What the command prints; it must end well."""
    ran = subprocess.run(
        [sys.executable, "-m", "vlpbench", *words], capture_output=True, text=True, check=False, cwd=folder
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def test_vlpbench_finds_all_of_it():
    listed = json.loads(vlpbench("plugins", "list", "--json"))["plugins"]
    (ours,) = [plugin for plugin in listed if plugin["distribution"] == "vlpbench-contrastive"]
    brought = {f"objective {cls.name}" for cls in OBJECTIVES} | {f"recipe {name}" for name in NAMES}
    assert set(ours["brings"]) == brought | {"grid contrastive"}


def test_objectives_say_whom_to_cite_and_which_contract_they_keep():
    for cls in OBJECTIVES:
        assert cls.cites, cls.name
        assert cls.api_version == 1
        assert all(not entry.startswith("@") or "eprint" in entry for entry in cls.cites), cls.name


def test_a_module_of_the_package_imports_from_the_plugin_contract_alone():
    for path in Path(vlpbench_contrastive.__file__).parent.glob("*.py"):
        for line in path.read_text(encoding="utf-8").splitlines():
            if line.startswith(("import vlpbench", "from vlpbench")):
                assert line.split()[1].split(".")[0] == "vlpbench_contrastive" or line.split()[1] == "vlpbench.plugin"


def test_there_is_a_recipe_for_each_system():
    assert set(RECIPES) == NAMES


@pytest.mark.parametrize("name", sorted(NAMES))
def test_a_recipe_says_what_is_learnt_by_and_no_more(name):
    told = tomllib.loads(RECIPES[name].read_text(encoding="utf-8"))
    assert told["paper"].startswith("arXiv ")
    settings = told["settings"]
    assert {key.split(".")[0] for key in settings} <= {"objective", "text", "image"}
    assert settings["objective"] in {"contrastive", *(cls.name for cls in OBJECTIVES)}
    assert settings[f"objective.{settings['objective']}.equals"] == "negatives"  # in all papers


@pytest.mark.parametrize("cls", OBJECTIVES, ids=lambda cls: cls.name)
def test_a_recipe_is_its_objective_as_it_is_by_default_but_that_equals_are_negatives(cls):
    settings = tomllib.loads(RECIPES[cls.name].read_text(encoding="utf-8"))["settings"]
    prefix = f"objective.{cls.name}."
    told = {key.removeprefix(prefix): value for key, value in settings.items() if key.startswith(prefix)}
    assert cls.config_class(**told) == replace(cls.config_class(), equals="negatives")


def test_the_package_counts_its_systems_right():
    told = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8"))
    assert told["project"]["description"].startswith("Ten ")
    assert len(RECIPES) == 10


@pytest.fixture(scope="module")
def dry_run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("grid")
    told = vlpbench("run", "grid", "contrastive", "--dry-run", folder=folder)
    return [" ".join(line.split()) for line in told.splitlines()]


def test_the_grid_runs_each_system_on_clean_and_on_noisy_pairs(dry_run):
    assert dry_run[-1].startswith("60 cells: 60 to run")
    for name in NAMES:
        for data in ("digits", "digits-swapped"):
            assert sum(f" to run {name}, {data} seed " in cell for cell in dry_run) == 3


def test_a_recipe_may_be_said_in_a_file_and_on_the_command_line(tmp_path):
    (tmp_path / "mine.toml").write_text(
        'schema = 1\nname = "mine"\nseeds = [0]\ntasks = ["retrieval@zero-shot"]\nfloors = false\n'
        '[base]\nbackbone = "linear/dual/nano"\nrecipe = "unicl"\n'
    )
    (cell, _) = vlpbench("run", "grid", "mine.toml", "--dry-run", folder=tmp_path).splitlines()
    assert "unicl on 36,000 samples" in cell
    shown = vlpbench("config", "show", "mine.toml", "-S", "recipe=la-clip", "--changed", folder=tmp_path)
    (rewrites,) = [line for line in shown.splitlines() if line.startswith("text.rewrites ")]
    assert "true" in rewrites
    assert "recipe la-clip" in rewrites
