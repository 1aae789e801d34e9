"""Processes that torchrun started for one cell: the first lives the cell, the others come where it calls them.

The first alone claims the cell, decides, writes and speaks. Before each work that all do together it puts an order into
the store that torchrun keeps; all of them then form a group, work, and part again, so that between two orders every
process is one that is alone. Whoever fails says so in the store and leaves the group: then the others' calls fail, too.
"""

from __future__ import annotations

import contextlib
import json
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from typing import Any

import torch.distributed as dist
from torch._C._distributed_c10d import PrefixStore
from torch.distributed.rendezvous import rendezvous

from vlpbench.config.identity import settings_to_plain
from vlpbench.config.settings import CellSettings
from vlpbench.device import Device
from vlpbench.errors import UserError
from vlpbench.grid import Cell
from vlpbench.runner.cause import cause_of
from vlpbench.runner.torchrun import take_own
from vlpbench.training.pace import Joined, Stopped

__all__ = ["Crew", "RankFailed"]

_GRACE = 3.0
"""Seconds in which a process that somebody waits for can still say what became of it."""
_PATIENCE = 600.0
"""Seconds for which a process that failed is waited for: it may be in a step of its own."""
_LONGEST = timedelta(hours=1)
"""How long a collective call may wait for the others, who may be writing a checkpoint."""


class RankFailed(UserError):
    """Another process of this cell has failed, and with it all of them."""


