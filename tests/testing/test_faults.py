"""Deliberately wrong plugins: each is a sound one with a few words changed, and each is named by the right check.

The check must pass on the sound file and fail on the wrong one, with a remedy and a line of that file.
"""

from __future__ import annotations

import functools
import re
import tomllib
from pathlib import Path

import pytest

from tests.testing.faulty import SOUND
from vlpbench.registry.find import single_files
from vlpbench.testing import check_objective

FAULTS = tomllib.loads(Path(__file__).with_name("faults.toml").read_text(encoding="utf-8"))
"""Fault -> `in` which sound file, `old` words that are changed, `new` ones, and the `check` that must name it."""


@functools.cache
def passes(source, check, folder):
    """Whether the sound file passes a check (a listed reason to skip it is fine); asked once."""
    (found,) = check_objective(loaded(SOUND[source], f"sound_{source}", folder), only=[check])
    return found.state != "failed"


def loaded(text, name, folder):
    """The objective of a file that is loaded as `-p FILE.py` loads it."""
    path = folder / f"{name}.py"
    path.write_text(text, encoding="utf-8")
    (source,) = single_files([path])
    return source.load().Mine


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("faults")


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_named_by_the_right_check(fault, folder, monkeypatch):
    source, old, new, check = (FAULTS[fault][key] for key in ("in", "old", "new", "check"))
    monkeypatch.chdir(folder)
    assert SOUND[source].count(old) >= 1, "the sound file has changed"
    assert passes(source, check, folder)
    name = re.sub(r"\W", "_", fault)
    (found,) = check_objective(loaded(SOUND[source].replace(old, new, 1), name, folder), only=[check])
    assert found.state == "failed", f"{check} passed: {found.told}"
    assert found.remedy and found.place.startswith(f"{name}.py:"), found
