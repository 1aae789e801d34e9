"""The decorator: readable ids, expected failures that must fail, and names that must be known."""

from __future__ import annotations

import pytest

from vlpbench.objectives.contrastive import Contrastive
from vlpbench.objectives.none import Nothing
from vlpbench.plugin import Objective
from vlpbench.testing import n_checks, objective_checks, parametrize_objective_checks
from vlpbench.testing.pytest_support import parametrized


def test_ids_name_the_class_and_the_check():
    mark = parametrize_objective_checks([Contrastive, Nothing]).mark
    names, parameters = mark.args
    assert names == ("objective", "check")
    assert len(parameters) == 2 * n_checks()
    ids = [one.id for one in parameters]
    assert "Contrastive-no-dead-head" in ids and "Nothing-light-import" in ids


def test_an_unknown_name_is_an_error_with_the_nearest_right_one():
    with pytest.raises(ValueError, match="did you mean 'no-dead-head'"):
        parametrize_objective_checks([Contrastive], expected_failures={"no-dead-heads": "an ablation"})


def test_a_reason_must_be_given():
    with pytest.raises(ValueError, match="says no reason"):
        parametrize_objective_checks([Contrastive], expected_failures={"no-dead-head": " "})


def test_an_expected_failure_is_strict():
    mark = parametrize_objective_checks([Contrastive], expected_failures={"no-dead-head": "an ablation"}).mark
    (one,) = [one for one in mark.args[1] if one.marks]
    assert one.id == "Contrastive-no-dead-head"
    assert one.marks[0].name == "xfail" and one.marks[0].kwargs["strict"] is True


def test_a_skipped_check_skips_its_test():
    checks = {"no-dead-head": objective_checks()["no-dead-head"]}
    (one,) = parametrized("objective", [("Nothing", Nothing)], checks, {}).mark.args[1]
    with pytest.raises(pytest.skip.Exception, match="trains-nothing"):
        one.values[1](one.values[0])


def test_what_is_no_objective_is_refused():
    with pytest.raises(TypeError, match="an objective class"):
        parametrize_objective_checks([int])
    assert issubclass(Contrastive, Objective)


@parametrize_objective_checks([Nothing])
def test_the_decorator_runs(objective, check):
    assert check(objective) is None
