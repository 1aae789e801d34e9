"""COCO caption files through to the scores, against pycocoevalcap's own path; order of images, subsets, reasons."""

from __future__ import annotations

import os
import random
import shutil
from pathlib import Path

import pytest
from pycocoevalcap.bleu.bleu import Bleu
from pycocoevalcap.cider.cider import Cider
from pycocoevalcap.rouge.rouge import Rouge
from pycocotools.coco import COCO

from vlpbench.errors import UserError
from vlpbench.metrics.captions import METRICS, PURE
from vlpbench.metrics.external.java_tokenizer import java_tokenize
from vlpbench.metrics.ptb_tokenizer import tokenize
from vlpbench.scoring.captions import CaptionFiles, score_captions

NAMES = ",".join(PURE)
IMAGES = [{"id": 30}, {"id": 4}, {"id": 17}, {"id": 99}]
ANNOTATIONS = [
    {"id": 1, "image_id": 4, "caption": "Two men sit on a bench."},
    {"id": 2, "image_id": 30, "caption": "A brown dog runs across the grass."},
    {"id": 3, "image_id": 17, "caption": "A cat sleeps on a couch, doesn't it?"},
    {"id": 4, "image_id": 4, "caption": "A couple of men sitting on a park bench"},
    {"id": 5, "image_id": 30, "caption": "The dog is running on vitamin C."},
]
SAID = {17: "a cat sleeps", 30: "A dog runs on the grass.", 4: "two men on a bench"}


def official(coco: COCO, results: COCO, cut) -> dict[str, float]:
    """What `pycocoevalcap/eval.py` does with these files: images in the order of the file, tokens by `cut`."""
    images = results.getImgIds()
    texts = {i: [one["caption"] for one in coco.imgToAnns[i]] for i in images}
    said = dict(zip(images, ([one] for one in cut([results.imgToAnns[i][0]["caption"] for i in images])), strict=True))
    tokens = iter(cut([text for i in images for text in texts[i]]))
    given = {i: [next(tokens) for _ in texts[i]] for i in images}
    found = dict(zip(PURE, Bleu(4).compute_score(given, said, verbose=0)[0], strict=False))
    return found | {"ROUGE_L": Rouge().compute_score(given, said)[0], "CIDEr": Cider().compute_score(given, said)[0]}


@pytest.fixture
def scored(write):
    """Predictions (by id, or rows) and what else is said -> what is found."""

    def score(predictions=SAID, annotations=None, **more):
        if isinstance(predictions, dict):
            predictions = [{"image_id": key, "caption": text} for key, text in predictions.items()]
        annotations = annotations or {"images": IMAGES, "annotations": ANNOTATIONS}
        more.setdefault("metrics", NAMES)
        return score_captions(CaptionFiles(write("a.json", annotations), write("p.json", predictions), **more))

    return score


def test_scores_are_those_of_the_official_path(scored, tmp_path, capsys):
    found = scored().found
    coco = COCO(str(tmp_path / "a.json"))
    wanted = official(coco, coco.loadRes(str(tmp_path / "p.json")), tokenize)
    assert {name: found[name] for name in wanted} == pytest.approx(wanted, abs=1e-9)
    assert found["images"] == found["images_annotated"] == 3 and found["reasons"] == {}
    assert found["CIDEr-plain"] is not None


def test_images_stand_in_the_order_of_the_file(scored):
    """Order matters, since the tokenizer looks over the end of a line: "C." is cut by what comes next."""
    assert [row["image_id"] for row in scored().rows()] == [30, 4, 17]
    assert [row["image_id"] for row in scored(annotations={"annotations": ANNOTATIONS}).rows()] == [4, 30, 17]
    turned = {"images": IMAGES[1:2] + IMAGES[:1] + IMAGES[2:], "annotations": ANNOTATIONS}
    assert [row["image_id"] for row in scored(annotations=turned).rows()] == [4, 30, 17]


def test_scores_belong_to_their_images_whatever_the_order_of_predictions(scored):
    rows = {row["image_id"]: row for row in scored().rows()}
    back = {row["image_id"]: row for row in scored(dict(reversed(SAID.items()))).rows()}
    assert rows == back
    assert {i: row["caption"] for i, row in rows.items()} == SAID
    assert rows[17]["ROUGE_L"] < rows[4]["ROUGE_L"]


