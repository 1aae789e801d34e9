"""What each of the three tasks can do: say why not, prepare its readout, predict, and score what was predicted."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from vlpbench.contract.abilities import Backbone
from vlpbench.contract.objective import Objective
from vlpbench.data.examples import Examples
from vlpbench.data.splits import Split
from vlpbench.tasks.trial import Scores, Trial

__all__ = ["Readout", "Row", "Task"]

Row = Mapping[str, Any]
"""One prediction as it is kept on disk: flat, JSON-able."""


@dataclass(frozen=True)
class Readout:
    """The short fine-tune of one task."""

    objective: Objective
    """What it teaches; the same for every backbone that has the abilities."""
    examples: Examples
    """What it is taught on: the training split."""
    head: str
    """Which form it takes with this backbone; every table names it."""
    answers: Sequence[str] = ()
    """VQA: the answers that can be given."""
    begin: Callable[[Backbone], None] = lambda backbone: None
    """Called once before the first step, with the pretrained backbone."""


class Task(ABC):
    """One of the shared suite's tasks. Tasks are not plugins: a suite that a plugin can change is not shared."""

    name: ClassVar[str]
    """What a grid file says."""
    primary: ClassVar[str]
    """The metric that a validation choice goes by."""

    @abstractmethod
    def why_not(self, offers: Collection[str], trains: Collection[str], zero_shot: bool) -> str | None:
        """The reason not to ask a backbone with these abilities, taught these things, or None."""

    @abstractmethod
    def readout(self, trial: Trial) -> Readout:
        """The fine-tune for this trial."""

    @abstractmethod
    def needs(self, offers: Collection[str]) -> frozenset[str]:
        """The abilities that are asked of a trunk that offers these."""

    @abstractmethod
    def predict(self, backbone: Backbone, readout: Readout | None, split: Split, trial: Trial) -> list[dict[str, Any]]:
        """One row for each question, picture or query of a split, in a fixed order."""

    @abstractmethod
    def score(self, rows: Sequence[dict[str, Any]], split: Split, readout: Readout | None, trial: Trial) -> Scores:
        """The metrics of these rows; adds each row's own scores to it."""
