"""What torchrun says of a process: one of several, with a GPU of its own; a whole grid is refused."""

from __future__ import annotations

import pytest

from vlpbench.cli.main import main
from vlpbench.device import Device
from vlpbench.errors import UserError
from vlpbench.runner.torchrun import refuse_processes, started_together, take_own


def started_as(monkeypatch: pytest.MonkeyPatch, **said: str) -> None:
    for name, value in {"RANK": "0", "WORLD_SIZE": "3", "MASTER_ADDR": "localhost", "MASTER_PORT": "1", **said}.items():
        monkeypatch.setenv(name, value)


def test_a_grid_is_not_run_by_processes_of_one_cell(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    started_as(monkeypatch)
    assert started_together() == 3
    with pytest.raises(UserError, match="torchrun started 3 processes") as refused:
        refuse_processes()
    assert "run cell GRID ID" in refused.value.remedy
    assert main(["run", "grid", "demo", "--dry-run"]) != 0
    assert "torchrun started 3 processes" in capsys.readouterr().err


@pytest.mark.parametrize("missing", ["RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT"])
def test_one_alone_is_not_asked(monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    started_as(monkeypatch)
    monkeypatch.delenv(missing)
    assert started_together() == 1
    refuse_processes()


def test_each_process_has_a_gpu_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    started_as(monkeypatch, LOCAL_RANK="2")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    with pytest.raises(UserError, match="process 3 of this machine has no GPU of its own: there are 0"):
        take_own(Device("cuda"))
