"""Runs of words: counts, meetings and lengths against counters of tuples."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from vlpbench.metrics.grams import LONGEST, count_grams


def runs(text: str, n: int) -> Counter[tuple[str, ...]]:
    words = text.split()
    return Counter(tuple(words[at : at + n]) for at in range(len(words) - n + 1))


def random_captions(seed: int, images: int) -> tuple[list[str], list[list[str]]]:
    rng = random.Random(seed)

    def text() -> str:
        return " ".join(rng.choices(["a", "b", "c\xa0d", "e"], k=rng.choice([0, 1, 2, 3, 9])))

    return [text() for _ in range(images)], [[text() for _ in range(rng.randint(1, 4))] for _ in range(images)]


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("images", [1, 2, 17])
def test_the_same_as_counters(seed: int, images: int) -> None:
    said, given = random_captions(seed, images)
    flat = [text for texts in given for text in texts]
    counted = count_grams(said, given)
    assert counted.image.tolist() == [i for i, texts in enumerate(given) for _ in texts]
    assert counted.said_words.tolist() == [len(text.split()) for text in said]
    assert counted.given_words.tolist() == [len(text.split()) for text in flat]
    for n, grams in enumerate(counted.grams, start=1):
        kinds = set().union(*(runs(text, n) for text in said + flat))
        assert grams.kinds == len(kinds)
        for entries, texts in ((grams.said, said), (grams.given, flat)):
            found = Counter(zip(entries.caption.tolist(), entries.count.tolist(), strict=True))
            assert found == Counter((at, count) for at, text in enumerate(texts) for count in runs(text, n).values())
        met = [
            runs(said[i], n)[run]
            for i, texts in enumerate(given) for text in texts for run in runs(text, n) if run in runs(said[i], n)
        ]
        assert len(grams.met) == len(met)
        assert sorted(grams.said.count[grams.match].tolist()) == sorted(met)
        assert (grams.said.gram[grams.match] == grams.given.gram[grams.met]).all()
        assert (grams.said.caption[grams.match] == counted.image[grams.given.caption[grams.met]]).all()


def test_captions_part_at_any_blank() -> None:
    counted = count_grams(["22\xa03/4  inches"], [["22 3/4 inches"]])
    assert counted.said_words.tolist() == counted.given_words.tolist() == [3]
    assert [len(grams.met) for grams in counted.grams] == [3, 2, 1, 0]


def test_nothing_said_meets_nothing() -> None:
    counted = count_grams(["", "a"], [["a b"], [""]])
    assert len(counted.grams) == LONGEST
    assert [len(grams.met) for grams in counted.grams] == [0, 0, 0, 0]
    assert [grams.kinds for grams in count_grams([""], [["", ""]]).grams] == [0, 0, 0, 0]


def test_one_number_for_one_run_across_images() -> None:
    grams = count_grams(["a b a b", "b a"], [["a b"], ["b a b"]]).grams[1]
    assert grams.said.caption.tolist() == [0, 0, 1]
    assert grams.said.count.tolist() == [2, 1, 1]
    assert grams.said.gram[1] == grams.said.gram[2] != grams.said.gram[0] == grams.given.gram[0]


@pytest.mark.parametrize(("said", "given"), [([], []), (["a"], []), (["a"], [[]]), (["a", "b"], [["a"], []])])
def test_every_image_needs_both(said: list[str], given: list[list[str]]) -> None:
    with pytest.raises(ValueError, match="at least one given"):
        count_grams(said, given)
