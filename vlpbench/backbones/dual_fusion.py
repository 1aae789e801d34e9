"""Two towers and fusion layers above them (ALBEF, METER), with a decoder of its own or split as CoCa's by setting.

Axes: B batch, P image tokens, T text tokens, C candidates, S decoded tokens, k beams, D width, E joint width.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn

from vlpbench.backbones.cross_decoder import CrossDecoder, Pasts, never_empty
from vlpbench.backbones.picture_tower import PictureTower
from vlpbench.backbones.text_tower import TextTower
from vlpbench.plugin import ABILITIES, Context, ImageState, Size, Spec, Stem, TextState, Visible, parts

__all__ = ["DualFusion", "DualFusionConfig", "layers_of"]

_FUSING = frozenset({"fused_tokens", "context", "decode"})
_SEEING = _FUSING | {"image_tokens", "image_vector"}
_READING = _FUSING | {"text_tokens", "text_vector"}


@dataclass(frozen=True)
class DualFusionConfig:
    """`[trunk.dual-fusion]`."""

    fusion: int = 0
    """Layers in which words look at image tokens; 0 is half of the size's decoder. The text tower has the others."""
    two_way: bool = True
    """Whether image tokens look at words too (METER, arXiv 2111.02387) or not (ALBEF, arXiv 2107.07651). With a split
    decoder they never do: a word must not see what comes after it."""
    decoder: Literal["none", "own", "split"] = "none"
    """"own": as many layers as the encoder-decoder's; "split": the text tower is causal and the fusion layers write
    (CoCa, arXiv 2205.01917)."""
    text_norm: Literal["pre", "post"] = "pre"
    """Where the text tower's norms stand: "post" is BERT's computation (arXiv 1810.04805), for `init.text`."""

    def __post_init__(self) -> None:
        if self.fusion < 0:
            raise ValueError(f"fusion is a number of layers, or 0 for half of the decoder's, not {self.fusion}")
        if self.decoder == "split" and self.text_norm == "post":
            raise ValueError("a split decoder's text tower is causal, which BERT is not: text_norm 'pre' goes with it")


