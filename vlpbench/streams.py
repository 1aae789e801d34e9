"""Stateless randomness: a generator is a function of (seed, stream, step), so resuming needs no state.

Streams in use: `init`, `order`, `caption`, `augment`, `corrupt/<term>`, `dropout`, `question`.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

__all__ = ["generator", "seed_of"]


def seed_of(seed: int, stream: str, step: int = 0) -> int:
    """A 63-bit number that depends on all three arguments and on nothing else."""
    digest = hashlib.sha256(f"{seed}/{stream}/{step}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def generator(seed: int, stream: str, step: int = 0) -> np.random.Generator:
    """A numpy generator for one purpose at one step: equal arguments, equal draws, in any process."""
    import numpy as np

    return np.random.Generator(np.random.PCG64(seed_of(seed, stream, step)))
