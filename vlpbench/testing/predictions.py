"""The word predictions of an objective: which features say which word, and whether they enter the loss.

A prediction is found where features meet the word table (`token_losses`, `logits`), and where encode or loss take a
softmax over as many numbers as there are words (a head of the objective's own).

Axes: B samples, S places, D width, V words.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

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


class _Softmax(TorchFunctionMode):
    """Notes what goes into a softmax over `words` numbers, outside of the backbone."""

    def __init__(self, words: int, samples: int, depth: list[int]) -> None:
        super().__init__()
        self.words, self.samples, self.depth, self.seen = words, samples, depth, []  # type: ignore[var-annotated]

    def __torch_function__(
        self, function: Any, types: Any, given: tuple[Any, ...] = (), named: Mapping[str, Any] | None = None
    ) -> Any:
        """Do what was asked for; note its input."""
        if self.depth[0] == 0 and getattr(function, "__name__", "") in ("cross_entropy", "log_softmax", "softmax"):
            x = given[0] if given else None
            if isinstance(x, Tensor) and x.is_floating_point() and self.words in x.shape and x.ndim > 1:
                self._note(x)
        return function(*given, **(named or {}))

    def _note(self, x: Tensor) -> None:
        """As B, S, V, where it can be seen as that; the gradient is asked of what goes on, so it stays as it is."""
        if x.shape[-1] == self.words and x[..., 0].numel() % self.samples == 0:
            self.seen.append(x)


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
            if gradient is None or not gradient.any() or one.features[..., 0].numel() % len(host):
                continue
            targets, counted = _words(one, gradient)
            if not counted.any():
                continue
            flat = _flat(one.features, targets, counted, len(host))
            self._kept[number] = flat[2]
            found.append(Prediction(*flat, _comes_from(one.features, decodings)))
        return found

    def again(self, host: Batch, contexts: Sequence[Any] = ()) -> list[Prediction]:
        """The same predictions on another batch, optionally with other contexts than its own."""
        with torch.set_grad_enabled(self._graded):
            made, spoken, _calls = self._play(host, {"context": contexts} if contexts else None)
        gradients = _gradients(made, spoken) if self._graded else [None] * len(spoken)
        found = []
        for number, counted in self._kept.items() if len(spoken) > max(self._kept, default=0) else ():
            one, gradient = spoken[number], gradients[number]
            targets = one.targets if gradient is None or one.targets is not None else gradient.argmin(-1)
            assert targets is not None
            features, aims, _ = _flat(one.features, targets, counted, len(host))
            found.append(Prediction(features, aims, counted, False))
        return found

    def _play(
        self, host: Batch, answers: Mapping[str, Sequence[Any]] | None = None
    ) -> tuple[Round, list[_Spoken], list[Call]]:
        depth = [0]
        softmax = _Softmax(host.vocabulary.size, len(host), depth)
        with recorded(self.backbone, answers, depth) as calls, softmax:
            made = play(self.objective, self.backbone, crossed(host))
        spoken = [
            _Spoken(call.given[0], call.outputs[0], call.given[1] if call.name == "token_losses" else None)
            for call in calls if call.name in ("token_losses", "logits")
        ]
        own = [_Spoken(x, x, None) for x in softmax.seen if not any(x is one.output for one in spoken)]
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
    """The words and which of them count: cross-entropy pulls up the log-odds of the right word alone.

    Where several are pulled up (a teacher's shares, smoothed labels), no one word is told, and none counts.
    """
    if one.targets is not None:
        return one.targets, gradient != 0
    two = gradient.topk(2, largest=False).values
    return gradient.argmin(-1), (two[..., 0] < 0) & (two[..., 1] >= 0)


def _flat(features: Tensor, targets: Tensor, counted: Tensor, samples: int) -> tuple[Tensor, Tensor, Tensor]:
    """B, S, D and B, S and B, S, whatever stood between."""
    flat = features.detach().reshape(samples, -1, features.shape[-1])
    return flat, targets.reshape(flat.shape[:2]), counted.reshape(flat.shape[:2])


def _comes_from(features: Tensor, decodings: Sequence[Tensor]) -> bool:
    if any(features is x for x in decodings):
        return True
    wanted = [x for x in decodings if x.requires_grad]
    if not wanted or not features.requires_grad:
        return False
    found = torch.autograd.grad(features.sum(), wanted, allow_unused=True, retain_graph=True)
    return any(gradient is not None for gradient in found)
