"""`vlpbench info`: complete, and without any name of a person, user or host."""

from __future__ import annotations

import getpass
import json
import platform
import re
import shutil
from pathlib import Path

import pytest
import torch

from vlpbench.cli.info import anonymous
from vlpbench.cli.main import main


@pytest.fixture
def told(monkeypatch, tmp_path, capsys):
    """What is printed as JSON, with the cache in a user's home."""
    monkeypatch.setenv("HOME", str(tmp_path / "someone"))
    monkeypatch.delenv("VLPBENCH_CACHE", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("VLPBENCH_DATA", str(tmp_path / "someone" / "sets"))
    assert main(["info", "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_it_names_what_a_report_of_a_fault_needs(told):
    assert {"vlpbench", "python", "torch", "timm", "pycocoevalcap"} <= set(told["versions"])
    machine = {"system", "device", "processor", "cores", "threads", "memory", "torch build", "java"}
    assert machine <= set(told["machine"])
    built = f"CUDA {torch.version.cuda}, " if torch.version.cuda else "for processors only"
    assert told["machine"]["torch build"].startswith(f"{torch.__version__}, {built}")
    assert told["versions"]["torch"] and "missing" not in told["versions"].values()
    assert (told["machine"]["java"] == "absent") is (shutil.which("java") is None)
    assert re.fullmatch(r"\d+ GiB", told["folders"]["free in the cache"])
    assert any(one.startswith("vlpbench.objectives") for one in told["plugins"]["loaded"])
    assert told["plugins"]["failed"] == []


def test_the_home_folder_has_no_name(told, tmp_path):
    assert told["folders"]["data"] == "~/sets" and told["folders"]["cache"] == "~/.cache/vlpbench"
    assert "someone" not in json.dumps(told)


def test_broken_plugins_are_told_of(tmp_path, capsys):
    (tmp_path / "broken.py").write_text("1 / 0\n")
    assert main(["-p", str(tmp_path / "broken.py"), "info"]) == 0
    shown = capsys.readouterr().out
    assert "ZeroDivisionError" in shown and shown.startswith("versions\n  vlpbench ")


def test_names_of_user_and_host_in_paths(tmp_path, monkeypatch):
    monkeypatch.setattr(getpass, "getuser", lambda: "alice")
    monkeypatch.setattr(platform, "node", lambda: "snow")
    monkeypatch.setattr(Path, "home", lambda: tmp_path / "alice")
    assert anonymous(f"{tmp_path}/alice/data") == "~/data" and anonymous(f"{tmp_path}/alice") == "~"
    assert anonymous(f"{tmp_path}/alice2/data") == f"{tmp_path}/alice2/data"
    assert anonymous(f"{tmp_path}/snow/alice/data: alice") == f"{tmp_path}/HOST/USER/data: alice"


def test_a_user_without_an_entry(tmp_path, monkeypatch):
    monkeypatch.setattr(getpass, "getuser", lambda: (_ for _ in ()).throw(OSError("no entry")))
    assert anonymous(f"{tmp_path}/alice") == f"{tmp_path}/alice"
