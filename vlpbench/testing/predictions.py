"""The word predictions of an objective: which features say which word, and whether they enter the loss.

A prediction is found where features meet the word table (`token_losses`, `logits`), or where `encode` returns log-odds
over the vocabulary. Axes: B samples, S places, D width, V words.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor

from vlpbench.testing.recording import Call, recorded
from vlpbench.testing.rounds import Round, crossed, mean_loss, play
from vlpbench.testing.subject import Subject
from vlpbench.types import Batch

__all__ = ["Prediction", "Speaker"]


@dataclass(frozen=True)
class Prediction:
    """The words of one call."""

    features: Tensor
    """B, S, D (or V): what the words are told from."""
    targets: Tensor
    """B, S: the words."""
    counted: Tensor
    """B, S bool: whether this word is in the loss."""
    decoded: bool
    """Whether the features come from `decode`, one word after the other."""


class _Spoken(NamedTuple):
    """A place where words are told: features, the output that a gradient is asked for, and the words if known."""

    features: Tensor
    output: Tensor
    targets: Tensor | None


class Speaker:
    """An objective that is asked again and again, with the same weights, what it predicts."""

    def __init__(self, subject: Subject) -> None:
        self.backbone = subject.backbone()
        self.objective = subject.objective(self.backbone)
        self.contexts: list[Any] = []
        self._kept: dict[int, Tensor] = {}
        self._graded = True

    def first(self, host: Batch) -> list[Prediction]:
        """The predictions on a corrupted batch that enter the loss; remembers which, and the contexts."""
        made, spoken, calls = self._play(host)
        self.contexts = [call.result for call in calls if call.name == "context"]
        decodings = [x for call in calls if call.name == "decode" for x in call.outputs]
        self._graded = any(one.targets is None for one in spoken)
        self._kept, found = {}, []
        for number, (one, gradient) in enumerate(zip(spoken, _gradients(made, spoken), strict=True)):
            if gradient is None or not gradient.any() or len(one.features) != len(host):
                continue
            targets, counted = _words(one, gradient)
            flat = _flat(one.features, targets, counted)
            self._kept[number] = flat[2]
            found.append(Prediction(*flat, _comes_from(one.features, decodings)))
        return found

    def again(self, host: Batch, contexts: Sequence[Any] = ()) -> list[Prediction]:
        """The same predictions on another batch, optionally with other contexts than its own."""
        with torch.set_grad_enabled(self._graded):
            made, spoken, _calls = self._play(host, {"context": contexts} if contexts else None)
        gradients = _gradients(made, spoken) if self._graded else [None] * len(spoken)
        found = []
        for number, counted in self._kept.items():
            one, gradient = spoken[number], gradients[number]
            targets = one.targets if gradient is None or one.targets is not None else gradient.argmin(-1)
            assert targets is not None
            features, aims, _ = _flat(one.features, targets, counted)
            found.append(Prediction(features, aims, counted, False))
        return found

    def _play(
        self, host: Batch, answers: Mapping[str, Sequence[Any]] | None = None
    ) -> tuple[Round, list[_Spoken], list[Call]]:
        with recorded(self.backbone, answers) as calls:
            made = play(self.objective, self.backbone, crossed(host))
        spoken = [
            _Spoken(call.given[0], call.outputs[0], call.given[1] if call.name == "token_losses" else None)
            for call in calls if call.name in ("token_losses", "logits")
        ]
        words = host.vocabulary.size
        told = [x for x in made.features.values() if x.is_floating_point() and x.ndim == 3 and x.shape[-1] == words]
        own = [_Spoken(x, x, None) for x in told if not any(x is one.output for one in spoken)]
        return made, [*spoken, *own], calls


def _gradients(made: Round, spoken: Sequence[_Spoken]) -> Sequence[Tensor | None]:
    loss = mean_loss(made)
    if not spoken or not loss.requires_grad:
        return [None] * len(spoken)
    wanted = [number for number, one in enumerate(spoken) if one.output.requires_grad]
    found = torch.autograd.grad(loss, [spoken[n].output for n in wanted], allow_unused=True, retain_graph=True)
    by_number = dict(zip(wanted, found, strict=True))
    return [by_number.get(number) for number in range(len(spoken))]


def _words(one: _Spoken, gradient: Tensor) -> tuple[Tensor, Tensor]:
    """The words and which of them count: cross-entropy pulls up the log-odds of the right word alone."""
    if one.targets is not None:
        return one.targets, gradient != 0
    return gradient.argmin(-1), gradient.abs().amax(-1) > 0


def _flat(features: Tensor, targets: Tensor, counted: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """B, S, D and B, S and B, S, whatever stood between."""
    flat = features.detach().reshape(len(features), -1, features.shape[-1])
    return flat, targets.reshape(flat.shape[:2]), counted.reshape(flat.shape[:2])


def _comes_from(features: Tensor, decodings: Sequence[Tensor]) -> bool:
    if any(features is x for x in decodings):
        return True
    wanted = [x for x in decodings if x.requires_grad]
    if not wanted or not features.requires_grad:
        return False
    found = torch.autograd.grad(features.sum(), wanted, allow_unused=True, retain_graph=True)
    return any(gradient is not None for gradient in found)
