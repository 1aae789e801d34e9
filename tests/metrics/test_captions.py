"""Caption scores: pycocoevalcap's numbers, CIDEr-D against its definition, and ids that stay with their captions."""

from __future__ import annotations

import math
import random
from collections import Counter

import pytest

from vlpbench.errors import UserError
from vlpbench.metrics.captions import METRICS, CaptionScores, caption_scores
from vlpbench.metrics.ptb_tokenizer import tokenize

REFERENCES = {
    7: ["A brown dog runs across the grass.", "The dog is running on green grass.", "A dog in a field"],
    3: ["Two men sit on a bench.", "A couple of men sitting on a park bench"],
    5: ["A man's red T-shirt (new)", "Someone wearing a red shirt, isn't he?"],
    11: ["A cat sleeps.", "The cat is sleeping on the couch."],
}
PREDICTIONS = {3: "two men on a bench", 5: "a man in a red t-shirt", 7: "A dog runs on the grass.", 11: "a dog sleeps"}


def grams(text: str, n: int) -> Counter[tuple[str, ...]]:
    words = text.split()
    return Counter(tuple(words[i : i + n]) for i in range(len(words) - n + 1))


def cider_d(predictions: dict[int, str], references: dict[int, list[str]]) -> dict[int, float]:
    """CIDEr-D by its definition, on tokenised text, with the length taken from the number of bigrams."""
    images = len(references)
    found = {}
    for key, said in predictions.items():
        total = 0.0
        for n in range(1, 5):
            frequency = Counter(
                gram for given in references.values() for gram in set().union(*(grams(text, n) for text in given))
            )

            def vector(text: str, n: int = n, frequency: Counter[tuple[str, ...]] = frequency) -> dict:  # type: ignore[type-arg]
                return {
                    gram: count * (math.log(images) - math.log(max(1, frequency[gram])))
                    for gram, count in grams(text, n).items()
                }

            mine = vector(said)
            for given in references[key]:
                theirs = vector(given)
                product = sum(min(mine.get(gram, 0), weight) * weight for gram, weight in theirs.items())
                norms = math.hypot(*mine.values()) * math.hypot(*theirs.values())
                gap = sum(grams(said, 2).values()) - sum(grams(given, 2).values())
                similar = product / norms if norms else product
                total += similar * math.exp(-(gap**2) / 72) / len(references[key])
        found[key] = 10 * total / 4
    return found


def test_cider_is_cider_d() -> None:
    said = {key: tokenize([text])[0] for key, text in PREDICTIONS.items()}
    given = {key: tokenize(texts) for key, texts in REFERENCES.items()}
    slow = cider_d(said, given)
    found = caption_scores(PREDICTIONS, REFERENCES)
    assert found.per_image["CIDEr"] == pytest.approx(slow, abs=1e-12)
    assert found.scores["CIDEr"] == pytest.approx(sum(slow.values()) / 4, abs=1e-12)


def test_bleu_and_rouge_by_hand() -> None:
    # "a dog sleeps" against "a cat sleeps": 2 of 3 words, 0 of 2 pairs, the longest common part is 2 of 3.
    found = caption_scores({1: "A dog sleeps", 2: "a b c d"}, {1: ["A cat sleeps!"], 2: ["a b c d"]})
    assert found.per_image["Bleu_1"][1] == pytest.approx(2 / 3, abs=1e-6)
    assert found.per_image["ROUGE_L"] == pytest.approx({1: 2 / 3, 2: 1})
    # Of the set: 6 of 7 words, 3 of 5 pairs.
    assert found.scores["Bleu_1"] == pytest.approx(6 / 7)
    assert found.scores["Bleu_2"] == pytest.approx(math.sqrt(6 / 7 * 3 / 5))
    assert found.scores["ROUGE_L"] == pytest.approx(5 / 6)


def test_bleu_of_the_set_is_not_the_mean_of_the_images() -> None:
    found = caption_scores(PREDICTIONS, REFERENCES)
    per_image = found.per_image["Bleu_2"].values()
    assert found.scores["Bleu_2"] is not None
    assert abs(found.scores["Bleu_2"] - sum(per_image) / len(per_image)) > 0.01


