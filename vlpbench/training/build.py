"""From settings to a model whose weights depend on the seed and on their names alone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from torch import nn

from vlpbench.contract.abilities import Backbone
from vlpbench.contract.wiring import Size, Stem, Trunk
from vlpbench.parts.init import initialise, seeded
from vlpbench.streams import seed_of
from vlpbench.types import Spec, Vocabulary

__all__ = ["Blueprint", "draw"]


@dataclass(frozen=True)
class Blueprint:
    """All that decides a backbone but its abilities."""

    stem: type[Stem]
    """Picture to tokens."""
    argument: str
    """What stands behind the colon of the stem's name; empty for most."""
    trunk: type[Trunk]
    """The wiring."""
    size: Size
    """Widths and depths."""
    pixels: int
    """Pixels a side of a picture."""
    vocabulary: Vocabulary
    """The tokenizer's special ids."""
    length: int
    """T, tokens of a text."""
    seed: int
    """Decides the initial weights."""
    config: Any = None
    """The trunk's settings; None for its defaults."""

    @property
    def offers(self) -> frozenset[str]:
        """The abilities that its trunk can be built with under these settings."""
        return self.trunk.offers_with(self.trunk.config_class() if self.config is None else self.config)

    @property
    def spec(self) -> Spec:
        """The widths that heads are built for; only the stem is made to know its grid."""
        return self._with_stem()[1]

    def _with_stem(self) -> tuple[Stem, Spec]:
        with seeded(seed_of(self.seed, "init/stem")):
            stem = self.stem(self.size, self.pixels, self.argument)
        return stem, Spec(self.size.width, self.size.width, stem.grid, self.vocabulary)

    def build(self, abilities: Iterable[str]) -> Backbone:
        """A backbone with these abilities; equal names start with equal numbers, whatever else it holds."""
        stem, spec = self._with_stem()
        with seeded(seed_of(self.seed, "init/trunk")):  # for numbers that a trunk draws itself
            backbone = self.trunk(spec, frozenset(abilities), stem, self.size, self.length, self.config)
        skip = frozenset({"stem"}) if self.stem.keeps_initialisation else frozenset()
        draw(backbone, self.seed, skip)
        return backbone


def draw(module: nn.Module, seed: int, skip: frozenset[str] = frozenset(), prefix: str = "") -> None:
    """Draw the weights of a module anew, each by (seed, its name)."""
    initialise(module, lambda name: seed_of(seed, f"init/{prefix}{name}"), skip)
