"""What names a grid file may say: filled in by whoever knows the plugins, so that settings need not."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from vlpbench.config.problems import guess
from vlpbench.config.sums import Term, What, parse_sum
from vlpbench.config.task_name import TASKS
from vlpbench.config.typed import WrongValue
from vlpbench.errors import UserError

__all__ = ["SIZES", "Known", "backbone_parts", "terms"]

SIZES = ("nano", "tiny", "small", "base", "large", "huge")
"""Sizes of a backbone, from the smallest."""

def backbone_parts(text: str) -> tuple[str, str, str]:
    """Stem, trunk and size of `stem/trunk/size`; a stem's argument may hold slashes. Raises WrongValue."""
    parts = text.rsplit("/", 2)
    if len(parts) != 3 or not all(parts):
        raise WrongValue(f"must be stem/trunk/size, not {text!r}", 'write for example "conv3/encoder-decoder/nano"')
    return parts[0], parts[1], parts[2]


def terms(text: str, what: What = "objective") -> tuple[Term, ...]:
    """The weighted names of a sum; WrongValue if it is none."""
    try:
        return parse_sum(text, what=what)
    except UserError as wrong:
        raise WrongValue(wrong.cause, wrong.remedy) from wrong


@dataclass(frozen=True)
class Known:
    """The names there are, and the classes that say which settings they take."""

    objectives: Mapping[str, type] = field(default_factory=dict)
    """Config class of each objective."""
    kinds: Mapping[str, type] = field(default_factory=dict)
    """Config class of each kind of data set."""
    stems: Collection[str] = ()
    """Names of stems, without arguments."""
    trunks: Mapping[str, type] = field(default_factory=dict)
    """Config class of each trunk."""
    recipes: Mapping[str, Path] = field(default_factory=dict)
    """File of each recipe."""
    sizes: Collection[str] = SIZES
    """Names of sizes."""
    tasks: Collection[str] = TASKS
    """Names of tasks."""
    metrics: Mapping[str, Collection[str]] = field(default_factory=dict)
    """Extra metrics of plugins by name, each with the tasks whose predictions it reads."""
    broken: Mapping[tuple[str, str], tuple[str, str]] = field(default_factory=dict)
    """(what, name) that a failed plugin would have brought: why it is not there, and the remedy."""

    def objective(self, text: str) -> None:
        """Raise WrongValue unless `text` is a sum of known objectives."""
        for _, name in terms(text):
            self.one("objective", name, self.objectives)

    def backbone(self, text: str) -> None:
        """Raise WrongValue unless `text` is a known stem, trunk and size."""
        for what, name in zip(("stem", "trunk", "size"), backbone_parts(text), strict=True):
            self.part(what, name)

    def part(self, what: str, name: str) -> None:
        """Raise WrongValue unless `name` is a known stem (with or without argument), trunk or size."""
        names = {"stem": self.stems, "trunk": self.trunks, "size": self.sizes}[what]
        self.one(what, name.partition(":")[0] if what == "stem" else name, names)
        if what == "stem" and name.endswith(":"):
            raise WrongValue(f"{name!r} names nothing behind the colon", 'write for example "timm:resnet18"')

    def one(self, what: str, name: str, names: Collection[str]) -> None:
        """Raise WrongValue unless `name` is among `names`, with the cause if a failed plugin would have brought it."""
        if name in names:
            return
        if (what, name) in self.broken:
            raise WrongValue(*self.broken[what, name])
        raise WrongValue(f"unknown {what} {name!r}", guess(name, names))
