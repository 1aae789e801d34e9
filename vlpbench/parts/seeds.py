"""Several models of one shape as one, with a leading axis: what `torch.func.vmap` has no rule for, or no right one.

Inside `together` the models run under vmap, and each line of them sees one model. Attention has no weights, so that its
axis of models is folded into the batch, where vmap would run one model after the other. Dropout draws for each model
what it would draw alone.
Axes: S models, B batch, N heads, Q queries, K keys, H width of a head.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from inspect import signature
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import dropout, scaled_dot_product_attention
from torch.overrides import TorchFunctionMode

__all__ = ["are_together", "attention_of_each", "together"]

_chance: ContextVar[Sequence[torch.Generator] | None] = ContextVar("chance", default=None)
"""A generator for each model while several run as one."""


@contextmanager
def together(seeds: Sequence[int], device: torch.device) -> Iterator[None]:
    """Inside, models run under vmap; each draws its dropout from its own of the S `seeds`, as after `manual_seed`.

    On a GPU the masks are others than alone, from the same seeds: its kernels draw in an order of their own.
    """
    mark = _chance.set([torch.Generator(device).manual_seed(seed) for seed in seeds])
    try:
        with _OwnDropout():
            yield
    finally:
        _chance.reset(mark)


def are_together() -> bool:
    """Whether what runs is several models as one."""
    return _chance.get() is not None


def attention_of_each(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None, causal: bool) -> Tensor:
    """B, N, Q, H as each model sees it: `scaled_dot_product_attention` with the axis of models in its batch."""
    seen: Tensor = _Attention.apply(query, key, value, mask, causal)
    return seen


class _UnderVmap(torch.autograd.Function):
    """A function that is only asked under vmap, where its rule runs for all models what autograd then follows."""

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
        """Nothing to keep: the rule's own steps are followed."""

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> Any:
        """Never asked."""
        raise RuntimeError("asked for outside of vmap")


class _Attention(_UnderVmap):
    @staticmethod
    def forward(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None, causal: bool) -> Tensor:
        return scaled_dot_product_attention(query, key, value, attn_mask=mask, is_causal=causal)

    @staticmethod
    def vmap(
        info: Any, dims: Sequence[int | None], query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None,
        causal: bool,
    ) -> tuple[Tensor, int]:
        many = info.batch_size
        each = [_leading(x, dim, many) for x, dim in zip((query, key, value), dims, strict=False)]
        batch = each[0].shape[1]
        if mask is not None and (dims[3] is not None or (mask.ndim == 4 and len(mask) > 1)):
            mask = _leading(mask, dims[3], many)
            mask = mask[(slice(None), *[None] * (5 - mask.ndim))]  # S, B or 1, N or 1, Q, K
            mask = mask.expand(many, batch, *mask.shape[2:]).flatten(0, 1)
        query, key, value = (x.flatten(0, 1) for x in each)
        seen = scaled_dot_product_attention(query, key, value, attn_mask=mask, is_causal=causal)
        return seen.unflatten(0, (many, batch)), 0


class _Dropout(_UnderVmap):
    @staticmethod
    def forward(x: Tensor, p: float) -> Tensor:
        return dropout(x, p)

    @staticmethod
    def vmap(info: Any, dims: Sequence[int | None], x: Tensor, p: float) -> tuple[Tensor, int]:
        x = _leading(x, dims[0], info.batch_size)
        kept = [torch.empty_like(x[0]).bernoulli_(1 - p, generator=one) for one in _chance.get() or ()]
        return x * (torch.stack(kept) / (1 - p)), 0


class _OwnDropout(TorchFunctionMode):
    """Every dropout draws for each model from its own generator."""

    def __torch_function__(
        self, function: Callable[..., Any], types: Any, args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        if function is not dropout:
            return function(*args, **(kwargs or {}))
        asked = _DROPOUT.bind(*args, **(kwargs or {}))
        asked.apply_defaults()
        x, p, training = (asked.arguments[name] for name in ("input", "p", "training"))
        return _Dropout.apply(x, p) if training and p else x


_DROPOUT = signature(dropout)


def _leading(x: Tensor, dim: int | None, many: int) -> Tensor:
    """S, ...: an axis of models in front, also of what all of them share."""
    return x.expand(many, *x.shape) if dim is None else x.movedim(dim, 0)
