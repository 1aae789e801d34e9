"""Initial weights that depend on a parameter's name and the seed alone, not on what else the model holds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import nn

__all__ = ["initialise", "seeded"]


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Draw from torch's global CPU generator as if it had just been seeded; afterwards it is as before."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)  # torch.manual_seed would seed the GPU's too
        yield


def initialise(model: nn.Module, seed_of_name: Callable[[str], int], skip: frozenset[str] = frozenset()) -> None:
    """Draw every weight anew, each module seeded by its name; modules below the names in `skip` keep theirs.

    Convolutions are drawn by He's rule (arXiv 1502.01852), which a stem needs to learn at all at the smallest size; the
    last norm of a residual block starts at zero (arXiv 1706.02677); all else by its own `reset_parameters` (torch's
    own attention and transformer call it `_reset_parameters`).
    """
    closing: list[nn.Module] = []
    for name, module in model.named_modules():
        if any(name == kept or name.startswith(kept + ".") for kept in skip):
            continue
        with seeded(seed_of_name(name)):
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
            else:
                _reset(module)
        if callable(getattr(module, "zero_init_last", None)):
            closing.append(module)
    for module in closing:
        module.zero_init_last()  # type: ignore[operator]


def _reset(module: nn.Module) -> None:
    for name in ("reset_parameters", "_reset_parameters"):
        reset = getattr(module, name, None)
        if callable(reset):
            reset()
            return
