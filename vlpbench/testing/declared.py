"""What a class declares keeps the contract, as the registry asks when it loads a plugin."""

from __future__ import annotations

from vlpbench.registry.checks import Unfit, check_component
from vlpbench.testing.findings import CheckFailed

__all__ = ["check_declared"]


def check_declared(kind: str, cls: type) -> None:
    """CheckFailed with the registry's cause and remedy; `kind` is "objective", "stem", "trunk" or "data set"."""
    try:
        check_component(kind, cls)
    except Unfit as wrong:
        raise CheckFailed(str(wrong), wrong.remedy) from wrong
