"""What a backbone may be able to do, and the lazy states through which it is asked.

Axes: B batch, P image tokens, T text tokens, M tokens of a context, S decoded tokens, C candidates, k beams, D width,
E joint width, V words.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

import torch
from torch import Tensor, nn

from vlpbench.contract.decoding import DecodingState
from vlpbench.types import Spec

if TYPE_CHECKING:
    from vlpbench.contract.teacher import Teacher

__all__ = ["ABILITIES", "Backbone", "Context", "DecodingState", "ImageState", "TextState", "Visible"]

ABILITIES: Mapping[str, str] = {
    "image_tokens": "encode a picture alone: B, P, D",
    "text_tokens": "encode a text alone, all words visible: B, T, D",
    "image_vector": "one unit vector a picture: B, E",
    "text_vector": "one unit vector a text: B, E",
    "fused_tokens": "picture and text see each other: B, P, D and B, T, D",
    "context": "what decoding looks at: a picture, a prefix of words, or both",
    "decode": "features that tell the next word: B, S, D",
}
"""The methods a backbone may have, each with what it returns. An ability is a method, so the claim cannot go stale."""

Visible = Literal["all", "causal", "causal-text"]
"""Who sees whom in a context: everybody; what came before; pictures everything and words what came before."""


class _State:
    """Products of one batch, each computed once, whoever asks."""

    def __init__(self, parent: Self | None = None, index: Tensor | None = None) -> None:
        self._made: dict[str, Any] = {}
        self._parent, self._index = parent, index

    def once(self, name: str, make: Callable[[Any], Any]) -> Any:
        """The product `name`; `make(whole)` computes it for the whole batch when it is first asked for."""
        if name not in self._made:
            if self._parent is None:
                self._made[name] = make(self)
            else:
                self._made[name] = _rows(self._parent.once(name, make), self._index)
        return self._made[name]


def _rows(product: Any, index: Tensor | None) -> Any:
    if isinstance(product, ImageState | TextState):  # a teacher's own
        return product.rows(index)  # type: ignore[arg-type]
    if isinstance(product, tuple):
        return tuple(_rows(part, index) for part in product)
    return product[index]


class ImageState(_State):
    """A batch of pictures; never depends on a text."""

    def __init__(
        self, images: Tensor | None, parent: ImageState | None = None, index: Tensor | None = None
    ) -> None:
        super().__init__(parent, index)
        self._images = images
        self.distinct: ImageState | None = None
        """The state that `each` was asked of."""
        self.alike = 1
        """Rows in a row that show one picture."""

    @property
    def images(self) -> Tensor:
        """B, 3, H, W; some rows of a state are picked when they are asked for, as their products rarely need them."""
        if self._images is None:
            assert self._parent is not None
            self._images = self._parent.images[self._index]
        return self._images

    def rows(self, index: Tensor) -> ImageState:
        """The state of some rows (N indices): what the whole has computed is picked, not computed again."""
        return ImageState(None, self, index)

    def each(self, many: int) -> ImageState:
        """Each picture `many` times in a row, to meet as many texts.

        A backbone that looks at `distinct` makes what texts see of a picture once, and need not copy it for each text.
        """
        device = self.images.device if self._index is None else self._index.device
        found = self.rows(torch.arange(len(self), device=device).repeat_interleave(many))
        found.distinct, found.alike = self, many
        return found

    def __len__(self) -> int:
        return len(self.images) if self._index is None else len(self._index)


class TextState(_State):
    """A batch of texts: `tokens` (B, T; or B, C, T for C candidates a row) and `mask` (same shape, True on tokens)."""

    def __init__(
        self, tokens: Tensor, mask: Tensor, parent: TextState | None = None, index: Tensor | None = None
    ) -> None:
        super().__init__(parent, index)
        self.tokens, self.mask = tokens, mask

    def rows(self, index: Tensor) -> TextState:
        """The state of some rows (N indices)."""
        return TextState(self.tokens[index], self.mask[index], self, index)

    def __len__(self) -> int:
        return len(self.tokens)


@dataclass
class Context:
    """What decoding looks at."""

    memory: Tensor
    """B, M, D."""
    mask: Tensor | None
    """B, M bool, True on what is there; None if all of it is."""
    keys: dict[str, Any] = field(default_factory=dict)
    """Keys and values of each layer, made when first asked for."""

    def rows(self, index: Tensor) -> Context:
        """The context of some rows (N indices)."""
        keys = {name: _rows(made, index) for name, made in self.keys.items()}
        return Context(self.memory[index], None if self.mask is None else self.mask[index], keys)


class Backbone(nn.Module, ABC):
    """Stem + trunk + word table, asked through its abilities.

    A subclass declares the abilities it can have in `offers`, builds those named in `abilities` and overrides the
    methods of those names. All but `see` and `read` take states, so that what two objectives share is computed once.
    """

    name: ClassVar[str]
    """What the middle part of a backbone's name says."""
    version: ClassVar[int] = 1
    """Raised when the same settings give other numbers; part of a cell's id."""
    offers: ClassVar[frozenset[str]] = frozenset()
    """The abilities it can be built with."""
    trains: frozenset[str] = frozenset()
    """What an outside model was trained for before it came here; nothing for ours."""
    cites: ClassVar[tuple[str, ...]] = ()
    """What a paper cites that uses it: BibTeX entries, or keys of vlpbench's own list (`vlpbench cite --all`)."""

    def __init__(self, spec: Spec, abilities: frozenset[str]) -> None:
        super().__init__()
        missing = abilities - self.offers
        if missing:
            raise ValueError(f"{type(self).__name__} cannot {', '.join(sorted(missing))}")
        self.spec, self.abilities = spec, abilities
        self._teacher: Teacher | None = None

    @property
    def teacher(self) -> Teacher:
        """The moving average of this backbone that the objective at work asked for; RuntimeError if it did not."""
        if self._teacher is None:  # an AttributeError would be taken for a missing submodule
            raise RuntimeError(f"{self.name!r} has no teacher; declare its decay: teacher = 0.995")
        return self._teacher

    def taught_by(self, teacher: Teacher | None) -> None:
        """Say whom `teacher` stands for from now on (the loop does, before each objective)."""
        self._teacher = teacher

    def see(self, images: Tensor) -> ImageState:
        """B, 3, H, W -> a lazy state."""
        return ImageState(images)

    def read(self, tokens: Tensor, mask: Tensor) -> TextState:
        """B, T (or B, C, T) ids and where they are -> a lazy state."""
        return TextState(tokens, mask)

    def image_tokens(self, image: ImageState) -> Tensor:
        """B, P, D: a picture alone."""
        raise self._cannot("image_tokens")

    def text_tokens(self, text: TextState) -> Tensor:
        """B, T, D: a text alone, all words visible."""
        raise self._cannot("text_tokens")

    def image_vector(self, image: ImageState) -> Tensor:
        """B, E of unit length, fp32."""
        raise self._cannot("image_vector")

    def text_vector(self, text: TextState) -> Tensor:
        """B, E of unit length, fp32."""
        raise self._cannot("text_vector")

    def fused_tokens(self, image: ImageState, text: TextState) -> tuple[Tensor, Tensor]:
        """B, P, D and B, T, D: both see each other."""
        raise self._cannot("fused_tokens")

    def context(
        self, image: ImageState | None, prefix: TextState | None = None, visible: Visible = "all"
    ) -> Context:
        """What decoding looks at. Where a row has nothing to see, BOS stands in."""
        raise self._cannot("context")

    def decode(self, context: Context, text: TextState) -> Tensor:
        """B, S, D (or B, C, S, D): features that tell the word after each of `text`, which starts with BOS."""
        raise self._cannot("decode")

    def begin(self, context: Context, beams: int, length: int) -> DecodingState:
        """Start decoding `beams` rows of at most `length` words for each row of the context."""
        raise self._cannot("decode")

    def step(self, state: DecodingState, token: Tensor) -> Tensor:
        """B, k ids just chosen -> B, k, V: log-odds of the next word."""
        raise self._cannot("decode")

    def demand(self, *abilities: str) -> None:
        """Raise AttributeError unless it was built with one of `abilities`: for methods whose weights may not exist."""
        if self.abilities.isdisjoint(abilities):
            built = ", ".join(sorted(self.abilities)) or "nothing"
            raise AttributeError(
                f"this {self.name!r} was built without {abilities[0]!r} (with: {built}); name it in `needs`"
            )

    @abstractmethod
    def logits(self, features: Tensor) -> Tensor:
        """..., D -> ..., V in fp32: log-odds of each word by the tied word table."""

    @abstractmethod
    def word_vectors(self, tokens: Tensor) -> Tensor:
        """... -> ..., D: the rows of the tied word table, without positions."""

    @abstractmethod
    def token_losses(self, features: Tensor, targets: Tensor) -> Tensor:
        """..., D and ... -> ...: -log P(target) in nats; B, S, V never exists at once."""

    def _cannot(self, ability: str) -> AttributeError:
        return AttributeError(f"the backbone {self.name!r} has no {ability!r} ({ABILITIES[ability]})")

    @property
    def device(self) -> torch.device:
        """Where its weights are."""
        return next(self.parameters()).device
