"""Accuracy, top-5 and recall of classes against slow versions, and what ties and strange labels come to."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score, top_k_accuracy_score

from vlpbench.errors import UserError
from vlpbench.metrics.classification import accuracies, chance, commonest, likeliest


def test_equal_scores_go_to_the_earlier_class() -> None:
    scores = [[1, 3, 3, 0], [2, 2, 2, 2], [0, -1, 5, 5]]
    assert likeliest(scores, 2).tolist() == [[1, 2], [0, 1], [2, 3]]
    assert likeliest(scores).shape == (3, 4), "no more than there are"


def test_the_order_is_that_of_a_slow_sort() -> None:
    rng = np.random.default_rng(0)
    scores = rng.integers(0, 4, (200, 9)) / 3
    slow = [sorted(range(9), key=lambda one: (-row[one], one))[:5] for row in scores]
    assert likeliest(scores).tolist() == slow


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
def test_scores_that_are_not_finite_have_no_order(wrong: float) -> None:
    with pytest.raises(UserError, match="not a finite number"):
        likeliest([[0.0, 1.0], [wrong, 0.0]])


@pytest.mark.parametrize("shape", [(3,), (2, 0), (1, 2, 3)])
def test_scores_are_pictures_times_classes(shape: tuple[int, ...]) -> None:
    with pytest.raises(UserError, match="pictures x classes"):
        likeliest(np.zeros(shape))


def test_accuracies_are_those_of_scikit_learn() -> None:
    rng = np.random.default_rng(1)
    classes = list("abcdefgh")
    labels, scores = rng.integers(0, 8, 300), rng.normal(size=(300, 8))
    listed = [[classes[one] for one in row] for row in likeliest(scores)]
    found = accuracies([classes[one] for one in labels], listed, 8)
    assert found["accuracy"] == pytest.approx(100 * top_k_accuracy_score(labels, scores, k=1))
    assert found["accuracy_top5"] == pytest.approx(100 * top_k_accuracy_score(labels, scores, k=5))
    assert found["mean_per_class"] == pytest.approx(100 * balanced_accuracy_score(labels, scores.argmax(1)))


def test_rare_classes_count_as_much_as_common_ones() -> None:
    found = accuracies(["cat"] * 9 + ["dog"], [["cat", "dog"]] * 10, 2)
    assert found == {
        "accuracy": 90.0, "mean_per_class": 50.0, "recall[class=cat]": 100.0, "recall[class=dog]": 0.0,
    }, "no top-5 of two classes"


def test_a_label_that_cannot_be_said_is_wrong() -> None:
    found = accuracies(["cat", "emu"], [["cat"], ["cat"]], 3)
    assert found["accuracy"] == 50.0 and found["recall[class=emu]"] == 0.0


def test_five_names_are_needed_for_top_five() -> None:
    with pytest.raises(UserError, match="fewer than 5 classes"):
        accuracies(["a"], [["a", "b"]], 6)
    assert "accuracy_top5" not in accuracies(["a"], [["a"]], 5)
    assert accuracies(["e"], [list("abcdef")], 6)["accuracy_top5"] == 100.0
    assert accuracies(["f"], [list("abcdef")], 6)["accuracy_top5"] == 0.0, "a longer list is no better"


@pytest.mark.parametrize(("labels", "listed"), [([], []), (["a"], []), (["a"], [["a"], ["b"]])])
def test_one_prediction_for_each_picture(labels: list[str], listed: list[list[str]]) -> None:
    with pytest.raises(UserError, match="one for each picture"):
        accuracies(labels, listed, 2)


def test_chance_is_the_mean_over_random_lists() -> None:
    labels = ["a", "a", "a", "b", "emu"]
    known = [True, True, True, True, False]
    expected = chance(labels, known, 8)
    assert expected["accuracy"] == pytest.approx(80 / 8) and expected["accuracy_top5"] == pytest.approx(80 * 5 / 8)
    rng = np.random.default_rng(2)
    classes = list("abcdefgh")
    drawn = [accuracies(labels, [rng.permutation(classes)[:5].tolist() for _ in labels], 8) for _ in range(4_000)]
    for metric, value in expected.items():
        assert np.mean([one[metric] for one in drawn]) == pytest.approx(value, abs=1.0), metric
    assert set(chance(labels, known, 5)) == {"accuracy", "mean_per_class"}


def test_the_commonest_class_is_the_first_by_alphabet_of_equals() -> None:
    assert commonest(["dog", "cat", "emu", "dog", "cat"]) == "cat"
    with pytest.raises(UserError, match="no label"):
        commonest([])
