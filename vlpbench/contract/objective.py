"""What an objective must offer: surgery on the host, calls of the backbone, and the formula, kept apart."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, Literal

import numpy as np
from torch import Tensor, nn

from vlpbench.contract.abilities import Backbone, ImageState, TextState, Visible
from vlpbench.contract.noconfig import NoConfig
from vlpbench.parts.ranks import gather, mine, own
from vlpbench.types import Batch, Spec, Step

__all__ = ["Coupling", "NoConfig", "Objective", "compares_all", "gather", "group_of", "is_coupling", "mine", "own"]

Coupling = int | Literal["all"] | tuple[int, Literal["all"]] | None
"""Who sees whom in a batch: nobody, groups of n neighbours in `encode`, "all" in `loss`, or both."""


def is_coupling(value: Any) -> bool:
    """Whether this says who sees whom: None, a group of two or more, "all", or both of these."""
    if isinstance(value, tuple):
        return len(value) == 2 and value[1] == "all" and isinstance(value[0], int) and is_coupling(value[0])
    is_group = isinstance(value, int) and not isinstance(value, bool) and value >= 2
    return value is None or value == "all" or is_group


def group_of(coupling: Coupling) -> int:
    """How many neighbours see each other in `encode`: the smallest piece a batch may be cut into."""
    first = coupling[0] if isinstance(coupling, tuple) else coupling
    return first if isinstance(first, int) else 1


def compares_all(coupling: Coupling) -> bool:
    """Whether `loss` looks at all samples of a batch."""
    return coupling == "all" or isinstance(coupling, tuple)


class Objective(nn.Module, ABC):
    """What a batch and a backbone should be taught.

    It owns only its own heads, temperatures and queues. The loop calls `corrupt` on the host, then `encode`, then
    `loss`, once for each of the step's batches that it uses, and divides by the counts of the whole step.
    """

    name: ClassVar[str]
    """What a grid file says: lower-case letters, digits and dashes."""
    version: ClassVar[int] = 1
    """Raised when the same settings give other numbers; part of a cell's id."""
    config_class: ClassVar[type] = NoConfig
    """A frozen dataclass with JSON-able defaults: the keys of `[objective.NAME]`."""
    needs: ClassVar[frozenset[str] | set[str]] = frozenset()
    """The abilities that `encode` calls."""
    welcomes: ClassVar[frozenset[str] | set[str]] = frozenset()
    """Abilities that `encode` calls where the backbone was built with them anyway, and does without elsewhere."""
    uses: ClassVar[frozenset[str] | set[str]] = frozenset({"pairs"})
    """Which batches of a step it learns from: "pairs", "texts" or both."""
    wants: ClassVar[tuple[str, ...]] = ()
    """Sample fields it reads as `batch["name"]`: numbers of one shape for all samples, or texts, which come as ids with
    `batch["name_mask"]` beside them."""
    views: ClassVar[int] = 1
    """How often each picture is cropped and mirrored anew: `batch.views` holds so many states at least, the first is
    `batch.image`. More than one asks for a cell that crops or mirrors (`image.crop`, `image.flip`)."""
    trains: ClassVar[frozenset[str] | set[str]] = frozenset()
    """What zero-shot evaluation may rely on afterwards: "vectors", "similarity", "decode", "match"."""
    coupled: ClassVar[Coupling] = None
    """Whether samples of a batch see each other: in `encode`, within groups of n neighbours; in `loss`, "all" do; in
    both, (n, "all").

    A micro-batch is whole groups. Where "all" do, features are computed piece by piece and `loss` sees all of them.
    """
    teacher: ClassVar[float | None] = None
    """Decay of a moving average of the backbone's weights, asked as `backbone.teacher`; None for no teacher."""
    teacher_warms_up: ClassVar[bool] = False
    """Whether the average follows faster at first: after n steps its decay is at most (1 + n) / (10 + n)."""
    cites: ClassVar[tuple[str, ...]] = ()
    """What a paper cites that uses it: BibTeX entries, or keys of vlpbench's own list (`vlpbench cite --all`)."""

    def __init__(self, config: Any, spec: Spec) -> None:
        super().__init__()
        self.config, self.spec = config, spec

    @classmethod
    def needs_with(cls, config: Any) -> frozenset[str]:
        """The abilities it calls with these settings; override where they differ."""
        return frozenset(cls.needs)

    @classmethod
    def visible_with(cls, config: Any) -> Visible:
        """Who sees whom in a context while it trains; tasks obey it afterwards."""
        return "all"

    @classmethod
    def coupled_with(cls, config: Any) -> Coupling:
        """How samples see each other with these settings; override where they decide it."""
        return cls.coupled

    @property
    def group(self) -> int:
        """How many neighbours see each other in `encode` with its own settings, at least."""
        return group_of(self.coupled_with(self.config))

    @property
    def compares_all(self) -> bool:
        """Whether `loss` looks at all samples with its own settings."""
        return compares_all(self.coupled_with(self.config))

    @staticmethod
    def corrupt(batch: Batch, rng: np.random.Generator, config: Any) -> Mapping[str, Any]:
        """The text surgery: numpy in, arrays with B rows out, of static shape; a pure function of its arguments.

        `count` (B; 1 if absent) says how many terms each sample puts into the loss.
        """
        return {}

    @abstractmethod
    def encode(self, backbone: Backbone, batch: Batch) -> Mapping[str, Tensor]:
        """Every call of the backbone: what the formula is made of, samples first."""

    @abstractmethod
    def loss(self, features: Mapping[str, Tensor], batch: Batch) -> Step:
        """The formula, in fp32: sums per sample (B)."""

    @classmethod
    def matches_with(cls, config: Any) -> frozenset[str]:
        """The abilities that `match` calls; override where it needs others than `encode` does."""
        return cls.needs_with(config)

    def match(self, backbone: Backbone, image: ImageState, text: TextState) -> Tensor:
        """B: log-odds that the picture and the text of a row belong together; for those that train "match"."""
        raise AttributeError(f"{self.name!r} has no matching head; one that trains \"match\" overrides match()")

    def similarity(self, backbone: Backbone, image: ImageState, text: TextState) -> tuple[Tensor, Tensor]:
        """N, M twice: how well M texts suit each of N pictures, and how well N pictures suit each of M texts.

        For those that train "similarity": retrieval goes by it where no dot product of two vectors says the same.
        Both may be one tensor. Each number depends on its own picture and text alone.
        """
        raise AttributeError(f"{self.name!r} has no similarity; one that trains \"similarity\" overrides similarity()")

    def after_step(self, carry: Mapping[str, Tensor]) -> None:
        """Told once a step what `loss` carried; the only place where a queue is written."""
