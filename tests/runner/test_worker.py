"""A child process: what it does when nobody listens any more."""

from __future__ import annotations

import subprocess
import sys

ALONE = """
import multiprocessing
from vlpbench.runner.events import Event
from vlpbench.runner.worker import _say

mine, theirs = multiprocessing.Pipe(duplex=False)
_say(theirs, Event("started", "a"))
print(mine.recv().what, flush=True)
mine.close()
_say(theirs, Event("done", "a"))
print("went on", flush=True)
"""


def test_a_child_whose_parent_is_gone_ends_without_a_word() -> None:
    done = subprocess.run([sys.executable, "-c", ALONE], capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["started"], done.stderr
    assert done.returncode == 1
