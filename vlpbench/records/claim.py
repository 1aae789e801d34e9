"""A claim that this process holds: it beats while it lives, and says how far the work is."""

from __future__ import annotations

import contextlib
import os
import secrets
import threading
import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType

from vlpbench.records.claim_files import content_at, generations
from vlpbench.records.holder import Holder, content_of, holder_of
from vlpbench.records.processes import start_of, this_machine

__all__ = ["Claim"]

_SOONEST = 1.0
"""Seconds between two beats at least, however often progress is told."""


class Claim:
    """What `Claims.take` gives; a context manager that releases it. A forked child has no part in it."""

    def __init__(self, name: str, folder: Path, stem: str, generation: int, every: float) -> None:
        self.name, self.generation = name, generation
        self._folder, self._stem, self._every = folder, stem, every
        self._pid, self._lost, self._beats = os.getpid(), False, 0
        self._said = Holder(
            name, secrets.token_hex(8), this_machine(), self._pid, start_of(self._pid) or "",
            datetime.now(UTC).isoformat(timespec="seconds"),
        )
        self._news, self._over = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._live, name=f"claim {name}", daemon=True)

    @property
    def path(self) -> Path:
        """Its file."""
        return self._folder / f"{self._stem}-{self.generation:06d}.json"

    @property
    def token(self) -> str:
        """What tells it from all other claims."""
        return self._said.token

    @property
    def lost(self) -> bool:
        """Whether somebody else has taken it over, or its file is gone: the work must not go on."""
        return self._lost

    def tell(self, stage: str, done: int = 0, of: int = 0, figures: Mapping[str, float] | None = None) -> None:
        """Note how far the work is; cheap, from any thread. It is in the file within a second."""
        if os.getpid() != self._pid:
            return
        told = {key: float(value) for key, value in (figures or {}).items()}
        self._said = replace(self._said, stage=stage, done=int(done), of=int(of), figures=told)
        self._news.set()

    def release(self) -> None:
        """Give it back: stop beating, then remove its file. Harmless where it is lost or released already."""
        if os.getpid() != self._pid:
            return
        self._over.set()
        self._news.set()
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join()
        self._remove()

    def __enter__(self) -> Claim:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.release()

    def create(self) -> bool:
        """Create its file, which nobody else may have done; whether that went well. For `Claims.take` alone."""
        try:
            handle = os.open(self.path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644)
        except FileExistsError:
            return False
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content_of(self._said))
        except OSError:  # the disk is full
            self.path.unlink(missing_ok=True)
            raise
        return True

    def begin(self) -> None:
        """Say that it is sure of being alone, and beat from now on. For `Claims.take` alone."""
        self._said = replace(self._said, sure=True)
        self._write()
        self._thread.start()

    def _live(self) -> None:
        """Beat until it is over. A disk that is full or gone for a while is no end."""
        written = time.monotonic()
        while not self._over.is_set():
            if self._news.wait(self._every):
                self._over.wait(max(0.0, written + min(_SOONEST, self._every) - time.monotonic()))
            self._news.clear()
            if self._over.is_set():
                return
            if self._is_taken():
                self._lost = True
                return
            written = time.monotonic()
            with contextlib.suppress(OSError):  # the next beat tries again
                self._write()

    def _is_taken(self) -> bool:
        """Whether its file is not its own any more, or a higher generation is there that is sure of itself.

        One that is not sure may be about to see us and step back, or have died while it looked.
        """
        try:
            there = generations(self._folder, self._stem)
        except OSError:
            return False
        own = there.get(self.generation)
        found = holder_of(own) if own else None
        if own is None or (found and found.token != self.token):
            return True
        above = (holder_of(content) for generation, content in there.items() if generation > self.generation)
        return any(one.sure for one in above if one)

    def _write(self) -> None:
        """Replace its file by a newer one; no fsync: a claim need not outlive a power cut."""
        temporary = self.path.with_name(f".{self.path.name}.{self.token}")
        self._beats += 1
        try:
            temporary.write_bytes(content_of(replace(self._said, beat=self._beats)))
            temporary.replace(self.path)
        finally:
            temporary.unlink(missing_ok=True)

    def _remove(self) -> None:
        """Remove its file where it is still its own."""
        found = holder_of(content_at(self.path) or b"")
        if found and found.token == self.token:
            self.path.unlink(missing_ok=True)
