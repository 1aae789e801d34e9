"""None: nothing is asked for, nothing is taught."""

from __future__ import annotations

from vlpbench.contract.objective import NoConfig
from vlpbench.objectives import vlpbench_objectives
from vlpbench.objectives.none import Nothing


def test_nothing_is_asked_for_and_nothing_taught(host, crossed):
    nothing = Nothing(NoConfig(), None)
    batch = crossed(host([8, 3, 1]))
    assert nothing.encode(None, batch) == {}
    assert nothing.loss({}, batch).losses.tolist() == [0.0, 0.0, 0.0]
    assert nothing.loss({}, batch).losses.is_floating_point()
    assert list(nothing.parameters()) == []


def test_declared():
    assert (Nothing.name, Nothing.uses, Nothing.trains) == ("none", frozenset(), frozenset())
    assert Nothing.needs_with(NoConfig()) == frozenset()


def test_names_of_the_built_in_objectives():
    names = [objective.name for objective in vlpbench_objectives()]
    assert names == sorted(names)
    assert {"contrastive", "language-model", "none", "prefix-lm"} <= set(names)
