"""A grid on a GPU: cut off and gone on with, it comes to the numbers of one that was left alone, within tolerance."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import vlpbench as package
from vlpbench.results import load

pytestmark = pytest.mark.gpu

SETTINGS = (
    "seeds=[0]", "budget.samples=4096", "budget.batch=64", "backbone=linear/encoder-decoder/nano", "text.length=16",
    "data.digits.train=200", "data.digits.val=40", "data.digits.test=40", "protocol.vqa.samples=512",
    "protocol.captioning.samples=256", "protocol.retrieval.samples=256",
)
TOLERANCE = 5.0
"""Points of a score: kernels of a GPU add up in any order, and training magnifies the last bit."""


def started(results: Path) -> subprocess.Popen[bytes]:
    where = str(Path(package.__path__[0]).parent)
    options = [word for one in SETTINGS for word in ("-S", one)]
    return subprocess.Popen(
        [sys.executable, "-m", "vlpbench", "run", "grid", "demo", "--device", "cuda", "--slots-per-gpu", "2",
         "--checkpoint-every", "0.2", "--results", str(results), *options],
        env={**os.environ, "PYTHONPATH": where}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def test_a_killed_run_comes_to_the_same_within_tolerance(tmp_path: Path) -> None:
    assert started(tmp_path / "alone").wait(600) == 0
    for seconds in (12.0, 15.0, 18.0):
        run = started(tmp_path / "cut")
        time.sleep(seconds)
        run.send_signal(signal.SIGKILL)
        run.wait()
    assert started(tmp_path / "cut").wait(600) == 0
    one, two = (load(tmp_path / name / "demo").frame.set_index(["row", "task", "metric"]) for name in ("alone", "cut"))
    scores = one[["value"]].join(two[["value"]], rsuffix="_cut").dropna()
    percent = scores[scores.index.get_level_values("metric").isin(["accuracy", "TR@10", "IR@10"])]
    assert len(percent) > 3
    assert (percent["value"] - percent["value_cut"]).abs().max() < TOLERANCE
