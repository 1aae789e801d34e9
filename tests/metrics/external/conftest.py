"""A stand-in for Java: a Python script in a folder of its own, to which JAVA_HOME points."""

from __future__ import annotations

import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

import vlpbench


def gone(number: int, seconds: float = 30) -> bool:
    """Whether the process of this number ends within `seconds`; one that is dead but not yet collected has ended."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            if psutil.Process(number).status() == psutil.STATUS_ZOMBIE:
                return True
        except psutil.NoSuchProcess:
            return True
        time.sleep(0.02)
    return False


@pytest.fixture(autouse=True)
def _looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Java is looked for, as for a user: what is found is a stand-in, or what a test marked "java" asks for."""
    monkeypatch.delenv("VLPBENCH_JAVA", raising=False)


@pytest.fixture
def ends() -> Callable[..., bool]:
    """`gone`, which waits for the end of a process."""
    return gone


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """Put these lines of Python in the place of Java; gives the path of the script."""
    monkeypatch.delenv("_JAVA_OPTIONS", raising=False)

    def put(code: str) -> Path:
        home = tmp_path / "java home"
        (home / "bin").mkdir(parents=True, exist_ok=True)
        script = home / "bin" / "java"
        head = f"#!/bin/sh\n'''exec' '{sys.executable}' -S -E \"$0\" \"$@\"\n' '''\n"
        script.write_text(head + "import json, os, sys, time\n" + textwrap.dedent(code), encoding="utf-8")
        script.chmod(0o755)
        monkeypatch.setenv("JAVA_HOME", str(home))
        return script

    return put


@pytest.fixture
def no_java(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither JAVA_HOME nor the PATH has a `java`."""
    (tmp_path / "empty").mkdir()
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))


@pytest.fixture
def python_path(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another Python finds this very package, from whatever folder it is started."""
    monkeypatch.setenv("PYTHONPATH", str(Path(vlpbench.__file__).parents[1]))
