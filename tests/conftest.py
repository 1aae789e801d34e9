"""What every test may rely on: one thread, a cache folder of its own, and a reason where something is missing."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

os.environ["OMP_NUM_THREADS"] = "1"  # before torch or numpy is imported, and for every process that a test starts

os.environ["VLPBENCH_JAVA"] = "none"  # METEOR takes seconds to start: only tests marked "java" have it


@pytest.fixture(autouse=True)
def _java(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests that are marked "java" find Java where there is one."""
    if request.node.get_closest_marker("java"):
        monkeypatch.delenv("VLPBENCH_JAVA")


@pytest.fixture(autouse=True, scope="session")
def _cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No test reads or writes the user's cache; all tests of a session share one."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VLPBENCH_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    """Where a test has imported torch, it computes with one thread, as cells on a CPU do."""
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(1)


@pytest.fixture(scope="session")
def data_root() -> Path:
    """The folder of real data sets (VLPBENCH_DATA); the test is skipped where there is none."""
    named = os.environ.get("VLPBENCH_DATA", "")
    if not named:
        pytest.skip("VLPBENCH_DATA is not set: no real data to test on")
    root = Path(named)
    if not root.is_dir():
        pytest.fail(f"VLPBENCH_DATA names {named!r}, which is not a folder")
    return root


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip what this machine cannot run, and say why."""
    if item.get_closest_marker("java") and not shutil.which("java"):
        pytest.skip("no Java runtime here")
    if item.get_closest_marker("gpu"):
        torch = pytest.importorskip("torch")
        if not torch.cuda.is_available():
            pytest.skip("no CUDA device here")
