"""Sentences under a table: what its seeds cannot carry, what was not tested, what is assumed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from vlpbench.results.claims import claims
from vlpbench.results.comparisons import Comparison

TESTED = Comparison(
    grid="g", row="a", other="base", task="vqa", metric="accuracy", seeds=(0, 1, 2, 3, 4, 5), difference=1.0, low=0.5,
    high=1.5, p=0.01, corrected=0.11, sign_flip=0.03125, improvement=1.0, target="seeds", method="paired t", note="",
)
UNTESTED = replace(TESTED, row="z", seeds=(), p=float("nan"), corrected=float("nan"), note="z: seeds 0, 1 pending")


def test_six_seeds_and_eleven_comparisons():
    said = claims([replace(TESTED, row=f"r{at}") for at in range(11)])
    assert said[0].startswith("6 seeds can never pass an exact sign-flip test under Holm over 11 comparisons")
    assert said[0].endswith("; 9 can") and any("paired t test" in line for line in said)
    assert any("overlap" in line for line in said) and len(said) == 3


def test_nine_seeds_can():
    said = claims([replace(TESTED, row=f"r{at}", seeds=tuple(range(9))) for at in range(11)])
    assert not any("never" in line for line in said)


def test_fewer_seeds_are_told_of_only_where_more_can():
    few = replace(TESTED, seeds=(0, 1, 2))
    said = claims([TESTED, few])
    assert sum("never" in line for line in said) == 1 and said[0].startswith("6 seeds")
    said = claims([replace(TESTED, seeds=tuple(range(9))), few])
    assert said[0].startswith("3 seeds can never")


def test_untested_rows_are_gathered_by_reason_and_not_counted():
    rows = [replace(UNTESTED, row=name, note=f"{name}: seeds 0, 1 pending") for name in ("x", "y", "z", "w")]
    said = claims([TESTED, *rows, replace(UNTESTED, row="v", metric="Bleu_4", task="captioning", note="no mean")])
    assert "not tested: x, y, z and 1 more in vqa acc. (seeds 0, 1 pending)" in said
    assert "not tested: v in captioning BLEU-4 (no mean)" in said
    assert not any("Holm over" in line for line in said)  # one comparison is no family


def test_nothing_to_say_and_nothing_tested():
    assert claims([]) == []
    assert claims([UNTESTED]) == ["nothing could be tested", "not tested: z in vqa acc. (seeds 0, 1 pending)"]


@pytest.mark.parametrize(
    ("target", "words"), [("examples", "nothing is said of the recipe"), ("seeds and examples", "drawn at random")]
)
def test_each_target_has_its_assumption(target, words):
    said = claims([replace(TESTED, target=target, seeds=(0, 1, 2))])
    assert any(words in line for line in said)
    assert any("never" in line for line in said) is (target != "examples")  # there seeds are no sample


def test_limits_name_the_family_where_there_are_two():
    many = [replace(TESTED, row=f"r{at}") for at in range(11)]
    assert claims(many, of="Δ")[0].startswith("Δ: 6 seeds can never pass")


def test_two_rows_without_a_common_seed_are_both_named():
    said = claims([TESTED, replace(UNTESTED, row="a", note="a and b have no seed in common")])
    assert "not tested: a in vqa acc. (a and b have no seed in common)" in said


def test_too_few_resamples_for_so_many_comparisons_and_fixed_word_weights():
    many = [replace(TESTED, row=f"r{at}", target="examples", metric="CIDEr") for at in range(500)]
    said = claims(many)
    assert said[0].startswith("nothing can pass: no p of 10,000 resamples is below 0.0001, and over 500 comparisons")
    assert not any("nothing can pass" in line for line in claims(many[:499]))
    assert any("held fixed" in line for line in said) and not any("held fixed" in line for line in claims([TESTED]))


def test_rows_of_several_grids_are_told_apart():
    said = claims([TESTED, UNTESTED, replace(UNTESTED, grid="h", row="y", note="y: seeds 0, 1 pending")])
    assert "not tested: g: z, h: y in vqa acc. (seeds 0, 1 pending)" in said
