"""Our own objectives pass every check."""

from __future__ import annotations

from vlpbench.objectives import vlpbench_objectives
from vlpbench.testing import parametrize_objective_checks


@parametrize_objective_checks(vlpbench_objectives())
def test_a_built_in_objective_passes(objective, check):
    assert check(objective) is None
