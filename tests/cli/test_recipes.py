"""`recipes list` and `recipes info`, with those that a plugin brings."""

from __future__ import annotations

from pathlib import Path

import pytest

from vlpbench.cli.main import main
from vlpbench.cli.recipes import meaning_of
from vlpbench.registry import load_registry

PLUGIN = """
from pathlib import Path
from vlpbench.plugin import hookimpl

@hookimpl
def vlpbench_recipes():
    return {"mine": Path(__file__).with_name("mine.toml")}
"""
RECIPE = 'description = "Mine"\npaper = "arXiv 0000.00000"\n[settings]\nobjective = "contrastive"\noptim.lr = 0.5\n'


@pytest.fixture
def plugin(tmp_path: Path) -> list[str]:
    (tmp_path / "my_recipes.py").write_text(PLUGIN)
    (tmp_path / "mine.toml").write_text(RECIPE)
    return ["-p", str(tmp_path / "my_recipes.py")]


def test_list(plugin, capsys):
    assert main([*plugin, "recipes", "list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    (mine,) = [line for line in lines if line.startswith("mine ")]
    assert "Mine  (arXiv 0000.00000; my_recipes.py)" in mine
    assert any(line.startswith("simvlm-small ") for line in lines)


def test_info(plugin, capsys):
    assert main([*plugin, "recipes", "info", "mine"]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("mine: Mine\npaper: arXiv 0000.00000; brought by my_recipes.py\n\n")
    assert "optim.lr = 0.5             Highest learning rate.\n" in shown
    assert shown.endswith('    [base]\n    recipe = "mine"\n')


@pytest.mark.parametrize("name", load_registry().names("recipe"))
def test_every_setting_of_our_own_recipes_is_explained(name, capsys):
    assert main(["recipes", "info", name]) == 0
    lines = [line for line in capsys.readouterr().out.splitlines() if " = " in line and "recipe =" not in line]
    assert lines and all("  " in line for line in lines)


def test_an_unknown_one_names_the_nearest(plugin, capsys):
    assert main([*plugin, "recipes", "info", "simvlm-smal"]) == 2
    assert "did you mean 'simvlm-small'?" in capsys.readouterr().err


def test_meanings_come_from_the_config_classes():
    known = load_registry().known()
    assert meaning_of("objective", known).startswith("A weighted sum")
    assert meaning_of("protocol.captioning@zero-shot.beams", known).startswith("Captioning: beams")
    assert meaning_of("objective.prefix-lm.shortest", known)
    assert meaning_of("trunk.dual.text_norm", known)
    assert meaning_of("nothing.at.all", known) == meaning_of("objective.nothing.x", known) == ""
