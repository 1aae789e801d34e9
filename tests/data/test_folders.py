"""Where data and caches are looked for."""

from __future__ import annotations

from pathlib import Path

import pytest

from vlpbench.data import folders


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch):
    for name in ("VLPBENCH_DATA", "VLPBENCH_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(folders.sys, "platform", "linux")


def test_cache_is_the_users(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert folders.cache_folder() == tmp_path / ".cache" / "vlpbench"
    monkeypatch.setattr(folders.sys, "platform", "darwin")
    assert folders.cache_folder() == tmp_path / "Library" / "Caches" / "vlpbench"
    monkeypatch.setattr(folders.sys, "platform", "win32")
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "local"))
    assert folders.cache_folder() == tmp_path / "local" / "vlpbench"


def test_xdg_is_honoured_unless_relative(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert folders.cache_folder() == tmp_path / "vlpbench"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    assert folders.cache_folder() == Path.home() / ".cache" / "vlpbench"


def test_own_variables_win(monkeypatch, tmp_path):
    monkeypatch.setenv("VLPBENCH_CACHE", str(tmp_path / "c"))
    assert folders.cache_folder() == tmp_path / "c"
    assert folders.data_root() == tmp_path / "c"
    monkeypatch.setenv("VLPBENCH_DATA", str(tmp_path / "d"))
    assert folders.data_root() == tmp_path / "d"


def test_home_and_relative_names_become_absolute(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("VLPBENCH_DATA", "~/sets")
    assert folders.data_root() == tmp_path / "sets"
    monkeypatch.setenv("VLPBENCH_CACHE", "here")
    assert folders.cache_folder() == Path.cwd() / "here"


def test_nothing_is_made(monkeypatch, tmp_path):
    monkeypatch.setenv("VLPBENCH_CACHE", str(tmp_path / "c"))
    folders.cache_folder()
    assert not (tmp_path / "c").exists()
