"""A backbone made for another picture size than it was pretrained at: position tables of image tokens are interpolated.

SimVLM pretrains at 224 pixels and fine-tunes VQA at 480 (arXiv 2108.10904, appendix B). Weights that nobody pretrained
go the same way: they are drawn at the first size and interpolated, so that a row without pretraining begins as the
others do, and what a table is made of does not depend on whether a row has learnt it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from torch import Tensor

from vlpbench.contract.abilities import Backbone
from vlpbench.contract.wiring import Stem
from vlpbench.errors import UserError
from vlpbench.parts.resize import Grid
from vlpbench.training.build import Blueprint
from vlpbench.training.fitted import listed, other_shapes
from vlpbench.training.own_weights import resize_tables
from vlpbench.training.timm_weights import NET, resize_net
from vlpbench.types import Spec

__all__ = ["AtSize"]


@dataclass(frozen=True)
class AtSize:
    """The plan of a backbone for pictures of another size; stands where a `Blueprint` does."""

    first: Blueprint
    """The backbone as it is pretrained, or would be."""
    pixels: int
    """Pixels a side of the pictures that it is to see."""
    setting: str
    """The setting that says so, for what a person is told."""

    @property
    def offers(self) -> frozenset[str]:
        """The abilities that it can be built with."""
        return self.first.offers

    @cached_property
    def spec(self) -> Spec:
        """The widths that heads are built for, with the grid of this size; UserError if the stem cannot take it."""
        try:
            return self._there.spec
        except ValueError as wrong:
            said = str(wrong).replace("image.size", self.setting)  # a stem knows of one size
            raise UserError(said, self.setting, self._multiple()) from wrong

    def build(self, abilities: Iterable[str]) -> Backbone:
        """A backbone with these abilities: drawn at the first size by (seed, name), then interpolated."""
        self.spec  # noqa: B018 (what the stem cannot take is refused here, in words)
        asked = frozenset(abilities)
        backbone = self._there.build(asked)
        backbone.load_state_dict(self.fitted(backbone, self.first.build(asked).state_dict()))
        return backbone

    def fitted(self, backbone: Backbone, weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Weights of the first size for a backbone of this plan; those that it has no use for stay as they are.

        UserError where something else than a position table of ours or of timm is of another shape.
        """
        given, out = dict(weights), f"leave {self.setting} out"
        resize_tables(backbone, given, self._grid, self.setting, out)
        stem = getattr(backbone, "stem", None)
        if isinstance(stem, Stem) and stem.name == "timm":
            net = {name.removeprefix(NET): value for name, value in given.items() if name.startswith(NET)}
            resize_net(stem.get_submodule("net"), net, self.setting, out)
            given |= {NET + name: value for name, value in net.items()}
        if wrong := other_shapes(given, backbone.state_dict()):
            said = listed(wrong).replace("in the file", f"for {self.first.pixels} pixels")
            raise UserError(f"weights cannot be brought to pictures of {self.pixels} pixels: {said}", self.setting,
                            f"{out}; only position tables made of vlpbench's parts, and timm's own, are interpolated")
        return given

    @property
    def _there(self) -> Blueprint:
        return replace(self.first, pixels=self.pixels)

    @cached_property
    def _grid(self) -> Grid:
        """Rows and columns of image tokens at the first size."""
        return self.first.spec.grid

    def _multiple(self) -> str:
        """What to take instead, as the tokens of the first size tell."""
        side, uneven = divmod(self.first.pixels, self._grid[0])
        if uneven:
            return f"leave it out, or take another size than {self.pixels}"
        low = self.pixels // side * side
        return f"take a multiple of {side}: {f'{low} or ' if low else ''}{low + side}"
