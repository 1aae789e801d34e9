"""Two processes with half of a batch each have the losses and gradients of the whole, whatever fields are wanted."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest

NAMES = ("siglip", "align", "unicl", "zerovl", "alip")
HALF = Path(__file__).with_name("half.py")


@pytest.fixture(scope="module")
def in_one():
    """name -> what this process says of the whole batch."""
    found = importlib.util.spec_from_file_location("half", HALF)
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return {name: module.losses_and_gradients(name, 0, 1) for name in NAMES}


@pytest.fixture(scope="module")
def in_two(tmp_path_factory):
    """name -> what both say, one after the other."""
    meeting = tmp_path_factory.mktemp("processes") / "meeting"
    commands = [[sys.executable, str(HALF), str(rank), "2", str(meeting), *NAMES] for rank in (0, 1)]
    running = [
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for command in commands
    ]
    told = [process.communicate(timeout=120) for process in running]
    assert [process.returncode for process in running] == [0, 0], told
    first, second = (json.loads(out) for out, _ in told)
    return {name: {key: first[name][key] + second[name][key] for key in first[name]} for name in NAMES}


@pytest.mark.parametrize("name", NAMES)
def test_two_halves_are_the_whole(name, in_one, in_two):
    whole, halves = in_one[name], in_two[name]
    assert whole.keys() == halves.keys()
    assert halves["losses"] == pytest.approx(whole["losses"], rel=1e-5)
    for key in whole.keys() - {"losses"}:
        for one, other in zip(whole[key], halves[key], strict=True):
            assert other == pytest.approx(one, rel=1e-4, abs=1e-6)
