from __future__ import annotations

import subprocess
import sys

import pytest
from click.testing import CliRunner

import vlpbench
from vlpbench.cli.main import GROUPS, cli, main

HEAVY = {"torch", "numpy", "pandas", "pydantic", "timm", "PIL", "sklearn", "vlpbench.registry.load", "vlpbench.config"}


def python(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *words], capture_output=True, text=True, timeout=120, check=False)


def imported(said: str) -> set[str]:
    """Names of modules in what -X importtime says."""
    return {line.rpartition("|")[2].strip() for line in said.splitlines() if line.startswith("import time:")}


@pytest.mark.parametrize("words", [["--help"], ["--version"], []])
def test_help_is_light(words):
    done = python("-X", "importtime", "-m", "vlpbench", *words)
    assert "vlpbench" in done.stdout + done.stderr
    assert not imported(done.stderr) & HEAVY
    assert "vlpbench.cli.main" in imported(done.stderr)


def test_importing_the_package_imports_nothing_else():
    done = python("-X", "importtime", "-c", "import vlpbench; print(vlpbench.__version__, dir(vlpbench))")
    assert done.stdout.startswith(vlpbench.__version__)
    assert not imported(done.stderr) & (HEAVY | {"click", "pluggy"})


def test_public_names_are_loaded_on_first_use():
    assert vlpbench.load_registry().objective("none").name == "none"
    assert "load" in dir(vlpbench.results)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = vlpbench.nothing


def test_help_teaches_commands_and_exit_codes(capsys):
    assert main(["--help"]) == 0
    shown = capsys.readouterr().out
    for word in [*GROUPS, "vlpbench run grid my-grid.toml", "130  interrupted", "VLPBENCH_DATA"]:
        assert word in shown


@pytest.mark.parametrize("group", list(GROUPS))
def test_every_group_and_command_can_be_loaded_and_explains_itself(group, capsys):
    context = cli.make_context("vlpbench", [group, "--help"])
    found = cli.get_command(context, group)
    for command in [found, *getattr(found, "commands", {}).values()]:
        assert command.help
        for option in command.params:
            assert option.param_type_name == "argument" or option.help, (command.name, option.name)


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["plugin"], 2, "No such command 'plugin'"),
        (["plugins", "lst"], 2, "Did you mean 'list'?"),
        (["run", "grid", "--dryrun"], 2, "No such option"),
        (["run", "grid", "dmeo", "--dry-run"], 2, "did you mean 'demo'?"),
        (["run", "grid", "--dry-run", "-S", "optim.lrr=1"], 2, "did you mean 'optim.lr'?"),
        (["grid", "show", "nowhere.toml"], 2, "there is no grid file nowhere.toml"),
        (["run", "cell", "demo", "zzz"], 4, "there is no cell 'zzz'"),
        (["report", "table", "nowhere"], 2, "nowhere"),
        (["data", "show", "demo", "--row", "prefixlm"], 2, "did you mean 'prefix-lm'?"),
    ],
)
def test_mistakes_end_in_words_and_a_code(words, code, said, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(words) == code
    shown = capsys.readouterr()
    assert said in shown.err
    assert shown.out == ""
    assert "Traceback" not in shown.err


def test_a_broken_plugin_that_was_asked_for_ends_with_3(tmp_path, capsys):
    (tmp_path / "broken.py").write_text("1 / 0\n")
    assert main(["-p", str(tmp_path / "broken.py"), "run", "grid", "--dry-run"]) == 3
    assert "ZeroDivisionError" in capsys.readouterr().err


def test_ctrl_c_ends_with_130(tmp_path, capsys):
    (tmp_path / "slow.py").write_text("raise KeyboardInterrupt\n")
    assert main(["-p", str(tmp_path / "slow.py"), "plugins", "list"]) == 130
    assert "Interrupted" in capsys.readouterr().err


@pytest.mark.parametrize("verbose", [[], ["-v"]])
def test_the_unforeseen_is_one_line_and_a_traceback_on_demand(verbose, tmp_path, capsys):
    grid = tmp_path / "small.toml"
    grid.write_text("[data.digits]\ntrain = 40\nval = 8\ntest = 8\n[budget]\nbatch = 8\n")
    assert main([*verbose, "data", "show", str(grid), "--out", str(grid / "inside-a-file.png")]) == 1
    shown = capsys.readouterr().err
    assert "Error: unforeseen" in shown
    assert ("Traceback" in shown) is bool(verbose)
    assert ("vlpbench -v" in shown) is not bool(verbose)


def test_the_runner_of_click_sees_the_same(tmp_path):
    assert CliRunner().invoke(cli, ["--version"]).output == f"vlpbench, version {vlpbench.__version__}\n"
