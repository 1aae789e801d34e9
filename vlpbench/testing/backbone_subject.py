"""What a backbone is checked on: stem and trunk classes at nano size, with pictures and texts to ask it about."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from vlpbench.backbones.encoder_decoder import EncoderDecoder
from vlpbench.backbones.sizes import SIZES
from vlpbench.backbones.stems import Linear
from vlpbench.contract.abilities import Backbone, ImageState, TextState
from vlpbench.contract.wiring import Size, Stem, Trunk
from vlpbench.testing.findings import CheckSkipped
from vlpbench.testing.tiny import FIRST_WORD, LENGTH, ROOM, VOCABULARY, tiny_batches
from vlpbench.training.build import Blueprint

__all__ = ["BackboneSubject", "backbone_subject_of"]


@dataclass(frozen=True)
class BackboneSubject:
    """A stem and a trunk, ready to be checked."""

    trunk: type[Trunk] = EncoderDecoder
    """The wiring."""
    stem: type[Stem] = Linear
    """Picture to tokens."""
    config: Any = None
    """The trunk's settings; None for its defaults."""
    pixels: int = 32
    """Pixels a side: a multiple of every built-in stem's stride."""
    argument: str = ""
    """What stands behind the colon of the stem's name."""

    size: ClassVar[Size] = SIZES["nano"]
    """How large it is."""

    @property
    def author(self) -> type[Stem | Trunk]:
        """The class that is to be mended where a check fails: the one that is not its default."""
        return self.trunk if self.stem is Linear and self.trunk is not EncoderDecoder else self.stem

    @property
    def name(self) -> str:
        """Stem, trunk, and the trunk's settings where they are not its defaults."""
        default = vars(self.trunk.config_class())
        mine = default if self.config is None else vars(self.config)
        said = ",".join(f"{key}={value}" for key, value in mine.items() if default[key] != value)
        stem = f"{self.stem.name}:{self.argument}" if self.argument else self.stem.name
        return f"{stem}/{self.trunk.name}" + (f"[{said}]" if said else "")

    @property
    def offers(self) -> frozenset[str]:
        """The abilities it can be built with."""
        return self.trunk.offers_with(self.trunk.config_class() if self.config is None else self.config)

    def wanting(self, *abilities: str) -> Backbone:
        """A backbone with these abilities, in evaluation mode; CheckSkipped if the trunk does not offer them."""
        missing = set(abilities) - self.offers
        if missing:
            raise CheckSkipped("no-such-ability", ", ".join(sorted(missing)))
        return self.build(frozenset(abilities))

    def build(self, abilities: frozenset[str], seed: int = 0) -> Backbone:
        """A backbone with these abilities, in evaluation mode."""
        plan = Blueprint(
            self.stem, self.argument, self.trunk, self.size, self.pixels, VOCABULARY, ROOM, seed, self.config
        )
        return plan.build(abilities).eval()

    def images(self, seed: int = 0, samples: int = 3) -> Tensor:
        """B, 3, H, W."""
        return torch.from_numpy(tiny_batches(samples, seed=seed, pixels=self.pixels)["pairs"].images)

    def words(self, seed: int = 0, samples: int = 3) -> tuple[Tensor, Tensor]:
        """B, T and B, T: tokens and mask."""
        batch = tiny_batches(samples, seed=seed)["pairs"]
        return torch.from_numpy(batch.tokens), torch.from_numpy(batch.mask)

    def asked(self, backbone: Backbone, seed: int = 0) -> tuple[ImageState, TextState]:
        """States of pictures and texts."""
        return backbone.see(self.images(seed)), backbone.read(*self.words(seed))

    def said(self, samples: int = 3, seed: int = 3) -> Tensor:
        """B, T: what a decoder reads: BOS, then words."""
        rng = np.random.default_rng(seed)
        tokens = torch.from_numpy(rng.integers(FIRST_WORD, VOCABULARY.size, (samples, LENGTH)))
        tokens[:, 0] = VOCABULARY.bos
        return tokens


def backbone_subject_of(given: Any) -> BackboneSubject:
    """A BackboneSubject as it is; a trunk class behind linear patches; a stem class before an encoder-decoder."""
    if isinstance(given, BackboneSubject):
        return given
    if isinstance(given, type) and issubclass(given, Trunk):
        return BackboneSubject(given)
    if isinstance(given, type) and issubclass(given, Stem):
        return BackboneSubject(stem=given)
    raise TypeError(f"a trunk or a stem class is checked, not {given!r}")
