"""What travels between the rooms: samples, batches, steps. Frozen; every field says its shape, dtype and unit.

Axes: B samples of a batch, T text tokens, P image tokens, H and W pixels, V words, D width, E joint width.
Arrays are numpy on the host (in `corrupt`) and torch on the device (in `encode` and `loss`), under equal names.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

__all__ = ["Array", "Batch", "Question", "Sample", "Spec", "Step", "Vocabulary"]

Array = Any
"""A numpy array on the host, a torch tensor on the device."""


@dataclass(frozen=True, slots=True)
class Question:
    """One question about an image, with the answers that people gave."""

    id: int
    """Question id, unique within a data set."""
    text: str
    """The question as asked."""
    answers: tuple[str, ...] = ()
    """The answers as given: ten in VQAv2, one in Visual7W, none where they are hidden."""
    kind: str = ""
    """`question_type` of the VQA format ("what color", "where"); empty where a set has none."""
    answer_kind: str = "other"
    """`answer_type` of the VQA format: "yes/no", "number" or "other"."""
    choices: tuple[str, ...] = ()
    """The choices of a multiple-choice set; empty elsewhere."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One image with its texts. What a set does not have is empty, never None."""

    id: int
    """Image id, unique within a data set."""
    image: str = ""
    """File name relative to the image folder of its set; empty for text alone."""
    captions: tuple[str, ...] = ()
    """Sentences about the image, or the texts of a text-only sample."""
    questions: tuple[Question, ...] = ()
    """Questions about the image."""
    fields: Mapping[str, Any] = field(default_factory=dict)
    """Whatever else the set knows (boxes, labels, oracle captions), for the objectives that want it."""


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The special ids of a tokenizer."""

    size: int
    """V, number of ids, special ones included."""
    pad: int
    """Fills a row up to T; never a target."""
    bos: int
    """Starts a decoder's input."""
    eos: int
    """Ends every text; always a target."""
    unk: int
    """Stands for what the tokenizer cannot write (never met with byte-level pieces)."""
    mask: int
    """Stands for a hidden token (masked language modelling)."""
    sentinels: tuple[int, ...] = ()
    """Ids that stand for whole spans (span corruption), in the order of their use."""

    @property
    def special(self) -> frozenset[int]:
        """All ids that are no words."""
        return frozenset({self.pad, self.bos, self.eos, self.unk, self.mask, *self.sentinels})


@dataclass(frozen=True, slots=True)
class Spec:
    """What an objective with weights of its own must know to build them."""

    width: int
    """D, width of tokens."""
    joint_width: int
    """E, width of the projected vectors."""
    grid: tuple[int, int]
    """Rows and columns of image tokens; P is their product."""
    vocabulary: Vocabulary
    """The tokenizer's special ids."""


@dataclass(frozen=True)
class Batch:
    """What a model sees at once. Shapes are static: only the numbers change from step to step."""

    images: Array | None
    """B, 3, H, W: float, normalised, on the device; None for a batch of texts, and None in `corrupt`."""
    tokens: Array
    """B, T: int64; words, then EOS, then padding; no BOS."""
    mask: Array
    """B, T: bool, True on words and EOS."""
    image_ids: Array
    """B: int64; equal numbers are the same image."""
    caption_ids: Array
    """B: int64; equal numbers are the same string."""
    progress: Array
    """0-d float: 0 at the first step, 1 at the last."""
    vocabulary: Vocabulary
    """The tokenizer's special ids."""
    has_image: bool = True
    """Whether this is a batch of pairs; known in `corrupt` too, where pictures are not."""
    extras: Mapping[str, Array] = field(default_factory=dict)
    """What this objective's `corrupt` returned and the sample fields it wants; read as `batch["name"]`."""
    image: Any = None
    """The lazy ImageState of `images`, shared by all objectives of the step; None for texts."""
    text: Any = None
    """The lazy TextState of `tokens`, shared by all objectives of the step."""
    others: tuple[Array, ...] = ()
    """B, 3, H, W each: the same pictures, cropped and mirrored anew, for objectives with more than one view."""
    views: tuple[Any, ...] = ()
    """Lazy ImageStates: `image`, then those of `others`; empty for texts."""
    captions: int = 1
    """How many neighbours show one picture: its rows of `images` are equal, and it is encoded once."""

    def __getitem__(self, name: str) -> Array:
        try:
            return self.extras[name]
        except KeyError:
            known = ", ".join(sorted(self.extras)) or "nothing"
            raise KeyError(f"this batch has no {name!r}; corrupt() and wants gave: {known}") from None

    def __len__(self) -> int:
        return int(self.tokens.shape[0])

    def rows(self, index: Any) -> Batch:
        """Some samples (a slice, or N indices), without the states, which belong to the whole batch."""
        arrays = {name: getattr(self, name)[index] for name in _BY_SAMPLE}
        images = None if self.images is None else self.images[index]
        extras = {name: array[index] for name, array in self.extras.items()}
        others = tuple(one[index] for one in self.others)
        return replace(
            self, images=images, others=others, extras=extras, image=None, views=(), text=None,
            captions=self.captions if self._whole(index) else 1, **arrays,
        )

    def _whole(self, index: Any) -> bool:
        """Whether these are whole pictures with all their captions."""
        if not isinstance(index, slice):
            return False
        start, stop, step = index.indices(len(self))
        return step == 1 and start % self.captions == 0 and stop % self.captions == 0


_BY_SAMPLE = ("tokens", "mask", "image_ids", "caption_ids")


@dataclass(frozen=True)
class Step:
    """What an objective's `loss` returns."""

    losses: torch.Tensor | Mapping[str, torch.Tensor]
    """B: the loss *summed* per sample, or several such by name; the loop divides by the counts of the whole step."""
    figures: Mapping[str, torch.Tensor] = field(default_factory=dict)
    """0-d tensors worth logging; they do not train anything."""
    carry: Mapping[str, torch.Tensor] = field(default_factory=dict)
    """Rows to hand to `after_step` once a step, joined over micro-batches."""
