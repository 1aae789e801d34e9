"""The random generators that all code of a process shares: kept still, set, and compared."""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor

__all__ = ["moved", "no_own_generators", "seeded_anew", "shared_states", "without_dropout"]


def shared_states() -> dict[str, Any]:
    """The states of the shared generators of Python, numpy and torch."""
    _name, keys, place, has, gauss = np.random.get_state()
    return {
        "random": random.getstate(),
        "numpy.random": (np.asarray(keys).tobytes(), int(place), int(has), float(gauss)),
        "torch": torch.get_rng_state().numpy().tobytes(),
    }


def moved(before: dict[str, Any]) -> list[str]:
    """The shared generators that have been drawn from or seeded since."""
    now = shared_states()
    return [name for name, state in before.items() if now[name] != state]


@contextmanager
def seeded_anew(seed: int) -> Iterator[None]:
    """Inside, the shared generators are as if they had just been seeded; afterwards they are as before."""
    python, arrays = random.getstate(), np.random.get_state()
    with torch.random.fork_rng(devices=[]):
        random.seed(seed)
        np.random.seed(seed)
        torch.default_generator.manual_seed(seed)
        try:
            yield
        finally:
            random.setstate(python)
            np.random.set_state(arrays)


@contextmanager
def without_dropout() -> Iterator[None]:
    """Inside, dropout leaves its input as it is and draws nothing: the loop seeds it, so it is no offence."""
    names = ("dropout", "dropout1d", "dropout2d", "dropout3d", "alpha_dropout", "feature_alpha_dropout")
    before = {name: getattr(torch.nn.functional, name) for name in names}
    try:
        for name in names:
            setattr(torch.nn.functional, name, _unchanged)
        yield
    finally:
        for name, function in before.items():
            setattr(torch.nn.functional, name, function)


def _unchanged(x: Tensor, *_settings: Any, **_named: Any) -> Tensor:
    return x


_MAKERS = ("default_rng", "RandomState", "Generator", "PCG64", "SeedSequence")


@contextmanager
def no_own_generators(module: str, refuse: Callable[[str], Exception]) -> Iterator[None]:
    """Inside, who makes a generator of numpy's or Python's gets what `refuse` makes of its name.

    What `module` has imported from there by name is replaced, too.
    """
    homes: list[tuple[Any, str]] = [(np.random, name) for name in _MAKERS] + [(random, "Random")]
    makers = {id(getattr(home, name)): name for home, name in homes}
    if module in sys.modules:
        own = sys.modules[module]
        homes += [(own, name) for name, value in vars(own).items() if id(value) in makers]
    before = [(home, name, getattr(home, name)) for home, name in homes]

    def refusing(name: str) -> Callable[..., Any]:
        def make(*_given: Any, **_named: Any) -> Any:
            raise refuse(name)

        return make

    try:
        for home, name, _ in before:
            setattr(home, name, refusing(name))
        yield
    finally:
        for home, name, value in before:
            setattr(home, name, value)
