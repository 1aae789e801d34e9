"""Who holds a claim and how far it is: the content of a claim's file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from vlpbench.records.processes import this_machine

__all__ = ["Holder", "content_of", "holder_of"]


@dataclass(frozen=True)
class Holder:
    """A process that has taken something, with what it last told."""

    name: str
    """What it has taken."""
    token: str = ""
    """Drawn when it was taken; tells two claims of one process apart. Empty where the file cannot be read (yet)."""
    host: str = ""
    """Its machine, as a hash."""
    pid: int = 0
    """Its process."""
    start: str = ""
    """When the process started, as its system counts: pids are used again."""
    began: str = ""
    """When it took it (UTC, ISO 8601); for people only, nothing is decided by it."""
    sure: bool = False
    """Whether it has looked after creating its file, and found itself alone."""
    beat: int = 0
    """Counts up while it lives."""
    stage: str = ""
    """What it is at."""
    done: int = 0
    """Steps done of the stage."""
    of: int = 0
    """Steps that the stage has; 0 where that is not known."""
    figures: Mapping[str, float] = field(default_factory=dict)
    """Numbers beside it, such as the loss; they may be infinite or NaN."""

    @property
    def here(self) -> bool:
        """Whether it runs on this machine."""
        return self.host == this_machine()

    def sentence(self) -> str:
        """Who it is and how far, for a line of text."""
        if not self.token:
            return "a process that has not said which it is"
        steps = f" step {self.done}" + (f" of {self.of}" if self.of else "") if self.done or self.of else ""
        where = f"process {self.pid} on {'this' if self.here else 'another'} machine"
        return f"{where}, {self.stage}{steps}" if self.stage else where


def content_of(holder: Holder) -> bytes:
    """The file's content."""
    return json.dumps(asdict(holder), indent=1).encode()  # NaN is no JSON, but a loss may be it, and only we read this


def holder_of(content: bytes) -> Holder | None:
    """What a file's content says; None where it is not what `content_of` writes."""
    try:
        said: dict[str, Any] = json.loads(content)
        figures = {str(name): float(value) for name, value in said.pop("figures").items()}
        texts = {name: str(said.pop(name)) for name in ("name", "token", "host", "start", "began", "stage")}
        numbers = {name: int(said.pop(name)) for name in ("pid", "beat", "done", "of")}
        sure = said.pop("sure") is True
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
        return None
    return Holder(**texts, **numbers, sure=sure, figures=figures) if texts["token"] else None  # type: ignore[arg-type]
