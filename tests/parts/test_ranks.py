"""Rows of several processes together: nothing in one process, and in two the whole with its gradient."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import Tensor

from vlpbench.parts.pairs import same, single
from vlpbench.parts.ranks import gather, many, mine, own, total


def test_in_one_process_all_are_the_identity() -> None:
    rows = torch.randn(3, 2, requires_grad=True)
    assert many() == 1
    assert all(one(rows) is rows for one in (gather, own, mine, total))


ROWS = torch.arange(12.0).reshape(6, 2) / 7
IDS = torch.tensor([5, 1, 2, 2, 5, 9])


def told(rows: Tensor, ids: Tensor) -> dict[str, Tensor]:
    """What a process with these rows makes of them; the gradient is that of the sum of all processes' losses."""
    rows = rows.clone().requires_grad_()
    whole = gather(rows)
    square = whole @ whole.T  # N, N, though each process needs its own rows alone
    (mine(square).sin() * own(rows)[:, :1]).sum().backward()
    assert rows.grad is not None
    return {
        "gradient": rows.grad, "gathered": whole.detach(), "mine": mine(square).detach(), "there": gather(ids > 2),
        "same": same(ids), "single": single(ids), "total": total(own(rows).detach().sum()),
    }


BY_ROW = ("gradient", "mine", "same", "single")


def one_of(rank: int, folder: str) -> None:
    """One of two processes; what it made goes to a file of its own."""
    torch.set_num_threads(1)
    torch.distributed.init_process_group("gloo", f"file://{folder}/meet", rank=rank, world_size=2)
    assert many() == 2
    torch.save(told(ROWS.chunk(2)[rank], IDS.chunk(2)[rank]), f"{folder}/{rank}.pt")
    torch.distributed.destroy_process_group()


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Tensor]]:
    """What two processes made, each of half the rows."""
    folder = tmp_path_factory.mktemp("ranks")
    where = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    started = [subprocess.Popen([sys.executable, __file__, str(rank), str(folder)], env=where) for rank in range(2)]
    assert [one.wait(timeout=240) for one in started] == [0, 0]
    return [torch.load(Path(folder, f"{rank}.pt"), weights_only=True) for rank in range(2)]


def test_two_processes_make_what_one_makes(both: list[dict[str, Tensor]]) -> None:
    whole = told(ROWS, IDS)
    for name, value in whole.items():
        if name in BY_ROW:
            torch.testing.assert_close(torch.cat([one[name] for one in both]), value)
        else:
            assert all(torch.allclose(one[name].double(), value.double()) for one in both), name
    assert both[0]["there"].dtype == torch.bool


def test_a_row_of_one_process_belongs_to_its_likes_in_the_other(both: list[dict[str, Tensor]]) -> None:
    assert both[0]["same"].shape == both[1]["single"].shape == (3, 6)
    assert both[0]["same"][0].tolist() == [True, False, False, False, True, False]
    assert both[1]["single"].nonzero().tolist() == [[0, 3], [1, 4], [2, 5]]


if __name__ == "__main__":  # a process of its own, started above
    one_of(int(sys.argv[1]), sys.argv[2])
