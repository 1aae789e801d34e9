"""Caption scores from raw text: the classical mistakes, each a test; names, scales, ids, and what cannot be scored."""

from __future__ import annotations

import math
import random
import shutil
from pathlib import Path

import numpy as np
import pytest
from pycocoevalcap.bleu.bleu import Bleu
from pycocoevalcap.cider.cider import Cider

from vlpbench.errors import UserError
from vlpbench.metrics.captions import METRICS, PURE, CaptionScores, caption_scores
from vlpbench.metrics.ptb_tokenizer import tokenize

REFERENCES = {
    7: ["A brown dog runs across the grass.", "The dog is running on green grass.", "A dog in a field"],
    3: ["Two men sit on a bench.", "A couple of men sitting on a park bench"],
    5: ["A man's red T-shirt (new)", "Someone wearing a red shirt, isn't he?"],
    11: ["A cat sleeps.", "The cat is sleeping on the couch."],
}
PREDICTIONS = {3: "two men on a bench", 5: "a man in a red t-shirt", 7: "A dog runs on the grass.", 11: "a dog sleeps"}
TOKENS = {i: tokenize(texts) for i, texts in REFERENCES.items()}
SAID = {i: tokenize([PREDICTIONS[i]]) for i in REFERENCES}
needs_java = pytest.mark.skipif(shutil.which("java") is None, reason="there is no Java runtime")


def score(found: CaptionScores, name: str) -> float:
    value = found.scores[name]
    assert value is not None
    return value


@pytest.mark.parametrize("metric", ["CIDEr", "CIDEr-plain"])
def test_checklist_9_cider_of_one_image_is_none_and_says_why(metric: str) -> None:
    found = caption_scores({1: "a dog"}, {1: ["a dog"]})
    assert found.scores[metric] is None and metric not in found.per_image
    assert "single image" in found.reasons[metric]
    assert found.scores["Bleu_1"] == pytest.approx(1) and set(found.reasons) == {"CIDEr", "CIDEr-plain"}


@pytest.mark.parametrize("metric", ["CIDEr", "CIDEr-plain"])
def test_checklist_9_cider_of_batches_is_another_number(metric: str) -> None:
    whole = score(caption_scores(PREDICTIONS, REFERENCES), metric)
    halves = [
        score(caption_scores({i: PREDICTIONS[i] for i in half}, {i: REFERENCES[i] for i in half}), metric)
        for half in ((3, 5), (7, 11))
    ]
    assert abs(whole - sum(halves) / 2) > 0.001


def test_checklist_10_predictions_and_references_are_not_symmetric() -> None:
    long, short = {1: "a dog runs on grass", 2: "a cat"}, {1: "a dog", 2: "a cat"}
    one = caption_scores(short, {i: [text] for i, text in long.items()})
    other = caption_scores(long, {i: [text] for i, text in short.items()})
    assert one.scores["Bleu_1"] == pytest.approx(math.exp(1 - 7 / 4))
    assert other.scores["Bleu_1"] == pytest.approx(4 / 7)
    assert score(one, "ROUGE_L") < score(other, "ROUGE_L"), "recall weighs more"


def test_checklist_10_swapped_arguments_are_refused() -> None:
    with pytest.raises(UserError, match="not a list of strings") as refused:
        caption_scores(REFERENCES, PREDICTIONS)  # type: ignore[arg-type]
    assert "predictions come first" in refused.value.remedy


def test_checklist_11_both_sides_are_tokenised() -> None:
    raw = caption_scores(PREDICTIONS, REFERENCES)
    assert caption_scores({i: said for i, (said,) in SAID.items()}, REFERENCES) == raw
    assert caption_scores(PREDICTIONS, TOKENS) == raw
    shouted = {i: text.upper().rstrip(".") + " !" for i, text in PREDICTIONS.items()}
    assert caption_scores(shouted, REFERENCES) == raw


def test_checklist_12_bleu_of_the_set_is_not_the_mean_of_the_images() -> None:
    found = caption_scores(PREDICTIONS, REFERENCES)
    (_, whole, *_), (_, each, *_) = Bleu(4).compute_score(TOKENS, SAID, verbose=0)
    assert found.scores["Bleu_2"] == pytest.approx(whole, abs=1e-12)
    assert found.per_image["Bleu_2"] == pytest.approx(dict(zip(TOKENS, each, strict=True)), abs=1e-12)
    assert abs(whole - np.mean(each)) > 0.01


def test_checklist_13_cider_is_cider_d_and_plain_cider_has_its_own_name() -> None:
    found = caption_scores(PREDICTIONS, REFERENCES)
    whole, each = Cider().compute_score(TOKENS, SAID)
    assert found.scores["CIDEr"] == pytest.approx(whole, abs=1e-12)
    assert found.per_image["CIDEr"] == pytest.approx(dict(zip(TOKENS, each, strict=True)), abs=1e-12)
    assert score(found, "CIDEr-plain") > whole + 0.01
    assert caption_scores({**PREDICTIONS, 11: "a cats sleep"}, REFERENCES) != found, "nothing is stemmed"


def test_checklist_14_scales_are_pycocoevalcaps(capsys: pytest.CaptureFixture[str]) -> None:
    best = caption_scores({i: texts[0] for i, texts in REFERENCES.items()}, {i: t[:1] for i, t in REFERENCES.items()})
    assert tuple(best.scores) == PURE == tuple(best.per_image)
    # A cat sleeps: no run of four, so a perfect CIDEr is 7.5 there and 10 elsewhere.
    of_set = {**dict.fromkeys(PURE, 1), "CIDEr": 37.5 / 4, "CIDEr-plain": 37.5 / 4}
    assert best.scores == pytest.approx(of_set)
    assert capsys.readouterr() == ("", "")


