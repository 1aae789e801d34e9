"""The page that `vlpbench diff` prints, word by word where it matters."""

from __future__ import annotations

import pytest

from vlpbench.results.difference import Difference, Differences, differences
from vlpbench.results.difference_text import lines_of, lines_of_all

AA, BB = "aa0000000000", "bb0000000000"


@pytest.fixture
def page(record, tmp_path):
    """page(changes of B) -> the lines, paths cut away."""

    def write(changes, of_a=None, row="x") -> list[str]:
        found = differences(str(record("one", "x", 0, AA, of_a)), str(record("two", row, 0, BB, changes)))
        assert isinstance(found, Difference)
        return [line.replace(f"{tmp_path}/", "") for line in lines_of(found)]

    return write


def test_a_whole_page(page):
    told = "predictions of vqa: 1 of 4 rows differ, 1 of them in the answer; first question_id 2: prediction 'yes'"
    assert page({
        "settings/optim/lr": 0.1, "settings/protocol": {}, "versions/stem": 2, "code/objective x": "e" * 64,
        "environment/torch": "3", "curve/1/loss": 3.25, "curve/2/loss": 2.5, "values/accuracy": 40.00001,
        "values/accuracy[kind=where]": 11.0, "rows/2/prediction": "no",
    }) == [
        "A  x, seed 0  (aa0000000000, done)  one/cells/x-s0-aa0000000000",
        "B  x, seed 0  (bb0000000000, done)  two/cells/x-s0-bb0000000000",
        "",
        "Why they may differ",
        "  settings",
        "    optim.lr      0.002 -> 0.1",
        "    protocol.vqa  1 setting -> not there",
        "  versions",
        "    stem  1 -> 2",
        "  code under these versions (hashes)",
        "    objective x  aaaaaaaaaaaa -> eeeeeeeeeeee",
        "  libraries",
        "    torch  2.9.0 -> 3",
        "",
        "What came out",
        "  curve of pretrain: equal up to step 0, at step 5 loss 3 against 3.25",
        f"  {told} against 'no'",
        "  scores: 2 of 2 differ",
        "                  A   B         B - A",
        "    vqa.accuracy  40  40.00001  +1e-05",
        "    and 1 of parts, such as vqa.accuracy[kind=where] (--json has all)",
        "",
        "The numbers differ, and so does what decides them: settings, versions, code under these versions.",
    ]


def test_equal_cells_and_what_is_not_known(page):
    said = page({"code": "-"})
    assert said[3:5] == ["Why they may differ", "  nothing that is recorded differs"]
    assert said[5] == "  not known: code (not recorded in B)"
    assert "  curve of pretrain: equal, 3 rows" in said and "  predictions of vqa: equal, 4 rows" in said
    assert "  scores: all 2 are equal" in said


def test_commits_are_cut(page):
    one, other = ({"environment/git": {"grid": {"commit": digit * 40}}} for digit in "ab")
    said = page(other, one)
    assert "    git.grid.commit  aaaaaaaaaaaa -> bbbbbbbbbbbb" in said


def test_the_seed_is_one_line(record):
    found = differences(str(record("one", "x", 0, AA)), str(record("one", "x", 1, BB)))
    assert isinstance(found, Difference)
    assert "  seed  0 -> 1" in lines_of(found)


def test_long_values_are_cut_and_long_lists_too(page):
    many = {f"settings/many{at:02}": 1 for at in range(30)} | {"settings/long": "y" * 200}
    said = page(many)
    assert "    and 11 more (--json has all)" in said
    (long,) = [line for line in page({"settings/long": "y" * 200}) if "long" in line]
    assert len(long) < 100 and long.endswith("…")


def test_curves_that_part_by_their_rate_and_that_end_early(page):
    parted = page({"curve/0/lr": 0.2, "curve/1/loss": 3.5})
    assert "  curve of pretrain: at step 0 lr 0.1 against 0.2; the loss parts at step 5: 3 against 3.5" in parted
    assert "  curve of pretrain: equal up to step 5, where B ends (3 and 2 rows)" in page({"curve/2": "-"})
    assert "  curve of pretrain: only in A" in page({"curve": []})


def test_a_figure_that_repeats_the_loss_is_not_told(page):
    first = {"curve/0": {"stage": "pretrain", "step": 0, "loss": 1.0, "x/loss": 1.0, "a": 1.0, "b": 1.0}}
    other = {"curve/0": {"stage": "pretrain", "step": 0, "loss": 2.0, "x/loss": 2.0, "a": 2.5, "b": 3.5}}
    assert "  curve of pretrain: at step 0 loss 1 against 2, a 1 against 2.5, and 1 more" in page(other, first)


def test_lists_of_predictions_are_told_by_the_first_place_that_differs(page):
    one = {"rows": [{"direction": "text to image", "query": "7/1", "text": None, "found": ["1", "2", "3"]}]}
    other = {"rows": [{"direction": "text to image", "query": "7/1", "text": None, "found": ["1", "3", "2"]}]}
    (said,) = [line for line in page(other, one) if "predictions" in line]
    assert said.endswith("first direction text to image, query 7/1: found[1] '2' against '3'")
    shorter = {"rows": [{**one["rows"][0], "found": ["1"]}]}
    assert any(line.endswith("found of 3 against 1 items") for line in page(shorter, one))


def test_a_score_that_is_not_there_has_its_reason(page):
    said = page({"values/accuracy": None, "reasons": {"accuracy": "no Java"}})
    assert "    vqa.accuracy  40  not there  (no Java)" in said


def test_two_folders(record, tmp_path):
    lr = {"settings/optim/lr": 0.1}
    for seed in (0, 1):
        record("one", "x", seed, f"a{seed}0000000000")
        record("two", "x", seed, f"b{seed}0000000000", {**lr, **({"values/accuracy": 41.0} if seed else {})})
    record("one", "y", 0, "cc0000000000")
    found = differences(str(tmp_path / "one"), str(tmp_path / "two"))
    assert isinstance(found, Differences)
    assert lines_of_all(found) == [
        "In all 2 cells that both have",
        "  settings  optim.lr  0.002 -> 0.1",
        "",
        "x, seed 0: equal numbers",
        "x, seed 1: other numbers",
        "  vqa.accuracy  40  41  +1",
        "only in A: y, seed 0 (cc0000000000, done)",
        "",
        "2 pairs of finished cells: 1 of equal numbers, 1 of others.",
    ]


def test_two_folders_without_a_pair(record, tmp_path):
    record("one", "x", 0, AA)
    record("two", "y", 0, BB)
    found = differences(str(tmp_path / "one"), str(tmp_path / "two"))
    assert isinstance(found, Differences)
    assert lines_of_all(found)[-1] == "No cell of one has its like, of the same row and seed, in the other."
