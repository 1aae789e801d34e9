"""CIDEr-D and plain CIDEr against slow versions of their definitions, and the traps of their word weights."""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Sequence

import pytest

from vlpbench.metrics.cider import cider
from vlpbench.metrics.grams import count_grams

Runs = Counter[tuple[str, ...]]


def runs(text: str, n: int) -> Runs:
    words = text.split()
    return Counter(tuple(words[at : at + n]) for at in range(len(words) - n + 1))


def slow(said: Sequence[str], given: Sequence[Sequence[str]], plain: bool) -> list[float]:
    """Plain CIDEr, the mean cosine of weighed counts; or with clipping and the length penalty that make it CIDEr-D."""
    scores = [0.0] * len(said)
    for n in range(1, 5):
        frequency = Counter(run for texts in given for run in set().union(*(runs(text, n) for text in texts)))

        def vector(text: str, n: int = n, frequency: Runs = frequency) -> dict[tuple[str, ...], float]:
            return {
                run: count * (math.log(len(said)) - math.log(max(1, frequency[run])))
                for run, count in runs(text, n).items()
            }

        for at, texts in enumerate(given):
            mine = vector(said[at])
            for text in texts:
                theirs = vector(text)
                shared = [(mine[run], theirs[run]) for run in mine.keys() & theirs.keys()]
                product = sum((h if plain else min(h, r)) * r for h, r in shared)
                norms = math.hypot(*mine.values()) * math.hypot(*theirs.values())
                gap = 0 if plain else runs(said[at], 2).total() - runs(text, 2).total()
                scores[at] += 10 / 4 * (product / norms if norms else 0) * math.exp(-(gap**2) / 72) / len(texts)
    return scores


def random_captions(seed: int, images: int) -> tuple[list[str], list[list[str]]]:
    rng = random.Random(seed)
    words = [f"w{n}" for n in range(9)]

    def text() -> str:
        return " ".join(rng.choices(words, range(9, 0, -1), k=rng.choice([0, 1, 2, 4, 8, 20])))

    return [text() for _ in range(images)], [[text() for _ in range(rng.randint(1, 6))] for _ in range(images)]


@pytest.mark.parametrize("plain", [False, True])
@pytest.mark.parametrize(("seed", "images"), [(0, 2), (1, 3), (2, 30), (3, 100)])
def test_the_same_as_the_definition(seed: int, images: int, plain: bool) -> None:
    said, given = random_captions(seed, images)
    mean, each = cider(count_grams(said, given), plain=plain)
    expected = slow(said, given, plain)
    assert each == pytest.approx(expected, abs=1e-12)
    assert mean == pytest.approx(sum(expected) / images, abs=1e-12) and mean > 0


def test_what_the_d_is_for() -> None:
    """Saying a rare word again and again pays in plain CIDEr; length and clipping take it back."""
    given = [["a red dog runs"], ["a blue cat sits"], ["a big car"]]
    said, parrot = ["a red dog", "a", "a"], ["red red red dog dog dog red dog", "a", "a"]
    plain = [cider(count_grams(one, given), plain=True)[1][0] for one in (said, parrot)]
    clipped = [cider(count_grams(one, given))[1][0] for one in (said, parrot)]
    assert clipped[1] < 0.6 * plain[1] and clipped[0] > 2 * clipped[1]
    assert clipped[0] == pytest.approx(plain[0] * math.exp(-1 / 72))


def test_no_word_and_one_word_are_equally_long() -> None:
    # "dog" (no pair) against "dog dog" (one pair): the gap is 1; against "dog": 0.
    given = [["dog"], ["cat"]]
    one, two = (cider(count_grams([text, "x"], given))[1][0] for text in ("dog", "dog dog"))
    assert one == pytest.approx(2.5)
    # Clipped at 1 of the 2 said, so half the cosine.
    assert two == pytest.approx(2.5 / 2 * math.exp(-1 / 72))


def test_words_that_all_images_have_weigh_exactly_nothing() -> None:
    for images in (2, 3, 5, 7, 11, 1000):
        mean, each = cider(count_grams(["a dog runs"] * images, [["a dog runs", "a dog"]] * images))
        assert mean == 0 and not each.any(), f"{images} images"


def test_a_word_that_no_reference_has_lowers_the_score() -> None:
    given = [["a dog"], ["a cat"]]
    clean, odd = (cider(count_grams([text, "a"], given))[1][0] for text in ("a dog", "a dog xyzzy"))
    assert 0 < odd < clean


def test_empty_captions_score_nothing() -> None:
    assert cider(count_grams(["", "a", "b"], [["a", "b"], [""], ["b"]]))[1].tolist()[:2] == [0, 0]
    assert cider(count_grams(["", ""], [[""], ["", ""]])) == (0, pytest.approx([0, 0]))


def test_the_mean_of_batches_is_another_number() -> None:
    said, given = random_captions(5, 40)
    whole = cider(count_grams(said, given))[0]
    halves = [cider(count_grams(said[at : at + 20], given[at : at + 20]))[0] for at in (0, 20)]
    assert abs(whole - sum(halves) / 2) > 0.001
