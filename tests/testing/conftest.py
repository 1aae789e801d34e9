"""Deliberately wrong objectives and their right neighbours: a file lists them in WRONG and RIGHT, this asks the kit."""

from __future__ import annotations

import pytest

from vlpbench.testing import CheckFailed, check_objective, objective_checks

LONG = ("smoke-grid", "speed", "memory", "each-backbone", "light-import")
"""Checks that our own objectives and the sound files are asked."""


def pytest_generate_tests(metafunc):
    """`wrong` is each pair of a check and a class that must fail it; `right` each class that passes all checks."""
    if "wrong" in metafunc.fixturenames:
        pairs = [(check, cls) for check, classes in metafunc.module.WRONG.items() for cls in classes]
        metafunc.parametrize("wrong", [pytest.param(pair, id=f"{pair[0]}-{pair[1].name}") for pair in pairs])
    if "right" in metafunc.fixturenames:
        metafunc.parametrize("right", metafunc.module.RIGHT, ids=lambda cls: cls.name)


@pytest.fixture
def failure():
    """Asks one check about a class, and gives its failure; there must be one."""

    def ask(check, cls):
        with pytest.raises(CheckFailed) as caught:
            objective_checks()[check](cls)
        return caught.value

    return ask


@pytest.fixture
def failures():
    """Asks the checks about a class, but for the long ones, and gives what failed as text."""
    asked = [name for name in objective_checks() if name not in LONG]
    return lambda cls: "\n".join(str(one) for one in check_objective(cls, only=asked) if one.state == "failed")
