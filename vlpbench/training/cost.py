"""What a training costs: floating-point operations, counted and not guessed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from torch import nn
from torch.utils.flop_counter import FlopCounterMode

__all__ = ["counted_flops", "parameters"]


@contextmanager
def counted_flops() -> Iterator[Callable[[], int]]:
    """Count what runs inside: matrix products, convolutions and attention, a multiply and an add apart.

    Gives a function that tells the count when all has run. Norms and activations are not counted (as in papers).
    """
    with FlopCounterMode(display=False) as counter:
        yield lambda: int(counter.get_total_flops())


def parameters(model: nn.Module) -> int:
    """Numbers that a training may change."""
    return sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)