def layers_of(size: Size, config: DualFusionConfig) -> tuple[int, int]:
    """Layers of the text tower and fusion layers: as many as the size's decoder has, but at least one of each."""
    fusion = config.fusion or max(1, size.decoder // 2)
    return max(1, size.decoder - fusion), fusion


class DualFusion(CrossDecoder, PictureTower):
    """What each tower makes of its own, then layers in which they look at each other.

    A context is what the towers and fusion layers make of picture and prefix; a picture without any word is never
    fused, row by row. Words of a split trunk see what came before, whatever is visible.
    """

    name, config_class = "dual-fusion", DualFusionConfig
    cites = ("vaswani2017attention", "li2021albef", "dou2022meter", "yu2022coca")
    offers = frozenset(ABILITIES)
    config: DualFusionConfig

    def __init__(
        self, spec: Spec, abilities: frozenset[str], stem: Stem, size: Size, length: int, config: Any = None
    ) -> None:
        super().__init__(spec, abilities, stem, size, length, config)
        width, heads = size.width, size.heads
        self.split = self.config.decoder == "split"
        two_way = self.config.two_way and not self.split
        towers, fusion = layers_of(size, self.config)
        self.words = parts.WordTable(spec.vocabulary.size, width, size.word_std)
        if not abilities.isdisjoint(_SEEING):
            self._add_picture_tower(size)
        if not abilities.isdisjoint(_READING):
            post = self.config.text_norm == "post"
            self.text_tower = TextTower(length, width, heads, towers, size.word_std, post)
        if self.split and not abilities.isdisjoint(_FUSING):
            self._add_decoder(size, fusion)
        elif not abilities.isdisjoint(_FUSING):
            self.fusion = nn.ModuleList(parts.FusionBlock(width, heads, two_way) for _ in range(fusion))
            self.fused_norm = nn.LayerNorm(width)
            if two_way:
                self.fused_image_norm = nn.LayerNorm(width)
        if "decode" in abilities and not self.split:
            self.text_positions = parts.PositionTable(length, width, size.word_std)
            self._add_decoder(size, size.decoder)
        self.two_way = two_way
        self._add_heads()

    @classmethod
    def offers_with(cls, config: Any) -> frozenset[str]:
        """To write it needs a decoder; a split one's text tower cannot see all words."""
        cannot = {"none": {"context", "decode"}, "own": set(), "split": {"text_tokens"}}
        return frozenset(ABILITIES) - cannot[config.decoder]

    def image_tokens(self, image: ImageState) -> Tensor:
        """B, P, D: the picture tower."""
        self.demand("image_tokens", *_SEEING)
        return super().image_tokens(image)

    def _read(self, text: TextState, causal: bool) -> Tensor:
        """B, T, D: the text tower, once for each way of reading."""
        self.demand("text_tokens", *_READING)

        def tower(whole: TextState) -> Tensor:
            return self.text_tower(self.words(whole.tokens), whole.mask, causal or self.split)

        return text.once(f"tower, causal {causal or self.split}", tower)

    def text_tokens(self, text: TextState) -> Tensor:
        """B, T, D: the text tower, all words visible."""
        if self.split:
            raise self._cannot("text_tokens")
        return self._read(text, causal=False)

    def text_vector(self, text: TextState) -> Tensor:
        """B, E: the mean text token, projected; of a causal tower the last, which alone has seen all others."""
        if not self.split:
            return super().text_vector(text)
        self.demand("text_vector")

        def last(whole: TextState) -> Tensor:
            end = whole.mask & (whole.mask.cumsum(1) == whole.mask.sum(1, keepdim=True))
            return self.text_head(self._read(whole, causal=True), end)

        return text.once("vector", last)

    def fused_tokens(self, image: ImageState, text: TextState) -> tuple[Tensor, Tensor]:
        """B, P, D and B, T, D: the fusion layers on what both towers made.

        Where pictures look at no words, their keys and values are made once for all texts of a picture that `each`
        says they meet. With `two_way` each pair changes what a picture is, so that its tower alone is shared.
        """
        self.demand("fused_tokens", *_FUSING)
        picture, words = self.image_tokens(image), self._read(text, causal=False)
        if image.distinct is not None and not self.two_way:
            together = words.unflatten(0, (-1, image.alike))
            return picture, self._look_at(image.distinct, together, text.mask).flatten(0, 1)
        return self._fuse(picture, words, text.mask, causal=False)

    def _look_at(self, image: ImageState, words: Tensor, present: Tensor) -> Tensor:
        """B, C, T, D -> B, C, T, D: words of C texts a picture, of which some are present (B*C, T)."""
        layers: list[Any] = list(self.decoder) if self.split else [block.words for block in self.fusion]

        def keys_of(whole: ImageState) -> tuple[parts.Keys, ...]:
            tokens = self.image_tokens(whole)
            return tuple(layer.cross.keys(tokens) for layer in layers)

        keys: tuple[parts.Keys, ...] = image.once("fusion keys", keys_of)
        if self.split:
            made = {f"layer{number}": pair for number, pair in enumerate(keys)}
            return self._write(words, Context(self.image_tokens(image), None, made))
        for layer, seen in zip(layers, keys, strict=True):
            words = layer(words, seen, None, parts.masks.padding(present))
        fused: Tensor = self.fused_norm(words)
        return fused

    def _fuse(self, picture: Tensor, words: Tensor, present: Tensor, causal: bool) -> tuple[Tensor, Tensor]:
        if self.split:
            return picture, self._write(words[:, None], Context(picture, None))[:, 0]
        there = parts.masks.padding(present)
        mask = there & parts.masks.causal(words.shape[1], words.device) if causal else there
        for block in self.fusion:
            picture, words = block(picture, words, there, mask)
        return self.fused_image_norm(picture) if self.two_way else picture, self.fused_norm(words)

    def context(
        self, image: ImageState | None, prefix: TextState | None = None, visible: Visible = "all"
    ) -> Context:
        """A picture's tokens, a prefix's, or both fused; BOS stands in, row by row, where there is nothing."""
        self.demand("context", "decode")
        parts.masks.visible(visible, 0, 0)  # refuses other words
        if prefix is None:
            if image is None:
                raise ValueError("context() needs a picture, a prefix, or both")
            return Context(self._look(image, visible == "causal"), None)
        causal = visible != "all"
        filled = TextState(*never_empty(prefix, self.spec.vocabulary.bos))
        if image is None:
            return Context(self._read(filled, causal), filled.mask)
        if causal and self.two_way:
            raise ValueError(
                f"visible {visible!r} forbids image tokens to look at words, which come later; with two_way they do: "
                "set it to false"
            )
        alone = self._look(image, visible == "causal")
        picture, words = self._fuse(alone, self._read(filled, causal), filled.mask, causal)
        if self.two_way:
            picture = torch.where(prefix.mask.any(1)[:, None, None], picture, alone)
        present = nn.functional.pad(prefix.mask, (picture.shape[1], 0), value=True)
        return Context(torch.cat([picture, words], 1), present)

    def _below(self) -> list[nn.Module]:
        return list(self.text_tower.blocks) if self.split else []

    def _enter_decoder(self, tokens: Tensor) -> Tensor:
        if not self.split:
            return super()._enter_decoder(tokens)
        words = self.words(tokens.flatten(0, 1))
        there = torch.ones_like(tokens.flatten(0, 1), dtype=torch.bool)
        return self.text_tower(words, there, True).unflatten(0, tokens.shape[:2])

    def _enter_decoder_at(
        self, token: Tensor, at: Tensor | int, past: Pasts, mask: Tensor | None
    ) -> Tensor:
        if not self.split:
            return super()._enter_decoder_at(token, at, past, mask)
        x = self.words(token) + self.text_tower.positions.at(at)
        for block, own in zip(self._below(), past, strict=True):
            x = block.step(x, own, mask)  # type: ignore[operator]
        return self.text_tower.norm(x)
