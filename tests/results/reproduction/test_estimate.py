"""Published differences beside ours: every number against its definition, written slowly and plainly."""

from __future__ import annotations

import itertools
import math
import statistics
from typing import Any

import pytest
from scipy import stats

from vlpbench.errors import UserError
from vlpbench.results import load
from vlpbench.results.reproduction import ReproductionAsked, reproductions

NAN = math.nan


def slow_t(differences: list[float], level: float) -> tuple[float, float]:
    """The interval of a mean from its definition."""
    n, mean = len(differences), statistics.fmean(differences)
    half = stats.t.ppf((1 + level) / 2, n - 1) * statistics.stdev(differences) / math.sqrt(n)
    return mean - half, mean + half


def slow_p(differences: list[float]) -> float:
    n = len(differences)
    t = statistics.fmean(differences) / (statistics.stdev(differences) / math.sqrt(n))
    return float(2 * stats.t.sf(abs(t), n - 1))


def slow_flips(differences: list[float]) -> float:
    """The share of all ways to put the signs whose sum is as far from zero."""
    seen = abs(sum(differences))
    sums = [sum(s * d for s, d in zip(signs, differences, strict=True))
            for signs in itertools.product((1, -1), repeat=len(differences))]
    return sum(abs(one) >= seen - 1e-9 for one in sums) / len(sums)


def slow_holm(ps: dict[str, float]) -> dict[str, float]:
    """Smallest first: times those that are left, and never below the one before."""
    found, before, left = {}, 0.0, len(ps)
    for row in sorted(ps, key=lambda row: ps[row]):
        before = max(before, min(1.0, left * ps[row]))
        found[row], left = before, left - 1
    return found


def slow_power(gap: float, std: float, n: int, alpha: float) -> float:
    """Of a two-sided t test, by the noncentral t."""
    shift, far = gap * math.sqrt(n) / std, stats.t.ppf(1 - alpha / 2, n - 1)
    return float(stats.nct.sf(far, n - 1, shift) + stats.nct.cdf(-far, n - 1, shift))


def test_every_number_is_what_its_definition_says(ablation: Any, published: Any, ours: Any) -> None:
    (found,) = reproductions(ablation())
    others = [row for row in ours if row != "full"]
    differences = {row: [a - b for a, b in zip(ours[row], ours["full"], strict=True)] for row in others}
    corrected = slow_holm({row: slow_p(differences[row]) for row in others})
    assert [one.row for one in found.rows] == others and found.comparisons == 5 and found.baseline == "full"
    for one in found.rows:
        mine = differences[one.row]
        assert one.published == round(published[one.row] - published["full"], 2)
        assert one.difference == pytest.approx(statistics.fmean(mine))
        assert (one.low, one.high) == pytest.approx(slow_t(mine, 0.95))
        assert (one.wide_low, one.wide_high) == pytest.approx(slow_t(mine, 1 - 0.05 / 5))
        assert (one.p, one.corrected) == pytest.approx((slow_p(mine), corrected[one.row]))
        assert one.sign_flip == pytest.approx(slow_flips(mine))
        assert one.seeds == (0, 1, 2, 3, 4) and one.missing == () and one.note == ""
        std = statistics.stdev(mine)
        assert slow_power(one.smallest, std, 5, 0.05) == pytest.approx(0.8, abs=1e-3)
        assert slow_power(one.smallest_corrected, std, 5, 0.05 / 5) == pytest.approx(0.8, abs=1e-3)


def test_verdicts_and_signs(ablation: Any) -> None:
    (found,) = reproductions(ablation(), ReproductionAsked(margin=1.0))
    assert {one.row: one.verdict for one in found.rows} == {
        "none": "reproduced", "plain": "not shown", "swapped": "opposite", "same": "no sign", "close": "not shown",
    }
    assert [one.row for one in found.rows if one.is_within(1.0)] == ["close"]
    signs = found.signs
    assert (signs.published, signs.had, signs.same, signs.certain, signs.opposite) == (4, 4, 2, 1, 1)
    plain, close = (next(one for one in found.rows if one.row == row) for row in ("plain", "close"))
    assert plain.difference < 0 and close.difference == pytest.approx(0.0)
    assert signs.chance == stats.binom.sf(1, 4, 0.5) == 11 / 16


def test_ranks_are_over_all_rows_the_baseline_among_them(ablation: Any, published: Any, ours: Any) -> None:
    (found,) = reproductions(ablation())
    means = [round(statistics.fmean(ours[row]), 9) for row in ours]
    assert found.agreement.rows == tuple(ours) and found.agreement.ranks is not None
    assert found.agreement.ranks.tau == pytest.approx(stats.kendalltau(means, list(published.values())).statistic)
    assert found.agreement.ranks.rho == pytest.approx(stats.spearmanr(means, list(published.values())).statistic)


def test_the_largest_of_the_smallest_differences_is_named(ablation: Any) -> None:
    (found,) = reproductions(ablation())
    by_row = {one.row: one.smallest for one in found.rows}
    assert found.largest_smallest() == (max(by_row.values()), max(by_row, key=lambda row: by_row[row]))
    assert found.largest_smallest(corrected=True)[0] > found.largest_smallest()[0]


