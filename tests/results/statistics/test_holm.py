"""Holm by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from vlpbench.errors import UserError
from vlpbench.results.statistics import holm


def test_by_hand():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])


def test_none_is_below_the_one_before_and_none_above_one():
    assert holm([0.02, 0.021, 0.9, 0.8]) == pytest.approx([0.08, 0.08, 1.0, 1.0])


def test_what_has_no_test_is_not_counted():
    found = holm([math.nan, 0.02, math.nan, 0.03])
    assert math.isnan(found[0]) and math.isnan(found[2])
    assert [found[1], found[3]] == pytest.approx([0.04, 0.04])


def test_little():
    assert holm([]) == [] and holm([0.3]) == [0.3] and math.isnan(holm([math.nan])[0])


def test_order_does_not_matter():
    p = np.random.default_rng(0).uniform(0, 0.2, 12)
    order = np.random.default_rng(1).permutation(12)
    assert holm([*p[order]]) == pytest.approx(np.array(holm([*p]))[order])


def test_comparisons_without_a_p_here_make_it_stricter_and_never_laxer_than_all_together():
    assert holm([0.01, 0.02], unseen=3) == pytest.approx([0.05, 0.08])
    p = np.random.default_rng(2).uniform(0, 0.1, 10)
    together = np.array(holm([*p]))[:4]
    assert (np.array(holm([*p[:4]], unseen=6)) >= together - 1e-12).all()


@pytest.mark.parametrize("p", [[-0.1], [0.5, 1.1], [math.inf]])
def test_what_is_no_p_is_refused(p):
    with pytest.raises(UserError):
        holm(p)


def test_where_nothing_differs_one_table_in_twenty_has_a_find():
    tables = np.random.default_rng(2).uniform(size=(2000, 11))
    assert 0.035 < np.mean([min(holm([*one])) < 0.05 for one in tables]) < 0.065