def test_checklist_15_scores_stay_with_their_image_in_any_order() -> None:
    straight = caption_scores(PREDICTIONS, REFERENCES)
    for seed in range(3):
        order = list(REFERENCES)
        random.Random(seed).shuffle(order)
        assert caption_scores(PREDICTIONS, {i: REFERENCES[i] for i in order}) == straight
        assert caption_scores({i: PREDICTIONS[i] for i in order}, REFERENCES) == straight
    worst = caption_scores({**PREDICTIONS, 11: "xyz"}, REFERENCES)
    for name in PURE:
        assert worst.per_image[name][3] == straight.per_image[name][3], name
    for name in ("Bleu_1", "ROUGE_L", "CIDEr", "CIDEr-plain"):
        assert worst.per_image[name][11] < 1e-9 < straight.per_image[name][11], name


def test_checklist_15_permuted_ids_carry_their_scores_along() -> None:
    renamed = dict(zip(REFERENCES, random.Random(1).sample(range(-50, 50), 4), strict=True))
    straight = caption_scores(PREDICTIONS, REFERENCES).per_image
    found = caption_scores(
        {renamed[i]: text for i, text in PREDICTIONS.items()}, {renamed[i]: t for i, t in REFERENCES.items()}
    ).per_image
    for name in PURE:
        assert {i: found[name][renamed[i]] for i in REFERENCES} == pytest.approx(dict(straight[name])), name


def test_checklist_16_line_breaks_and_empty_captions_move_no_score() -> None:
    broken = caption_scores({1: "a\rdog", 2: "", 3: "two men"}, {1: ["a dog"], 2: ["a\ncat"], 3: ["two men", "men"]})
    assert broken.per_image["ROUGE_L"] == pytest.approx({1: 1, 2: 0, 3: 1})
    nothing = caption_scores({1: "", 2: ""}, {1: ["a dog"], 2: ["a cat"]})
    assert set(nothing.scores.values()) == {0.0}


def test_only_what_is_asked_for_in_the_order_of_every_table() -> None:
    whole = caption_scores(PREDICTIONS, REFERENCES)
    for asked in (("CIDEr", "Bleu_3"), ("ROUGE_L",), ("Bleu_1", "Bleu_1"), ()):
        found = caption_scores(PREDICTIONS, REFERENCES, asked)
        assert list(found.scores) == list(found.per_image) == [name for name in METRICS if name in asked]
        assert all(found.scores[name] == whole.scores[name] for name in asked)
    assert METRICS[: len(PURE)] == PURE and METRICS[len(PURE) :] == ("METEOR", "SPICE")


def test_without_java_all_else_scores(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    for name in ("VLPBENCH_JAVA", "JAVA_HOME", "VLPBENCH_SPICE"):
        monkeypatch.delenv(name, raising=False)
    pure, found = caption_scores(PREDICTIONS, REFERENCES), caption_scores(PREDICTIONS, REFERENCES, METRICS)
    assert found.scores == {**pure.scores, "METEOR": None, "SPICE": None}
    assert found.per_image == pure.per_image and set(found.reasons) == {"METEOR", "SPICE"}
    assert "no Java" in found.reasons["METEOR"] and "install" in found.reasons["METEOR"]
    checked = caption_scores(PREDICTIONS, REFERENCES, tokenizer="java")
    assert checked.scores == dict.fromkeys(PURE) and not checked.per_image
    assert all("no Java" in checked.reasons[name] for name in PURE)


def test_spice_names_the_folder_that_lacks_its_jars(tmp_path: Path) -> None:
    found = caption_scores(PREDICTIONS, REFERENCES, ["SPICE"], spice=tmp_path / "jars")
    assert found.scores == {"SPICE": None} and str(tmp_path / "jars") in found.reasons["SPICE"]


@pytest.mark.java
@needs_java
def test_the_java_tokenizer_gives_the_same_scores() -> None:
    assert caption_scores(PREDICTIONS, REFERENCES, tokenizer="java") == caption_scores(PREDICTIONS, REFERENCES)


@pytest.mark.slow
@pytest.mark.java
@needs_java
def test_meteor_belongs_to_its_images() -> None:
    found = caption_scores(PREDICTIONS, REFERENCES, ["METEOR", "ROUGE_L"])
    assert list(found.scores) == ["ROUGE_L", "METEOR"] and not found.reasons
    # Seen to come out of pycocoevalcap's Meteor for these captions.
    each = {3: 0.3899751238121113, 5: 0.3707170930065749, 7: 0.31021470895058056, 11: 0.22857142857142856}
    assert found.scores["METEOR"] == pytest.approx(0.33336348837251, abs=1e-12)
    assert found.per_image["METEOR"] == pytest.approx(each, abs=1e-12)


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


def test_names_that_are_not_known() -> None:
    with pytest.raises(UserError, match="unknown metric 'CIDEr-D'") as refused:
        caption_scores(PREDICTIONS, REFERENCES, ["Bleu_1", "CIDEr-D"])
    assert "did you mean 'CIDEr'" in refused.value.remedy
    with pytest.raises(UserError, match="unknown tokenizer 'jav'"):
        caption_scores(PREDICTIONS, REFERENCES, tokenizer="jav")  # type: ignore[arg-type]
