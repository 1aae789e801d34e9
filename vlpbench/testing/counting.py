"""How many checks there are, so that a run can say how many of them it ran."""

from __future__ import annotations

from vlpbench.testing.kits import checks_of

__all__ = ["n_checks"]


def n_checks(kind: str = "objective") -> int:
    """The number of checks of a kind of component; "backbone" is what a stem or a trunk is part of."""
    return len(checks_of("stem" if kind == "backbone" else kind))
