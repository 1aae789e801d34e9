"""The scorers against pycocoevalcap's, to 1e-9 on the set and on every image: made-up nasty captions and real ones."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from pycocoevalcap.bleu.bleu import Bleu
from pycocoevalcap.cider.cider import Cider
from pycocoevalcap.rouge.rouge import Rouge

from vlpbench.metrics.bleu import bleu
from vlpbench.metrics.cider import cider
from vlpbench.metrics.grams import count_grams
from vlpbench.metrics.ptb_tokenizer import tokenize
from vlpbench.metrics.rouge import rouge_l

Captions = tuple[list[str], list[list[str]]]


def check(said: Sequence[str], given: Sequence[Sequence[str]]) -> None:
    """Ours and theirs agree on tokenised captions."""
    theirs = dict(enumerate(map(list, given))), {at: [text] for at, text in enumerate(said)}
    counted = count_grams(said, given)
    for ours, (whole, each) in (
        (bleu(counted), Bleu(4).compute_score(*theirs, verbose=0)),
        (rouge_l(said, given), Rouge().compute_score(*theirs)),
        (cider(counted), Cider().compute_score(*theirs) if any(map(any, given)) else (0, np.zeros(len(said)))),
    ):
        np.testing.assert_allclose(ours[0], whole, rtol=0, atol=1e-9)
        np.testing.assert_allclose(ours[1], each, rtol=0, atol=1e-9)


def made(seed: int, images: int, words: Sequence[str], lengths: Sequence[int], references: Sequence[int]) -> Captions:
    """Random captions: the earlier a word stands in the list, the commoner it is."""
    rng = random.Random(seed)

    def text() -> str:
        return " ".join(rng.choices(words, [1 / (at + 1) for at in range(len(words))], k=rng.choice(lengths)))

    given = [[text() for _ in range(rng.choice(references))] for _ in range(images)]
    said = [rng.choice([text(), rng.choice(texts), " ".join(texts[0].split()[:-1])]) for texts in given]
    return said, given


ALPHABET = [f"w{n}" for n in range(300)]
NASTY: dict[str, Callable[[int], Captions]] = {
    "ordinary": lambda seed: made(seed, 200, ALPHABET, range(5, 20), [5]),
    "one word each": lambda seed: made(seed, 50, ALPHABET[:5], [1], [1, 2, 3]),
    "empty ones on both sides": lambda seed: made(seed, 60, ALPHABET[:4], [0, 0, 1, 3], [1, 2, 5]),
    "few words, said again and again": lambda seed: made(seed, 80, ["a", "b"], range(12), [3]),
    "1 to 12 references": lambda seed: made(seed, 60, ALPHABET[:30], range(15), range(1, 13)),
    "two images": lambda seed: made(seed, 2, ALPHABET[:9], range(9), [1, 2]),
    "one image": lambda seed: made(seed, 1, ALPHABET[:9], range(1, 9), [1, 4]),
    "long": lambda seed: made(seed, 6, ALPHABET, [1, 64, 65, 500], [2, 3]),
    "blanks inside of tokens": lambda seed: made(seed, 40, ["22\xa03/4", "22", "3/4", "a\u3000b", "in"], range(6), [2]),
}


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name", NASTY)
def test_made_up_captions(name: str, seed: int) -> None:
    check(*NASTY[name](seed))


@pytest.mark.parametrize(
    ("said", "given"),
    [
        (["a dog", "a dog"], [["a dog"], ["a dog"]]),
        (["a dog", "a cat", "a"], [["a dog", "a dog", "a dog"], ["a dog", "a dog"], ["a dog"]]),
        (["", ""], [["a dog"], ["a cat"]]),
        (["a dog", "a cat"], [["", "a"], ["", ""]]),
        (["", ""], [["", ""], [""]]),
        (["x y z", "x"], [["a b c"], ["d"]]),
        (["a  b", " a"], [["a b"], ["a "]]),
    ],
    ids=["all equal", "doubled references", "nothing said", "little given", "nothing at all", "no match", "two blanks"],
)
def test_corners(said: list[str], given: list[list[str]]) -> None:
    check(said, given)


def test_real_captions() -> None:
    """Every image's first caption against its others, and captions cut short or swapped."""
    if "VLPBENCH_DATA" not in os.environ:
        pytest.skip("VLPBENCH_DATA names no folder of data sets")
    paths = sorted(Path(os.environ["VLPBENCH_DATA"]).glob("flickr8k-1k/captions_*.json"))
    if not paths:
        pytest.skip("VLPBENCH_DATA has no flickr8k-1k")
    of_image: dict[int, list[str]] = {}
    for path in paths:
        for row in json.loads(path.read_text(encoding="utf-8"))["annotations"]:
            of_image.setdefault(row["image_id"], []).append(row["caption"])
    sets = [tokenize(texts) for texts in of_image.values() if len(texts) > 1]
    assert len(sets) > 500
    given = [texts[1:] for texts in sets]
    check([texts[0] for texts in sets], given)
    check([texts[0] for texts in sets[1:] + sets[:1]], given)
    check([" ".join(texts[0].split()[:6]) for texts in sets], [texts[:1] for texts in given])