def test_fewer_images_than_annotated_only_as_a_subset(scored):
    with pytest.raises(UserError, match="1 of 3 images without prediction: 17") as wrong:
        scored({30: "a dog", 4: "men"})
    assert "--subset" in wrong.value.remedy
    result = scored({30: "a dog", 4: "men"}, subset=True)
    assert (result.found["images"], result.found["images_annotated"]) == (2, 3)
    assert any("2 of 3 annotated images" in note for note in result.found["notes"])


def test_cider_of_one_image_is_null_with_its_reason(scored):
    result = scored({4: "two men"}, subset=True)
    assert result.found["CIDEr"] is None and "single image" in result.found["reasons"]["CIDEr"]
    assert result.rows()[0]["CIDEr"] is None and result.rows()[0]["Bleu_1"] is not None
    assert "no CIDEr, CIDEr-plain: " in result.text


def test_metrics_by_name_in_the_order_of_every_table(scored):
    for typed in ("CIDEr, Bleu_4", "cider,BLEU-4"):
        assert [name for name in scored(metrics=typed).found if name in METRICS] == ["Bleu_4", "CIDEr"]
    with pytest.raises(UserError, match="unknown caption metric 'CIDR'") as wrong:
        scored(metrics="CIDEr,CIDR")
    assert "did you mean 'CIDEr'?" in wrong.value.remedy
    with pytest.raises(UserError, match="no metric is named"):
        scored(metrics=",")


def test_without_java_the_rest_is_scored_and_the_reasons_told(scored, monkeypatch):
    monkeypatch.setenv("PATH", "")
    for name in ("VLPBENCH_JAVA", "JAVA_HOME", "VLPBENCH_SPICE"):
        monkeypatch.delenv(name, raising=False)
    result = scored(metrics=None)
    assert [name for name in METRICS if result.found[name] is None] == ["METEOR", "SPICE"]
    assert set(result.found["reasons"]) == {"METEOR", "SPICE"}
    assert "ava" in result.found["reasons"]["METEOR"] and "no METEOR: " in result.text
    assert result.rows()[0]["METEOR"] is None


def test_line_breaks_and_empty_captions_are_said_and_move_nothing(scored):
    plain, broken = scored(SAID | {30: "A dog runs on the grass."}), scored(SAID | {30: "A dog\rruns on the grass."})
    assert [row["CIDEr"] for row in broken.rows()] == [row["CIDEr"] for row in plain.rows()]
    assert any("read as a space: 1" in note for note in broken.found["notes"])
    assert any("empty predicted captions" in note for note in scored(SAID | {4: ""}).found["notes"])


@pytest.mark.parametrize(
    ("predictions", "cause"),
    [
        (SAID | {99: "x"}, "1 predicted image not in a.json: 99"),
        ([{"image_id": 4, "captions": "x"}], "'caption' is missing"),
        ([{"image_id": 4, "caption": ["x"]}], r"'caption' is not a text \(\['x'\]\)"),
        ([{"image_id": i, "caption": "x"} for i in (4, 30, 17, 4)], r"1 predicted more than once: 4 \(number 1, 4\)"),
    ],
)
def test_what_is_malformed_is_named(scored, predictions, cause):
    with pytest.raises(UserError, match=cause):
        scored(predictions)


def test_a_file_without_annotations_tells_its_keys(scored):
    with pytest.raises(UserError, match=r"a\.json has no 'annotations'") as wrong:
        scored(annotations={"images": IMAGES, "annotation": ANNOTATIONS})
    assert "did you mean its key 'annotation'?" in wrong.value.remedy


@pytest.mark.java
@pytest.mark.skipif(shutil.which("java") is None, reason="there is no Java runtime")
def test_a_real_set_against_java_tokens(write, capsys):
    if "VLPBENCH_DATA" not in os.environ:
        pytest.skip("VLPBENCH_DATA names no folder of data sets")
    path = Path(os.environ["VLPBENCH_DATA"]) / "flickr8k-1k" / "captions_test.json"
    if not path.is_file():
        pytest.skip("flickr8k-1k is not in VLPBENCH_DATA")
    coco, rng = COCO(str(path)), random.Random(5)
    texts = [one["caption"] for one in coco.dataset["annotations"]]
    said = [{"image_id": i, "caption": rng.choice([coco.imgToAnns[i][0]["caption"].lower(), rng.choice(texts)])}
            for i in coco.getImgIds()]
    predictions = write("p.json", said)
    wanted = official(coco, coco.loadRes(str(predictions)), java_tokenize)
    for tokenizer in ("python", "java"):
        found = score_captions(CaptionFiles(path, predictions, NAMES, tokenizer)).found
        assert {name: found[name] for name in wanted} == pytest.approx(wanted, abs=1e-9), tokenizer
