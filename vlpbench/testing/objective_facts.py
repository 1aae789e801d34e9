"""Checks of what an objective says of itself: metadata, settings that survive JSON."""

from __future__ import annotations

import json

from vlpbench.config.typed import WrongValue, make, plain
from vlpbench.contract.objective import is_coupling
from vlpbench.testing.declared import check_declared
from vlpbench.testing.findings import CheckFailed
from vlpbench.testing.subject import Subject

__all__ = ["check_config_round_trip", "check_metadata"]


def check_metadata(subject: Subject) -> None:
    """Name, version, settings class, declared words and signatures keep the contract; so does `coupled`."""
    check_declared("objective", subject.cls)
    coupled = subject.coupled
    if not is_coupling(coupled):
        raise CheckFailed(f"coupled is {coupled!r}", 'it is None, a number of samples from 2 on, "all", or (2, "all")')
    if subject.cls.visible_with(subject.config) not in ("all", "causal", "causal-text"):
        said = subject.cls.visible_with(subject.config)
        raise CheckFailed(f"visible_with() says {said!r}", 'it says "all", "causal" or "causal-text"')


def check_config_round_trip(subject: Subject) -> None:
    """The settings, and the defaults, come back from JSON as they were."""
    for config in (subject.config, subject.cls.config_class()):
        values = {name: plain(value) for name, value in vars(config).items()}
        said = json.loads(json.dumps(values))
        try:
            again = make(type(config), said)
        except WrongValue as wrong:
            raise CheckFailed(f"{type(config).__name__} {wrong}", wrong.remedy) from wrong
        if again != config:
            cause = f"{config} came back from JSON as {again}"
            raise CheckFailed(cause, "use bool, int, float, str, tuples of them")
