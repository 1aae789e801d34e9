"""What each task can do: say why not, learn from the training split, prepare its readout, predict, and score rows."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from torch import Tensor

from vlpbench.config.task_name import ProtocolName
from vlpbench.contract.abilities import Backbone
from vlpbench.contract.objective import Objective
from vlpbench.data.examples import Examples
from vlpbench.data.splits import Split
from vlpbench.tasks.trial import Scores, Trial

__all__ = ["DECODING", "Answers", "Readout", "Row", "Task", "why_not_decode"]

Row = dict[str, Any]
"""One prediction as it is kept on disk: flat, JSON-able, with all that is needed to score it again."""


DECODING = frozenset({"context", "decode"})
"""The abilities of whoever writes, or tells how likely words are."""


@dataclass(frozen=True)
class Readout:
    """Through what a backbone is asked: heads, and what the training split said. It can be kept and taken along."""

    head: str
    """Which form it takes with this backbone; every table names it."""
    objectives: tuple[Objective, ...] = ()
    """What the fine-tune teaches, heads included; for zero-shot the pretraining's heads that are asked, if any."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """What it took from the training split (`Task.facts`): the answers that can be given, the names of classes."""
    begin: Callable[[Backbone], None] = lambda backbone: None
    """Called once before the first step, with the pretrained backbone."""

    @property
    def needs(self) -> frozenset[str]:
        """The abilities that its heads ask for, to be taught and to judge pairs."""
        asked = [one.needs_with(one.config) for one in self.objectives]
        asked += [one.matches_with(one.config) for one in self.objectives if "match" in one.trains]
        return frozenset().union(*asked)


class Task(ABC):
    """One of the shared suite's tasks. Tasks are not plugins: a suite that a plugin can change is not shared."""

    name: ClassVar[str]
    """What a grid file says first."""
    primary: ClassVar[str]
    """The metric that a validation choice goes by."""

    @abstractmethod
    def why_not(self, offers: Collection[str], trains: Collection[str], protocol: ProtocolName) -> str | None:
        """The reason not to ask a backbone with these abilities, taught these things, or None."""

    @abstractmethod
    def needs(self, offers: Collection[str]) -> frozenset[str]:
        """The abilities that are asked of a trunk that offers these."""

    def facts(self, trial: Trial) -> dict[str, Any]:
        """What the training split says that a readout is built from (JSON-able); most tasks need nothing."""
        return {}

    @abstractmethod
    def readout(self, trial: Trial, facts: Mapping[str, Any]) -> Readout:
        """The heads for this trial, built without any data but these facts."""

    @abstractmethod
    def examples(self, trial: Trial, readout: Readout) -> Examples:
        """What a fine-tune is taught on: the training split."""

    def probe(self, backbone: Backbone, readout: Readout, trial: Trial) -> dict[str, Any]:
        """Fit the readout's heads to frozen features; what is to be told of it. Only tasks with that protocol can."""
        raise AttributeError(f"the task {self.name!r} has no probe")

    @abstractmethod
    def predict(self, backbone: Backbone, readout: Readout, split: Split, trial: Trial) -> list[Row]:
        """One row for each question, picture or query of a split, in a fixed order, and what floors would say."""

    @abstractmethod
    def score(self, rows: Sequence[Row], metrics: Sequence[str] | None = None) -> Scores:
        """The metrics of these rows, a pure function of them; adds each row's own scores to it.

        `metrics` names those to measure, where a task leaves a choice; None takes all that need no other program.
        """


class Answers(Task):
    """A task whose model can be asked any question about any picture."""

    @abstractmethod
    def answers(
        self, backbone: Backbone, readout: Readout, pictures: Tensor, questions: Sequence[str], trial: Trial
    ) -> list[tuple[str, float]]:
        """The likeliest answer to each question about each picture (B, 3, H, W), and its probability (0 to 1)."""


def why_not_decode(offers: Collection[str], trains: Collection[str], protocol: ProtocolName) -> str | None:
    """The reason why a task that needs a decoder, and for zero-shot one that was trained, cannot be asked; or None."""
    if not set(offers) >= DECODING:
        return "n/a: needs decode"
    if protocol == "zero-shot" and "decode" not in trains:
        return "n/a: pretraining did not train decode"
    return None