class Crew:
    """The processes of one run, as one of them sees it."""

    def __init__(self, device: Device) -> None:
        """Find the others. UserError where there are more processes than GPUs on a machine."""
        self.device = device
        self.backend = "gloo" if device.kind == "cpu" else f"cpu:gloo,{device.kind}:nccl"
        take_own(device)
        self.store, self.rank, self.many = next(rendezvous("env://"))
        self._number = 0

    def __enter__(self) -> Crew:
        return self

    def __exit__(self, *error: object) -> None:
        """Let the others go home, if this is the first; a process that has left need not be waited for."""
        if self.rank:
            self.store.set(f"gone/{self.rank}", "")
            return
        self.store.set(f"order/{self._number + 1}", "null")
        others = [f"gone/{rank}" for rank in range(1, self.many)]
        self._waited(lambda: bool(self.store.check(others)), _GRACE)  # it may be this process that keeps the store

    def calling(self, cell: Cell) -> Joined:
        """What the first process's pace says of a cell: the others are called to each work that is done together."""

        @contextlib.contextmanager
        def together(stage: str, settings: CellSettings) -> Iterator[None]:
            self._number += 1
            order = {"cell": cell.id, "stage": stage, "settings": settings_to_plain(settings)}
            self.store.set(f"order/{self._number}", json.dumps(order))
            try:
                with self._met():
                    yield
            except Stopped:
                if callable(signal.getsignal(signal.SIGTERM)):  # what another was asked, this one is asked by that
                    signal.raise_signal(signal.SIGTERM)
                raise
            except Exception as error:
                if (why := self.explained(error)) is error:
                    raise
                raise why from None
            finally:
                ended = [f"{self._number}/ended/{rank}" for rank in range(1, self.many)]
                everybody = self._waited(lambda: self.store.check(ended), _GRACE if self._failed() else _PATIENCE)
            if said := self._cause():
                raise _of_another(said)
            if not everybody:
                raise RankFailed("another process of this cell does not answer", "torchrun", "see what it printed")

        return together

    def order(self) -> dict[str, Any] | None:
        """What the first process calls this one to, waited for; None when it is over."""
        self._number += 1
        key = f"order/{self._number}"
        self._waited(lambda: self.store.check([key]))
        found: dict[str, Any] | None = json.loads(self.store.get(key))
        return found

    @contextlib.contextmanager
    def joining(self, stage: str, settings: CellSettings) -> Iterator[None]:
        """What the pace of all others says: inside, this process is with the others at the work of the last order."""
        with self._met():
            yield

    @contextlib.contextmanager
    def answering(self) -> Iterator[None]:
        """Around all that one of the others does for an order: how it ended is told."""
        try:
            yield
        except BaseException as error:
            self._tell(error)
            raise
        finally:
            self.store.set(f"{self._number}/ended/{self.rank}", "")

    @contextlib.contextmanager
    def _met(self) -> Iterator[None]:
        """Inside, the processes are a group, and an error in one of them is an error in all."""
        here = f"{self._number}/here"
        self.store.add(here, 1)
        everybody = self._waited(
            lambda: self.store.add(here, 0) >= self.many or self._failed(), _LONGEST.total_seconds()
        )
        if said := self._cause():
            raise _of_another(said)
        if not everybody:
            raise RankFailed("another process of this cell does not come", "torchrun", "see what it printed")
        store = PrefixStore(f"{self._number}/group", self.store)
        dist.init_process_group(
            self.backend, store=store, rank=self.rank, world_size=self.many, timeout=_LONGEST
        )
        try:
            with self._watched():
                yield
        except BaseException as error:
            self._tell(error)
            raise
        finally:
            if dist.is_initialized():
                dist.destroy_process_group()  # on a CPU, whoever waits for this process hears of it

    @contextlib.contextmanager
    def _watched(self) -> Iterator[None]:
        """Inside, a GPU's queue that waits for a process that has failed is cut off; a CPU's ends by itself."""
        if self.device.kind == "cpu":
            yield
            return
        over = threading.Event()

        def watch() -> None:
            while not over.wait(1.0):
                if self._failed() and not over.wait(_GRACE):
                    dist.distributed_c10d._abort_process_group()
                    return

        thread = threading.Thread(target=watch, name="ranks", daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def _tell(self, error: BaseException) -> None:
        """The first that fails says why; what fails after it fails because of it."""
        if self.store.add(f"{self._number}/failures", 1) > 1:
            return
        cause, details = cause_of(error)
        told = {name: str(details.get(name, "")) for name in ("remedy", "traceback")}
        said = {"rank": self.rank, "cause": cause, "stopped": isinstance(error, Stopped), **told}
        self.store.set(f"{self._number}/cause", json.dumps(said))

    def _failed(self) -> bool:
        return bool(self.store.check([f"{self._number}/cause"]))

    def _cause(self) -> dict[str, Any] | None:
        """What another process failed of; None where none did, or was only asked to stop."""
        if not self._failed():
            return None
        said: dict[str, Any] = json.loads(self.store.get(f"{self._number}/cause"))
        return None if said["rank"] == self.rank or said["stopped"] else said

    def explained(self, error: Exception) -> Exception:
        """An error of this process, or the one in another process that it comes from."""
        if not (isinstance(error, dist.DistError) or type(error) is RuntimeError):
            return error
        said = self._cause()
        if said is not None and said["cause"] != cause_of(error)[0]:
            return _of_another(said)
        if said is None and _of_the_line(error):
            return RankFailed(
                "another process of this cell has ended without a word", "torchrun",
                "look at what it printed; a system that is out of memory ends processes like that",
            )
        return error

    def _waited(self, done: Callable[[], bool], seconds: float = float("inf")) -> bool:
        """Wait until it is so; False where it still is not after so long."""
        start, pause = time.monotonic(), 0.005
        while not done():
            if time.monotonic() - start > seconds:
                return False
            time.sleep(pause)
            pause = min(0.25, pause * 1.5)
        return True


def _of_another(said: Mapping[str, Any]) -> RankFailed:
    """What another process told of its end, with where that was."""
    error = RankFailed(f"rank {said['rank']} failed: {said['cause']}", "", said["remedy"])
    error.add_note(said["traceback"])
    return error


def _of_the_line(error: Exception) -> bool:
    """Whether an error is one of talking to the other processes."""
    said = str(error)
    return isinstance(error, dist.DistError) or any(word in said for word in ("gloo", "NCCL", "Connection"))
