"""What a backbone is made of: a size, a stem that turns a picture into tokens, a trunk that wires the transformer."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

from torch import Tensor, nn

from vlpbench.contract.abilities import Backbone
from vlpbench.contract.noconfig import NoConfig
from vlpbench.parts.heads import WordTable
from vlpbench.types import Spec

__all__ = ["Size", "Stem", "Trunk"]


@dataclass(frozen=True)
class Size:
    """How large a backbone is."""

    name: str
    """What the last part of a backbone's name says."""
    width: int
    """D, width of tokens."""
    heads: int
    """Attention heads of each layer."""
    encoder: int
    """Layers that see the prefix."""
    decoder: int
    """Layers that write."""
    stages: tuple[int, int, int, int]
    """Blocks of each ResNet stage of a convolutional stem."""
    channels: tuple[int, int, int, int]
    """Channels that leave each ResNet stage."""
    bottleneck: bool
    """Whether blocks are ResNet's bottlenecks (three convolutions) or basic ones (two)."""
    pooled: bool
    """Whether ResNet's max-pool stands before the first stage; small pictures cannot afford it."""
    batch_norm: bool
    """Whether stems are normalised over the batch; group norm learns far slower at the smallest size."""
    word_std: float
    """Standard deviation of the word table and of text positions when training starts; narrow models need a larger
    one, and both the same: louder positions hide the words."""
    position_std: float
    """Standard deviation of image positions when training starts."""


class Stem(nn.Module, ABC):
    """A picture becomes tokens."""

    name: ClassVar[str]
    """What the first part of a backbone's name says; "timm" takes a model's name behind a colon."""
    version: ClassVar[int] = 1
    """Raised when the same settings give other numbers; part of a cell's id."""
    keeps_initialisation: ClassVar[bool] = False
    """Whether its own constructor draws its weights (an outside model does), instead of the house's rule."""
    cites: ClassVar[tuple[str, ...]] = ()
    """What a paper cites that uses it: BibTeX entries, or keys of vlpbench's own list (`vlpbench cite --all`)."""
    grid: tuple[int, int]
    """Rows and columns of tokens."""

    def __init__(self, size: Size, pixels: int, argument: str = "") -> None:
        """Build for square pictures of `pixels` a side; `argument` is what stands behind the colon of its name."""
        super().__init__()

    @abstractmethod
    def forward(self, images: Tensor) -> Tensor:
        """B, 3, H, W -> B, P, D, in raster order."""


class Trunk(Backbone):
    """A backbone that is built from a stem and a size. `spec` holds the widths, the stem's grid and the vocabulary.

    Its constructor makes the word table, `words`, which reads and writes words for it.
    """

    config_class: ClassVar[type] = NoConfig
    """A frozen dataclass with JSON-able defaults: the keys of `[trunk.NAME]`."""

    words: WordTable
    """The tied word table."""

    def __init__(
        self, spec: Spec, abilities: frozenset[str], stem: Stem, size: Size, length: int, config: Any = None
    ) -> None:
        """Build with the named abilities for texts of at most `length` tokens (T); `config` None is the default."""
        config = self.config_class() if config is None else config
        super().__init__(spec, abilities)
        missing = abilities - self.offers_with(config)
        if missing:
            raise ValueError(f"{type(self).__name__} with {config} cannot {', '.join(sorted(missing))}")
        self.stem, self.config = stem, config

    @classmethod
    def offers_with(cls, config: Any) -> frozenset[str]:
        """The abilities it can be built with under these settings; override where they decide it."""
        return frozenset(cls.offers)

    def stem_tokens(self, images: Tensor) -> Tensor:
        """B, P, D: what the stem makes of pictures; ValueError if they are not of the size it was built for."""
        tokens: Tensor = self.stem(images)
        rows, columns = self.spec.grid
        if tokens.shape[1] != rows * columns:
            size = " x ".join(str(side) for side in images.shape[2:])
            raise ValueError(f"{tokens.shape[1]} tokens from {size} pixels; the stem was built for {rows} x {columns}")
        return tokens

    def logits(self, features: Tensor) -> Tensor:
        """..., D -> ..., V in fp32 by the word table."""
        return self.words.logits(features)

    def word_vectors(self, tokens: Tensor) -> Tensor:
        """... -> ..., D: rows of the word table."""
        vectors: Tensor = self.words(tokens)
        return vectors

    def token_losses(self, features: Tensor, targets: Tensor) -> Tensor:
        """..., D and ... -> ...: nats, a block of positions at a time."""
        return self.words.losses(features, targets)
