"""How a task is named in a grid file: TASK, then its form, then its protocol, each behind an @.

`vqa`, `vqa@decoder`, `retrieval@match@zero-shot`, `classification@probe`. A name without a protocol is fine-tuned.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from vlpbench.errors import unknown

__all__ = ["PROTOCOLS", "TASKS", "ProtocolName", "TaskName", "parse_task", "protocol_names"]

ProtocolName = Literal["fine-tune", "zero-shot", "probe"]

_TUNED: tuple[ProtocolName, ...] = ("fine-tune",)
_BOTH: tuple[ProtocolName, ...] = ("fine-tune", "zero-shot")

PROTOCOLS: Mapping[tuple[str, str], tuple[ProtocolName, ...]] = {
    ("vqa", ""): _TUNED,
    ("vqa", "decoder"): _TUNED,
    ("vqa", "fused"): _TUNED,
    ("vqa", "ranking"): _BOTH,
    ("vqa", "choices"): _BOTH,
    ("vqa", "choices-match"): _BOTH,
    ("captioning", ""): _BOTH,
    ("retrieval", ""): _BOTH,
    ("retrieval", "match"): _BOTH,
    ("retrieval", "likelihood"): _BOTH,
    ("classification", ""): ("probe", "zero-shot"),
}
"""By which protocols each task is asked, in each of its forms; the form "" is the task's own choice."""


@dataclass(frozen=True)
class TaskName:
    """A task's name, taken apart."""

    task: str
    """vqa, captioning, retrieval or classification."""
    form: str
    """How it is asked, where a grid says so; empty for the task's own choice."""
    protocol: ProtocolName
    """fine-tune, zero-shot or probe."""

    def __str__(self) -> str:
        parts = (self.task, self.form, "" if self.protocol == "fine-tune" else self.protocol)
        return "@".join(part for part in parts if part)


TASKS = tuple(str(TaskName(task, form, one)) for (task, form), ways in PROTOCOLS.items() for one in ways)
"""All names that a grid file may say."""


def protocol_names(tasks: Iterable[str] = TASKS) -> tuple[str, ...]:
    """What `[protocol.NAME]` may say: a task, with all its forms; a form, with its zero-shot; or one full name.

    >>> protocol_names(["classification@probe", "retrieval@match@zero-shot"])
    ('classification', 'classification@probe', 'retrieval', 'retrieval@match', 'retrieval@match@zero-shot')
    """
    whole = (task.split("@") for task in tasks)
    return tuple(dict.fromkeys("@".join(parts[:many]) for parts in whole for many in range(1, len(parts) + 1)))


def parse_task(name: str) -> TaskName:
    """A task's name taken apart; a UserError with the nearest for a name that is none.

    >>> parse_task("retrieval@match@zero-shot")
    TaskName(task='retrieval', form='match', protocol='zero-shot')
    """
    if name not in TASKS:
        raise unknown("task", name, TASKS)
    task, *rest = name.split("@")
    protocol: ProtocolName = "fine-tune"
    if rest and rest[-1] in ("zero-shot", "probe"):
        protocol = "zero-shot" if rest.pop() == "zero-shot" else "probe"
    return TaskName(task, rest[0] if rest else "", protocol)
