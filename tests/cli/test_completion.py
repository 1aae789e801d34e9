"""Shell completion: what is offered, that it is light, and that the stand-ins are true to the commands."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.shell_completion import ShellComplete

from vlpbench.cli.main import cli, main
from vlpbench.cli.stand_in import VARIABLE, outline_of

HEAVY = {"torch", "numpy", "pandas", "pydantic", "timm", "sklearn", "vlpbench.registry.load", "vlpbench.runner"}


@pytest.fixture(scope="module", autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A cache folder of its own, with the outline in it."""
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VLPBENCH_CACHE", str(folder))
        outline_of(cli)
        yield folder


@pytest.fixture
def offered(monkeypatch):
    """(words typed, unfinished word) -> what is offered."""
    monkeypatch.setenv(VARIABLE, "bash_complete")

    def ask(typed: str, begun: str = "") -> list[str]:
        found = ShellComplete(cli, {}, "vlpbench", VARIABLE).get_completions(typed.split(), begun)
        return [one.value if one.type == "plain" else f"<{one.type}>" for one in found]

    return ask


@pytest.mark.parametrize(
    ("typed", "begun", "found"),
    [
        ("", "pl", ["plugins"]),
        ("run", "", ["cell", "grid", "score"]),
        ("run grid", "dem", ["demo"]),
        ("run grid demo", "--dry", ["--dry-run"]),
        ("run grid demo --device", "c", ["cpu", "cuda"]),
        ("run grid demo -S", "optim.wa", ["optim.warmup"]),
        ("run grid demo -S", "objective.prefix-lm.", ["objective.prefix-lm.shortest"]),
        ("data show demo --row", "pre", ["prefix-lm"]),
        ("data show --task", "vqa@d", ["vqa@decoder"]),
        ("data show --task", "retrieval@match", ["retrieval@match", "retrieval@match@zero-shot"]),
        ("report table results/demo --metric", "CI", ["CIDEr"]),
        ("report table --beside", "flops,im", ["flops,image_tokens"]),
        ("report table", "", ["<file>"]),
        ("run grid --results", "", ["<dir>"]),
        ("run grid", "nothing-is-called-so", ["<file>"]),
        ("recipes info", "simvlm-sm", ["simvlm-small"]),
        ("completion", "", ["bash", "zsh", "fish"]),
        ("data show nowhere.toml --row", "", []),
    ],
)
def test_what_is_offered(typed, begun, found, offered):
    assert offered(typed, begun) == found


def test_grid_files_and_their_rows(offered, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("mine.toml").write_text("[[rows]]\nname = 'ours'\n[[rows]]\nname = 'two words'\n[[rows]]\nblind = true\n")
    Path("broken.toml").write_text("[[rows")
    assert offered("run grid", "mi") == ["mine.toml"]
    assert offered("run grid", f"{tmp_path}/m") == [f"{tmp_path}/mine.toml"]
    assert offered("config show mine.toml --row", "") == ["ours"]
    assert offered("config show broken.toml --row", "") == []


def test_stand_ins_are_true_to_the_commands(monkeypatch):
    real = {name: cli.load(name) for name in cli.homes}
    monkeypatch.setenv(VARIABLE, "bash_complete")
    context = click.Context(cli)
    for name, command in real.items():
        light = cli.get_command(context, name)
        assert light is not None and light is not command
        pairs = [(light, command)]
        for below, one in getattr(command, "commands", {}).items():
            pairs.append((light.commands[below], one))
        for mine, other in pairs:
            assert [one.opts for one in mine.params if isinstance(one, click.Option)] == [
                [*one.opts] for one in other.params if isinstance(one, click.Option)
            ]
            assert len(mine.params) == len(other.params)


def test_completing_imports_nothing_heavy(cache):
    env = {**os.environ, VARIABLE: "bash_complete", "COMP_WORDS": "vlpbench run grid --", "COMP_CWORD": "3"}
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "vlpbench"], capture_output=True, text=True, env=env, timeout=120,
        check=False,
    )
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines() if line.startswith("import time:")}
    assert "plain,--dry-run" in done.stdout
    assert not imported & HEAVY


def test_a_changed_command_makes_the_outline_anew(cache, monkeypatch):
    (kept,) = cache.glob("completion-*.json")
    monkeypatch.setattr("vlpbench.cli.stand_in._state", lambda: "other")
    assert outline_of(cli)["words"]["grid"]
    assert [path.name for path in cache.glob("completion-*.json")] == ["completion-other.json"]
    (cache / "completion-other.json").write_text("{")
    assert outline_of(cli)["commands"]["run"]["commands"]["grid"], "a damaged one is made anew"
    (cache / "completion-other.json").rename(kept)


def test_a_cache_that_cannot_be_written_breaks_nothing(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("VLPBENCH_CACHE", str(tmp_path / "file" / "below"))
    assert outline_of(cli)["words"]["grid"]


@pytest.mark.parametrize(("shell", "word"), [("bash", "complete -o"), ("zsh", "#compdef"), ("fish", "complete")])
def test_scripts(shell, word, capfd):
    assert main(["completion", shell]) == 0
    shown = capfd.readouterr().out
    assert word in shown and VARIABLE in shown and "vlpbench" in shown


def test_an_unknown_shell_is_refused(capsys):
    assert main(["completion", "csh"]) == 2
    assert "'bash', 'zsh', 'fish'" in capsys.readouterr().err