def test_rows_that_lack_seeds_are_compared_over_those_had_and_named(ablation: Any, ours: Any) -> None:
    scores = ours | {"plain": (59.0, None, 57.7, 61.0, 61.1), "swapped": (None,) * 5}
    (found,) = reproductions(ablation(scores))
    plain, swapped = (next(one for one in found.rows if one.row == row) for row in ("plain", "swapped"))
    mine = [ours["plain"][seed] - ours["full"][seed] for seed in (0, 2, 3, 4)]
    assert plain.difference == pytest.approx(statistics.fmean(mine)) and plain.seeds == (0, 2, 3, 4)
    assert plain.missing == (1,) and "plain: seed 1 failed" in plain.note
    assert swapped.verdict == "no interval" and swapped.missing == (0, 1, 2, 3, 4) and swapped.seeds == ()
    assert swapped.published == -0.72 and "failed" in swapped.note
    assert [one.row for one in found.incomplete] == ["plain", "swapped"] and found.comparisons == 5
    assert (found.signs.published, found.signs.had) == (4, 3)


def test_planned_comparisons_count_before_they_are_had(ablation: Any, ours: Any) -> None:
    """Holm over those that are finished alone would give smaller p in the middle of a grid than in its end."""
    (found,) = reproductions(ablation(ours | {"swapped": (None,) * 5}))
    none = next(one for one in found.rows if one.row == "none")
    assert none.corrected == pytest.approx(5 * none.p)


def test_a_row_that_cannot_have_the_task_says_so(ablation: Any, published: Any, ours: Any) -> None:
    (found,) = reproductions(ablation(ours | {"never": ("n/a: needs decode",)}, published | {"never": 1.0}))
    never = next(one for one in found.rows if one.row == "never")
    assert "n/a: needs decode" in never.note and math.isnan(never.difference)


def test_another_baseline_level_and_scale(made: Any) -> None:
    scores = {"a": (0.80, 0.85, 0.70), "b": (0.95, 0.99, 0.88)}
    results = made(scores, {"a": 100.0, "b": 110.5}, "captioning.CIDEr")
    (found,) = reproductions(results, ReproductionAsked("b", alpha=0.1))
    (one,) = found.rows
    assert one.row == "a" and one.published == -10.5 and one.verdict == "reproduced"
    assert one.difference == pytest.approx(statistics.fmean([-15.0, -14.0, -18.0]))
    assert (one.low, one.high) == pytest.approx(slow_t([-15.0, -14.0, -18.0], 0.9))
    assert slow_power(one.smallest, statistics.stdev([-15.0, -14.0, -18.0]), 3, 0.1) == pytest.approx(0.8, abs=1e-3)


def test_several_grids_and_columns_are_one_family(another: Any, grid: Any) -> None:
    for one, name in ((grid, "small"), (another("other"), "other")):
        one.published = {row: {"vqa.accuracy": 1.0 + at, "captioning.CIDEr": 2.0} for at, row in enumerate("xyz")}
        for row in "xyz" if name == "small" else "xy":
            for seed in range(3):
                one.done(row, seed, {"accuracy": 50.0 + seed * (row == "x"), "CIDEr": 0.5})
        one.published = {row: said for row, said in one.published.items() if row in one.rows}
        one.close()
    results = load(grid.folder, grid.folder.parent / "other")
    found = reproductions(results)
    assert [(one.grid, one.task) for one in found] == [
        ("small", "vqa"), ("small", "captioning"), ("other", "vqa"), ("other", "captioning"),
    ]
    assert {one.comparisons for one in found} == {6}
    assert found[0].rows[0].corrected == pytest.approx(min(1.0, 6 * found[0].rows[0].p))
    assert [one.comparisons for one in reproductions(results, ReproductionAsked(metrics=("CIDEr",)))] == [3, 3]


def test_seeds_that_do_not_vary_have_no_interval(ablation: Any, published: Any, ours: Any) -> None:
    scores = ours | {"none": tuple(one - 3 for one in ours["full"])}
    (found,) = reproductions(ablation(scores))
    none = found.rows[0]
    assert none.verdict == "no interval" and math.isnan(none.smallest) and "no spread" in none.note
    assert none.difference == pytest.approx(-3.0)


@pytest.mark.parametrize(
    ("asked", "words", "remedy"),
    [
        ({"baseline": "ful"}, "unknown row 'ful'", "did you mean 'full'"),
        ({"baseline": "unprinted"}, "row 'unprinted' has no published number", "'full', 'none'"),
        ({"metrics": ("accurcy",)}, "unknown published metric 'accurcy'", "did you mean 'accuracy'"),
    ],
)
def test_names_that_are_wrong(asked: Any, words: str, remedy: str, ablation: Any, ours: Any) -> None:
    results = ablation(ours | {"unprinted": (1.0, 2.0)})
    with pytest.raises(UserError, match=words) as error:
        reproductions(results, ReproductionAsked(**asked))
    assert remedy in error.value.remedy


def test_a_grid_without_published_numbers(made: Any) -> None:
    with pytest.raises(UserError, match="not two rows with a published number") as error:
        reproductions(made({"a": (1.0,)}, {}))
    assert "published = {" in error.value.remedy


@pytest.mark.parametrize(
    ("asked", "words"),
    [({"margin": 0.0}, "margin of 0"), ({"margin": NAN}, "margin of nan"), ({"alpha": 5.0}, "5 is no share"),
     ({"power": 0.01}, "had by chance")],
)
def test_numbers_that_mean_nothing(asked: Any, words: str) -> None:
    with pytest.raises(UserError, match=words):
        ReproductionAsked(**asked)
