"""The launchers that come with vlpbench; they register through the same hook as a stranger's."""

from __future__ import annotations

from vlpbench.plugin import Launcher, hookimpl
from vlpbench.runner.launchers.local import Local
from vlpbench.runner.launchers.printing import Printing

__all__ = ["vlpbench_launchers"]


@hookimpl
def vlpbench_launchers() -> list[type[Launcher]]:
    """Where cells can run."""
    return [Local, Printing]