def test_names_scales_and_silence(capsys: pytest.CaptureFixture[str]) -> None:
    found = caption_scores({i: texts[0] for i, texts in REFERENCES.items()}, REFERENCES)
    assert tuple(found.scores) == METRICS == tuple(found.per_image)
    assert found.scores["Bleu_4"] == pytest.approx(1)
    assert found.scores["ROUGE_L"] == pytest.approx(1)
    assert found.scores["CIDEr"] is not None and 1 < found.scores["CIDEr"] <= 10
    assert capsys.readouterr() == ("", "")


def test_case_and_punctuation_change_nothing() -> None:
    shouted = {key: text.upper().rstrip(".") + " !" for key, text in PREDICTIONS.items()}
    assert caption_scores(shouted, REFERENCES) == caption_scores(PREDICTIONS, REFERENCES)


def test_scores_stay_with_their_image_in_any_order() -> None:
    straight = caption_scores(PREDICTIONS, REFERENCES)
    for seed in range(3):
        order = list(REFERENCES)
        random.Random(seed).shuffle(order)
        mixed = caption_scores(PREDICTIONS, {key: REFERENCES[key] for key in order})
        assert mixed == straight
    worst = {**PREDICTIONS, 11: "xyz"}
    assert caption_scores(worst, REFERENCES).per_image["ROUGE_L"][11] == 0
    assert caption_scores(worst, REFERENCES).per_image["ROUGE_L"][3] == straight.per_image["ROUGE_L"][3] > 0


def test_predictions_and_references_are_not_symmetric() -> None:
    long, short = {1: "a dog runs on grass", 2: "a cat"}, {1: "a dog", 2: "a cat"}
    one = caption_scores(short, {i: [text] for i, text in long.items()})
    other = caption_scores(long, {i: [text] for i, text in short.items()})
    assert one.scores["Bleu_1"] == pytest.approx(math.exp(1 - 7 / 4))
    assert other.scores["Bleu_1"] == pytest.approx(4 / 7)


def test_line_breaks_and_empty_captions_move_no_score() -> None:
    broken = caption_scores({1: "a\rdog", 2: "", 3: "two men"}, {1: ["a dog"], 2: ["a\ncat"], 3: ["two men", "men"]})
    assert broken.per_image["ROUGE_L"] == pytest.approx({1: 1, 2: 0, 3: 1})
    nothing = caption_scores({1: "", 2: ""}, {1: ["a dog"], 2: ["a cat"]})
    assert set(nothing.scores.values()) == {0.0}


def test_cider_of_one_image_is_none_and_says_why() -> None:
    found: CaptionScores = caption_scores({1: "a dog"}, {1: ["a dog"]})
    assert found.scores["CIDEr"] is None and "CIDEr" not in found.per_image
    assert "single image" in found.reasons["CIDEr"]
    assert found.scores["Bleu_1"] == pytest.approx(1)


def test_cider_belongs_to_its_set() -> None:
    whole = caption_scores(PREDICTIONS, REFERENCES).scores["CIDEr"]
    halves = [
        caption_scores({i: PREDICTIONS[i] for i in half}, {i: REFERENCES[i] for i in half}).scores["CIDEr"]
        for half in ((3, 5), (7, 11))
    ]
    assert whole is not None and abs(whole - sum(half or 0 for half in halves) / 2) > 0.001


@pytest.mark.parametrize(
    ("predictions", "references", "said"),
    [
        ({1: "a"}, {1: ["a"], 2: ["b"]}, "1 missing: 2"),
        ({1: "a", 2: "b"}, {1: ["a"]}, "1 extra: 2"),
        ({1: "a"}, {1: []}, "image 1 has no reference"),
        ({1: "a"}, {1: "a dog"}, "not a list of strings"),
        ({1: "a"}, {1: [None]}, "not a list of strings"),
        ({1: ["a"]}, {1: ["a"]}, "not a string"),
        ({}, {}, "no image to score"),
    ],
)
def test_what_cannot_be_scored(predictions: dict[int, str], references: dict[int, list[str]], said: str) -> None:
    with pytest.raises(UserError, match=said):
        caption_scores(predictions, references)
