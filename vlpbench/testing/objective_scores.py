"""Checks of what an objective gives to evaluation: similarities of pictures and texts, log-odds of a match.

Axes: N pictures, M texts, B pairs, T tokens.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import pad

from vlpbench.contract.abilities import Backbone, ImageState, TextState
from vlpbench.contract.objective import Objective
from vlpbench.testing.findings import CheckFailed, CheckSkipped
from vlpbench.testing.rounds import crossed, far
from vlpbench.testing.subject import Subject
from vlpbench.types import Batch

__all__ = ["check_match", "check_similarity"]

_MORE = 3


@dataclass(frozen=True)
class _Seen:
    """An objective with a backbone, pictures and texts to be scored."""

    objective: Objective
    backbone: Backbone
    batch: Batch

    @classmethod
    def of(cls, subject: Subject) -> _Seen:
        """Pairs of the kind it trains on; evaluation has pictures even where training had none."""
        abilities = subject.cls.matches_with(subject.config) if "match" in subject.cls.trains else frozenset[str]()
        backbone = subject.backbone(more=frozenset(abilities) & subject.offers)
        host = subject.hosts_of(("pairs",))["pairs"]
        return cls(subject.objective(backbone), backbone, crossed(host))

    def image(self, rows: Tensor) -> ImageState:
        """The states of some pictures, alone."""
        return self.backbone.see(self.batch.images[rows])  # type: ignore[index]

    def text(self, rows: Tensor, padded: int = 0, garbage: bool = False) -> TextState:
        """The states of some texts, alone; with more padding, or with other ids under it."""
        tokens, mask = self.batch.tokens[rows], self.batch.mask[rows]
        tokens = torch.where(mask, tokens, tokens[:, :1]) if garbage else tokens
        return self.backbone.read(pad(tokens, (0, padded), value=self.batch.vocabulary.pad), pad(mask, (0, padded)))


@torch.no_grad()
def check_similarity(subject: Subject) -> None:
    """similarity() gives N, M twice, finite; each number depends on its own picture and text alone, not on padding."""
    if "similarity" not in subject.cls.trains:
        raise CheckSkipped("no-similarity")
    seen = _Seen.of(subject)
    pictures, texts = torch.arange(len(seen.batch) - 1), torch.arange(2, len(seen.batch))
    pictures = pictures[:3] if len(pictures) == len(texts) else pictures  # N != M

    def scores(image: ImageState, text: TextState) -> tuple[Tensor, Tensor]:
        found = seen.objective.similarity(seen.backbone, image, text)
        if not (isinstance(found, tuple) and len(found) == 2):
            raise CheckFailed(f"similarity() gave {type(found).__name__}", "give two tensors: N, M and N, M")
        return found

    base = scores(seen.image(pictures), seen.text(texts))
    for number, x in enumerate(base):
        _fit(x, (len(pictures), len(texts)), f"similarity()[{number}]")
    some, few = torch.tensor([2, 0]), torch.tensor([1])
    alone = scores(seen.image(pictures[some]), seen.text(texts[few]))
    _same(alone, [x[some][:, few] for x in base], "similarity()", "depends on what else is asked in the same call")
    _same(scores(seen.image(pictures), seen.text(texts, _MORE)), base, "similarity()", "changes with more padding")
    _same(scores(seen.image(pictures), seen.text(texts, garbage=True)), base, "similarity()",
          "changes with the ids under padding")


@torch.no_grad()
def check_match(subject: Subject) -> None:
    """match() gives B log-odds, finite; each depends on its own picture and text alone, and on both, not on padding."""
    if "match" not in subject.cls.trains:
        raise CheckSkipped("no-match")
    seen = _Seen.of(subject)
    rows = torch.arange(len(seen.batch))

    def odds(image: ImageState, text: TextState) -> Tensor:
        return seen.objective.match(seen.backbone, image, text)

    base = odds(seen.image(rows), seen.text(rows))
    _fit(base, (len(rows),), "match()")
    some = torch.tensor([2, 0])
    _same([odds(seen.image(some), seen.text(some))], [base[some]], "match()", "depends on the other rows of the call")
    _same([odds(seen.image(rows), seen.text(rows, _MORE))], [base], "match()", "changes with more padding")
    _same([odds(seen.image(rows), seen.text(rows, garbage=True))], [base], "match()", "changes with ids under padding")
    turned = {"picture": odds(seen.image(rows.roll(1)), seen.text(rows)),
              "text": odds(seen.image(rows), seen.text(rows.roll(1)))}
    for what, found in turned.items():
        if far(found, base, 1e-6) is None:
            raise CheckFailed(f"match() says the same of another {what}", "fuse both, and judge what comes out")


def _fit(x: Tensor, shape: tuple[int, ...], what: str) -> None:
    if tuple(x.shape) != shape:
        raise CheckFailed(f"{what} has shape {tuple(x.shape)}, not {shape}", "pictures are rows, texts are columns")
    if not torch.isfinite(x).all():
        raise CheckFailed(f"{what} is not finite", "clamp what is divided by or rooted")


def _same(found: Sequence[Tensor], base: Sequence[Tensor], what: str, how: str) -> None:
    for x, y in zip(found, base, strict=True):
        apart = far(x, y, 1e-4)
        if apart is not None:
            remedy = "score each picture and text by itself, and mind the mask"
            raise CheckFailed(f"{what} {how}: {apart:.2g} apart", remedy)
