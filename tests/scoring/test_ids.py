from __future__ import annotations

import pytest

from vlpbench.errors import UserError
from vlpbench.metrics.ids import unique
from vlpbench.scoring.documents import rows_of
from vlpbench.scoring.ids import id_notes, ids, matched, spelt, text_problem


@pytest.mark.parametrize(
    ("value", "meant"),
    [
        (42, 42), ("42", 42), (42.0, 42), ("-7", -7), ("042", "042"), ("n42", "n42"), ("4 2", "4 2"), ("٤", "٤"),
        (2**60, 2**60), (True, None), (None, None), (0.5, None), (float("nan"), None), (2.0**60, None), ("", None),
        ("\ud800", None), ([1], None), ("1" * 30, "1" * 30),
    ],
)
def test_what_an_id_means(value, meant):
    assert spelt(value) == meant and type(spelt(value)) is type(meant)


@pytest.fixture
def made(document):
    """(ids of predictions, ids of annotations) -> what `matched` finds."""

    def match(predicted, annotated, subset=False):
        rows = rows_of(document([]), "prediction", [{"question_id": one} for one in predicted])
        wanted = {spelt(one): at for at, one in enumerate(annotated)}
        against = document([], "--annotations", "a.json")
        return matched(ids(rows, "question_id"), wanted, rows, against, "image", subset)

    return match


def test_order_does_not_matter_and_texts_of_numbers_are_numbers(made):
    assert made([7, "5", 9.0], [5, "7", 9]) == {1: 0, 0: 1, 2: 2}


def test_all_that_does_not_fit_is_named_at_once(made):
    with pytest.raises(UserError) as wrong:
        made([1, 2, 2, 9, 8], [1, 2, 3])
    assert wrong.value.cause == (
        "1 of 3 images without prediction: 3; 2 predicted images not in a.json: 9, 8; 1 predicted more than once: "
        "2 (number 2, 3)"
    )
    assert wrong.value.place == "--predictions p.json, --annotations a.json"


def test_a_number_and_its_text_are_a_doubled_id(made):
    with pytest.raises(UserError, match=r"1 predicted more than once: 5 \(number 1, 2\)"):
        made([5, "5"], [5])


def test_only_a_subset_may_lack_images(made):
    assert made([3], [1, 2, 3], subset=True) == {2: 0}
    with pytest.raises(UserError, match="2 of 3 images without prediction: 1, 2") as wrong:
        made([3], [1, 2, 3])
    assert "--subset" in wrong.value.remedy
    with pytest.raises(UserError, match=r"not in a\.json: 4"):
        made([3, 4], [1, 2, 3], subset=True)


@pytest.mark.parametrize(
    ("predicted", "remedy"), [(["q1", "q2"], "write them alike"), ([11, 12], "of the same split?")]
)
def test_files_that_share_no_id(made, predicted, remedy):
    with pytest.raises(UserError) as wrong:
        made(predicted, [1, 2])
    assert remedy in wrong.value.remedy


def test_ids_written_oddly_are_said(document):
    rows = rows_of(document([]), "prediction", [{"id": 1}, {"id": "2"}, {"id": "x"}])
    assert ids(rows, "id") == [1, 2, "x"]
    (note,) = id_notes(rows, "id")
    assert note.startswith("1 ids in p.json are not written as whole numbers (such as '2')")
    assert id_notes(rows_of(document([]), "prediction", [{"id": 1}]), "id") == []


def test_what_is_no_id_is_counted(document):
    rows = rows_of(document([]), "prediction", [{"id": None}, {"id": 2}, {"id": 2.5}])
    with pytest.raises(UserError, match=r"in 2 of 3 predictions 'id' is no id \(None\): number 1, 3"):
        ids(rows, "id")


@pytest.mark.parametrize(
    ("value", "problem"),
    [("", None), ("né 🐕", None), (None, "is not a text (null)"), (2, "is not a text (2)"),
     ("\ud800", "holds half a character (a lone surrogate)")],
)
def test_texts(value, problem):
    assert text_problem(value) == problem


@pytest.mark.parametrize(("size", "processes"), [(5, 2), (7, 3), (1, 2), (6, 2)])
def test_an_odd_set_padded_for_two_processes_is_refused(made, size, processes):
    """A distributed sampler repeats the first samples until all processes have as many: their merged predictions."""
    annotated = [100 + at for at in range(size)]
    padded = (annotated * processes)[: -(-size // processes) * processes]
    merged = [one for process in range(processes) for one in padded[process::processes]]
    pairs = [(one, "a dog") for one in merged]
    if len(merged) == size:
        assert set(made(merged, annotated)) == set(range(size)) and len(unique(pairs)) == size
        return
    for subset in (False, True):
        with pytest.raises(UserError, match=f"{len(merged) - size} predicted more than once: 100") as wrong:
            made(merged, annotated, subset)
        assert "padding of a last batch" in wrong.value.remedy
    with pytest.raises(UserError, match=f"{len(merged) - size} doubled prediction ids: 100"):
        unique(pairs)
