"""Stages that cells share: one makes it, the others wait for it, in whichever process or run they are."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from vlpbench.records import Claims, StageFolder
from vlpbench.training.pace import Stopped, never

__all__ = ["CLAIMS", "Sharing"]

CLAIMS = "claims"
"""The folder of claims in a grid's results."""


class Sharing:
    """A grid's results, and who makes which stage of them right now."""

    def __init__(
        self, results: Path, stop: Callable[[], bool] = never, waits: Callable[[str], None] = lambda said: None
    ) -> None:
        self.results, self.stop, self.waits = results, stop, waits
        self.claims = Claims(results / CLAIMS)

    @contextmanager
    def held(self, stage: StageFolder | None, among: int = 1) -> Iterator[None]:
        """Inside, a stage that is not there yet is nobody else's; where somebody makes it, this waits until he has.

        The seconds that it takes are noted, its share of them where it is made `among` others. `waits` is told for
        whom. Raises Stopped if the wait is to end.
        """
        if stage is None:
            yield
            return
        if stage.told() is not None:
            stage.tidy()  # whoever made it may have been killed right after
            yield
            return
        said = ""
        while (claim := self.claims.take(stage.path.name)) is None:
            holder = self.claims.holder(stage.path.name)
            if holder is not None and not said:
                said = f"waits for {stage.path.name.rpartition('-')[0]} of {holder.sentence()}"
                self.waits(said)
            if self.stop():
                raise Stopped
            time.sleep(0.2)
        with claim:
            if stage.told() is not None:  # made while this waited
                yield
                return
            stage.begin()
            start = time.monotonic()
            try:
                yield
            finally:
                with suppress(OSError):  # a full disk has been met before, by what counts
                    stage.note({"seconds": _seconds(stage) + (time.monotonic() - start) / among})


def _seconds(stage: StageFolder) -> float:
    """What earlier starts of a stage took, as far as they could say."""
    spent = stage.facts().get("seconds", 0.0)
    return float(spent) if isinstance(spent, int | float) else 0.0
