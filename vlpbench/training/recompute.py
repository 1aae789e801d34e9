"""Layers that are computed again in the backward pass, so that between the two a step keeps their inputs alone.

(Activation checkpointing, arXiv 1604.06174.) What a layer draws is drawn again alike, and what it hands on beside its
output (keys for words to come) is handed on once. Layers with batch norm are left alone: their statistics would be
counted twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, Self

from torch import nn
from torch.utils.checkpoint import checkpoint

from vlpbench.parts import DecoderBlock, EncoderBlock, FusionBlock, PostNormBlock
from vlpbench.training.cost import counted_flops

__all__ = ["Recomputing", "layers_to_recompute"]

_METHODS: Mapping[type[nn.Module], tuple[str, ...]] = {
    EncoderBlock: ("forward", "beyond"), DecoderBlock: ("forward",), FusionBlock: ("forward",),
    PostNormBlock: ("forward",),
}
"""The layers of a transformer, and their ways through in training."""


class Recomputing:
    """While it is entered, a model's layers are computed again in the backward pass; afterwards they are as before."""

    def __init__(self, model: nn.Module, teachers: nn.Module | None = None) -> None:
        """`teachers` have no backward pass."""
        spared = set() if teachers is None else set(teachers.modules())
        self.flops = 0
        """Work of layers that were computed again while it was to be counted."""
        self.counting = False
        """Whether that is counted: work that a step without recomputing does not have is no work of the model's."""
        self._ways = [
            (layer, method, self._again(getattr(layer, method)))
            for layer in layers_to_recompute(model) if layer not in spared
            for method in _METHODS.get(type(layer), ("forward",))
        ]

    def __enter__(self) -> Self:
        for layer, method, way in self._ways:
            setattr(layer, method, way)
        return self

    def __exit__(self, *raised: object) -> None:
        for layer, method, _ in self._ways:
            delattr(layer, method)

    def _again(self, plain: Callable[..., Any]) -> Callable[..., Any]:
        """The same way through a layer; a list that it appends to is given what it appends, once."""

        def way(x: Any, *others: Any, **named: Any) -> Any:
            lists = [one for one in (*others, *named.values()) if isinstance(one, list)]

            def run(x: Any) -> Any:
                fresh: list[list[Any]] = [[] for _ in lists]
                given = iter(fresh)
                mine = [next(given) if isinstance(one, list) else one for one in others]
                called = {name: next(given) if isinstance(one, list) else one for name, one in named.items()}
                return plain(x, *mine, **called), fresh

            counted: dict[str, Any] = {"context_fn": self._contexts} if self.counting else {}
            found, fresh = checkpoint(run, x, use_reentrant=False, **counted)
            for kept, new in zip(lists, fresh, strict=True):
                kept.extend(new)
            return found

        return way

    def _contexts(self) -> tuple[AbstractContextManager[None], AbstractContextManager[None]]:
        return nullcontext(), self._counted()

    @contextmanager
    def _counted(self) -> Iterator[None]:
        with counted_flops() as flops:
            try:
                yield
            finally:
                self.flops += flops()


def layers_to_recompute(model: nn.Module) -> list[nn.Module]:
    """The layers of transformers, and a convolutional stem's residual blocks where no batch norm is in them."""
    from timm.models.resnet import BasicBlock, Bottleneck

    kinds = (*_METHODS, BasicBlock, Bottleneck)
    found: list[nn.Module] = []
    inside: set[nn.Module] = set()
    for module in model.modules():  # from the outside in
        if isinstance(module, kinds) and module not in inside and not _normed_over_batches(module):
            found.append(module)
            inside.update(module.modules())
    return found


def _normed_over_batches(module: nn.Module) -> bool:
    return any(isinstance(one, nn.modules.batchnorm._BatchNorm) for one in module.modules())
