"""Who does what right now, in `results/<grid>/claims/`: by exclusive creation and rename alone.

A name is held by the highest generation of its files. It may be taken where all of them are free: by creating the next
generation exclusively, and looking again. Of two that take one name, the later sees the earlier in its second look, so
never both win. Only who holds a name removes files that it found free, so that no file of somebody alive ever goes.
(A network file system should do; none was tried.)
"""

from __future__ import annotations

import contextlib
import time
from pathlib import Path

from vlpbench.records.claim import Claim
from vlpbench.records.claim_files import content_at, file_of, generations, stem_of, stems, temporaries
from vlpbench.records.holder import Holder, holder_of
from vlpbench.records.processes import is_running

__all__ = ["Claims"]


class Claims:
    """The claims of one results folder, as one process sees them."""

    def __init__(self, folder: Path, beat: float = 2.0, lost_after: float = 60.0) -> None:
        """`beat`: seconds between two signs of life; `lost_after`: seconds of silence after which one is free."""
        self.folder, self.beat, self.lost_after = folder, beat, lost_after
        self._seen: dict[str, tuple[bytes, float]] = {}

    def take(self, name: str) -> Claim | None:
        """Take a name; None where somebody alive holds it or was faster. OSError where the folder cannot be written."""
        return self._take(stem_of(name), name)

    def holder(self, name: str) -> Holder | None:
        """Who holds a name now and lives."""
        return self._holder(stem_of(name))

    def all(self) -> dict[str, Holder]:
        """Name -> who holds it now and lives."""
        found = [self._holder(stem) for stem in stems(self.folder)]
        return {one.name: one for one in found if one is not None}

    def sweep(self) -> None:
        """Remove what dead processes have left; others may run meanwhile. A file that cannot be removed stays."""
        for stem in stems(self.folder):
            with contextlib.suppress(OSError):
                if claim := self._take(stem, stem):  # which removes what was below
                    claim.release()
        for half, file, token in temporaries(self.folder):
            found = holder_of(content_at(file) or b"")
            if found is None or found.token != token or not self._lives(file.name, content_at(file) or b""):
                with contextlib.suppress(OSError):
                    half.unlink(missing_ok=True)

    def _take(self, stem: str, name: str) -> Claim | None:
        before = generations(self.folder, stem)
        if self._living(stem, before):
            return None
        self.folder.mkdir(parents=True, exist_ok=True)
        claim = Claim(name, self.folder, stem, max(before, default=0) + 1, self.beat)
        if not claim.create():
            return None
        try:
            if not self._is_alone(claim, generations(self.folder, stem), before):
                claim.release()
                return None
            claim.begin()
        except BaseException:  # a file of a living process would hold the name
            claim.release()
            raise
        for generation in before:  # they were free, and nobody but us may touch them now
            with contextlib.suppress(OSError):
                (self.folder / file_of(stem, generation)).unlink(missing_ok=True)
        return claim

    def _is_alone(self, claim: Claim, after: dict[int, bytes], before: dict[int, bytes]) -> bool:
        """Whether nobody was faster, and none that seemed silent has spoken, between two looks."""
        own = holder_of(after.pop(claim.generation, b""))
        return own is not None and own.token == claim.token and after.items() <= before.items()

    def _holder(self, stem: str) -> Holder | None:
        living = self._living(stem, generations(self.folder, stem))
        found = [(holder_of(content) or Holder(stem), generation) for generation, content in living.items()]
        return max(found, key=lambda one: (one[0].sure, one[1]))[0] if found else None

    def _living(self, stem: str, there: dict[int, bytes]) -> dict[int, bytes]:
        """Those generations whose process lives, as far as one can know."""
        return {one: content for one, content in there.items() if self._lives(file_of(stem, one), content)}

    def _lives(self, file: str, content: bytes) -> bool:
        """By the process where it runs here, elsewhere by whether the file has changed lately by our own clock."""
        said = holder_of(content)
        if said is not None and said.here:
            running = is_running(said.pid, said.start)
            if running is not None:
                return running
        now = time.monotonic()
        was, since = self._seen.get(file, (None, now))
        if was != content:
            self._seen[file] = (content, now)
            return True
        return now - since < self.lost_after
