"""A process that measures something for this one: it hears and answers over a pipe, and is gone when this is left."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import sys
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from vlpbench.contract.launcher import Place
from vlpbench.data.folders import cache_folder, data_root
from vlpbench.runner.launchers.local import Local

__all__ = ["Child", "folders", "quietly"]


class Child:
    """One process that calls `target(order, pipe)`; entered it runs, left it is ended with all that it has started."""

    def __init__(self, target: Callable[..., None], order: object, name: str, device: str) -> None:
        Local(Place(device)).warm_up()  # the runner's own fork server, which has torch in memory
        context: Any = multiprocessing.get_context("forkserver" if sys.platform.startswith("linux") else "spawn")
        self.pipe: Connection
        """This end of the pipe."""
        self.pipe, self._theirs = context.Pipe()
        self.process: Any = context.Process(target=target, args=(order, self._theirs), name=name)

    def __enter__(self) -> Self:
        self.process.start()
        self._theirs.close()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError, AttributeError):
            os.killpg(self.process.pid, signal.SIGKILL)  # with all that it has started; it may not be a leader yet
        self.process.kill()
        self.process.join()
        self.pipe.close()


def folders() -> dict[str, str]:
    """The variables that name the data and cache folders: a fork server has those of when it was started."""
    return {"VLPBENCH_DATA": str(data_root()), "VLPBENCH_CACHE": str(cache_folder())}


@contextlib.contextmanager
def quietly() -> Any:
    """For the child: signals are its parent's matter, it leads its own group, and all that is printed is lost."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(os, "setsid"):
        os.setsid()
    with Path(os.devnull).open("w") as lost, contextlib.redirect_stdout(lost), contextlib.redirect_stderr(lost):
        yield
