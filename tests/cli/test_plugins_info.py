from __future__ import annotations

import json

import pytest

from vlpbench.cli.main import main

CONFIG = '''
from dataclasses import dataclass

@dataclass(frozen=True)
class Config:
    steps: int
    """How many; there is no default."""
    rate: float = 0.5
    """Share of words that are said, 0 to 1."""
'''


def test_an_objective_of_ours(capsys):
    assert main(["plugins", "info", "prefix-lm"]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("prefix-lm: objective of vlpbench 0.1.0, version 1\n")
    assert "prefix_lm.py, line " in shown and "sha256" in shown
    assert "    needs             context, decode  The abilities that `encode` calls." in shown
    assert "    shortest  1  Tokens of the shortest prefix" in shown
    assert '    [base]\n    objective = "prefix-lm"\n' in shown and "[objective.prefix-lm]" in shown


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("timm", 'backbone = "timm:resnet18/encoder-decoder/nano"'), ("dual", 'backbone = "linear/dual/nano"'),
        ("digits", '[data.mine]\n    kind = "digits"'), ("demo", "vlpbench run grid demo"),
        ("simvlm-small", 'recipe = "simvlm-small"'), ("local", "vlpbench run grid demo --launcher local"),
    ],
)
def test_how_a_grid_names_what_is_ours(capsys, name, said):
    assert main(["plugins", "info", name]) == 0
    assert said in capsys.readouterr().out


def test_settings_of_a_strangers_objective_with_meaning_and_default(tmp_path, texts, capsys):
    text = texts["good"].replace("api_version = 1", "config_class = Config")
    (tmp_path / "mine.py").write_text(text.replace("class Mine", f"{CONFIG}\nclass Mine"))
    assert main(["-p", str(tmp_path / "mine.py"), "plugins", "info", "half-said"]) == 0
    shown = capsys.readouterr().out
    assert "steps  must be set: a whole number  How many; there is no default." in shown
    assert "rate   0.5                          Share of words that are said, 0 to 1." in shown
    assert 'plugins = ["mine.py"]' in shown and 'objective = "half-said"' in shown
    assert main(["-p", str(tmp_path / "mine.py"), "plugins", "info", "half-said", "--json"]) == 0
    (one,) = json.loads(capsys.readouterr().out)["components"]
    assert [setting.get("default") for setting in one["settings"]] == [None, 0.5]
    assert one["settings"][0].keys() == {"name", "kind", "meaning"}
    assert one["said"][0] == 'plugins = ["mine.py"]' and len(one["sha256"]) == 64


@pytest.mark.parametrize("name", ["half", "vlpbench-half", "VLPBench_Half"])
def test_a_plugin_by_either_name(site, texts, capsys, name):
    folder = site("vlpbench-half", texts["good"], "half")
    assert main(["plugins", "info", name]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("half: plugin of vlpbench-half 0.2\n  status  loaded\n  api     1\n")
    assert "hooks   vlpbench_objectives" in shown and "brings  objective half-said" in shown
    assert str(folder / "vlpbench_half.py") in shown


def test_a_distribution_of_many_plugins(capsys):
    assert main(["plugins", "info", "vlpbench", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert {"vlpbench.objectives", "vlpbench.grids"} <= {one["name"] for one in found["plugins"]}


@pytest.mark.parametrize("name", ["simvlm", "vlpbench-simvlm", "vlpbench_simvlm"])
def test_what_is_broken_is_its_failure(site, texts, capsys, name):
    site("vlpbench-simvlm", texts["broken"])
    assert main(["plugins", "info", name]) == 3
    shown = capsys.readouterr().out
    assert shown.startswith("vlpbench_simvlm (vlpbench-simvlm 0.2): failed\n  cause: no module named")
    assert "  to do: pip install no-such-thing-here" in shown
    assert main(["plugins", "info", name, "--json"]) == 3
    assert json.loads(capsys.readouterr().out)["failures"][0]["status"] == "failed"


def test_ours_comes_before_who_wanted_its_name(site, texts, capsys):
    site("vlpbench-thief", texts["thief"])
    assert main(["plugins", "info", "prefix-lm"]) == 0
    shown = capsys.readouterr().out
    assert shown.index("prefix-lm: objective of vlpbench") < shown.index("'prefix-lm' of vlpbench_thief")


def test_what_is_left_out_says_by_whom(site, texts, capsys):
    site("vlpbench-half", texts["good"], "half")
    for name in ("half", "half-said"):
        assert main(["--no-plugin", "half", "plugins", "info", name]) == 0
        assert "left out" in capsys.readouterr().out


def test_an_unknown_name_gets_the_nearest(capsys):
    assert main(["plugins", "info", "prefix-ln"]) == 2
    assert "did you mean 'prefix-lm'?" in capsys.readouterr().err
