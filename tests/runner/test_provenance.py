"""What a record says of where it is from: enough to tell runs apart, and nobody's name."""

from __future__ import annotations

import json
import platform
import re
import subprocess
import time
from datetime import UTC, datetime
from pathlib import Path

import numpy
import pytest
import torch

import vlpbench
from vlpbench.device import Device, environment
from vlpbench.registry import load_registry
from vlpbench.runner.provenance import of_device, provenance, unnamed

USER, HOST = "annabel", "annabels-tower"


@pytest.fixture(scope="module")
def registry():
    return load_registry()


@pytest.fixture
def nobody(monkeypatch, tmp_path):
    """A person with a home folder of her name, at a machine with a name; the working folder is inside."""
    home = tmp_path / "people" / USER
    (home / "paper").mkdir(parents=True)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("LOGNAME", USER)
    monkeypatch.setattr(platform, "node", lambda: f"{HOST}.example.org")
    monkeypatch.chdir(home / "paper")
    return home


def git(folder: Path, *words: str) -> str:
    names = ["-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "init.defaultBranch=main"]
    return subprocess.run(["git", *names, *words], cwd=folder, capture_output=True, text=True, check=True).stdout


def said(*words: str, registry) -> str:
    command: str = provenance(words, None, registry)["command"]
    return command


def test_versions_are_those_that_are_installed(registry):
    found = provenance(["vlpbench"], None, registry)
    assert found["versions"]["vlpbench"] == vlpbench.__version__
    assert found["versions"]["python"] == platform.python_version()
    assert found["versions"]["numpy"] == numpy.__version__
    assert {"torch", "torchvision", "timm", "pandas", "tokenizers", "pyarrow", "scikit-learn"} <= set(found["versions"])


def test_it_is_in_universal_time(registry):
    started = provenance(["vlpbench"], None, registry)["started"]
    then = datetime.strptime(started, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    assert abs((datetime.now(UTC) - then).total_seconds()) < 60


def test_plugins_of_distributions_have_a_version_and_single_files_a_hash(tmp_path):
    text = "from vlpbench.plugin import hookimpl\n@hookimpl\ndef vlpbench_objectives():\n    return []\n"
    (tmp_path / "mine.py").write_text(text)
    found = provenance(["vlpbench"], None, load_registry([tmp_path / "mine.py"]))["plugins"]
    assert re.fullmatch(r"sha256 [0-9a-f]{12}", found["mine.py"])
    assert "vlpbench" not in found


def test_paths_of_the_command_begin_in_the_working_folder(nobody, registry):
    here = Path.cwd()
    assert said("vlpbench", "run", f"{here}/grids/a.toml", registry=registry) == "vlpbench run grids/a.toml"
    assert said(f"--results={here}/out", registry=registry) == "--results=out"
    assert said("-S", f'data.root="{here}/coco"', registry=registry) == "-S 'data.root=\"coco\"'"
    assert said("grids/a.toml", "seeds=[0,1]", "a/b", registry=registry) == "grids/a.toml seeds=[0,1] a/b"
    assert said("https://example.org/x", registry=registry) == "https://example.org/x"


def test_a_path_elsewhere_is_cut_to_its_name(nobody, registry):
    assert said("/usr/local/bin/vlpbench", registry=registry) == "…/vlpbench"
    assert said("--data=/usr/share/coco", registry=registry) == "--data=…/coco"
    assert said("-p/big/mine.py", "-S", "-3", registry=registry) == "-p…/mine.py -S -3"
    assert said("/a b/c d", registry=registry) == "'…/c d'"
    assert said("x=[/big/one,/big/two]", registry=registry) == "x=[…/one,…/two]"
    assert said("~/data/coco", f"{nobody}/data", registry=registry) == "…/coco …/data"


def test_nobody_is_named(nobody, tmp_path, registry, monkeypatch):
    (nobody / "paper" / f"{USER}.toml").write_text("")
    monkeypatch.chdir(tmp_path)
    command = [
        f"{nobody}/bin/vlpbench", "run", "grid", f"{nobody}/paper/{USER}.toml", "-p", f"people/{USER}/mine.py",
        "-S", f'data.root="{nobody}/d"', f"--note=run by {USER} on {HOST.upper()}", str(nobody), f"~{USER}/x",
        f"-p{nobody}/q.py", f"file://{nobody}/x",
    ]
    found = {**provenance(command, nobody / "paper" / f"{USER}.toml", registry), **of_device(Device("cpu"))}
    text = json.dumps(found, ensure_ascii=False).lower()
    assert USER not in text and HOST not in text and str(nobody).lower() not in text
    assert "run by user on host" in text


def test_a_text_loses_names_but_no_words(nobody):
    text = f'File "{nobody}/x.py", line 3\n{USER} at {HOST}: annabelle, {Path.home()}2/y'
    assert unnamed(text) == f'File "~/x.py", line 3\nUSER at HOST: annabelle, {nobody.parent}/annabel2/y'
    assert unnamed("data.root = 'x'") == "data.root = 'x'"


def test_the_machine_is_told_apart_without_its_name(nobody, monkeypatch):
    mine = of_device(Device("cpu"))
    assert re.fullmatch(r"[0-9a-f]{12}", mine["host"]) and mine == of_device(Device("cpu"))
    monkeypatch.setattr(platform, "node", lambda: "another")
    assert of_device(Device("cpu"))["host"] != mine["host"]
    assert {**mine, "host": ""} == {**environment(Device("cpu")), "host": ""}
    assert mine["torch"] == torch.__version__


def test_the_commit_of_the_grids_repository_and_whether_it_is_dirty(tmp_path, registry):
    grid = tmp_path / "grids" / "a.toml"
    grid.parent.mkdir()
    grid.write_text("schema = 1\n")
    git(tmp_path, "init")
    assert "grid" not in provenance(["x"], grid, registry).get("git", {}), "a repository without a commit"
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-m", "one")
    commit = git(tmp_path, "rev-parse", "HEAD").strip()
    assert provenance(["x"], grid, registry)["git"]["grid"] == {"commit": commit, "dirty": False}
    (tmp_path / "grids" / "notes.txt").write_text("no number hangs on it")
    assert not provenance(["x"], grid, registry)["git"]["grid"]["dirty"]
    (tmp_path / "grids" / "mine.py").write_text("")
    assert provenance(["x"], grid, registry)["git"]["grid"]["dirty"]


def test_without_git_or_repository_there_is_no_commit(tmp_path, registry, monkeypatch):
    (tmp_path / "a.toml").write_text("")
    assert "grid" not in provenance(["x"], tmp_path / "a.toml", registry).get("git", {})
    assert "grid" not in provenance(["x"], tmp_path / "missing.toml", registry).get("git", {})
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "git" not in provenance(["x"], tmp_path / "a.toml", registry)


def test_it_takes_less_than_a_third_of_a_second(tmp_path, registry):
    (tmp_path / "a.toml").write_text("")
    provenance(["x"], None, registry)
    start = time.perf_counter()
    provenance(["x"], tmp_path / "a.toml", registry)
    of_device(Device("cpu"))
    assert time.perf_counter() - start < 0.3
