"""A model from elsewhere takes the suite: timm's picture tower beside a bag of words, both with random weights."""

from __future__ import annotations

import json
import math
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import timm
import torch
from torch import Tensor, nn

import vlpbench
from vlpbench.cli.main import main
from vlpbench.contract.outside import Outside
from vlpbench.data.splits import open_split
from vlpbench.errors import UserError
from vlpbench.grid import open_source
from vlpbench.records import cell_folders, read_predictions
from vlpbench.registry import load_registry
from vlpbench.runner.workbench import opened_here
from vlpbench.tasks.suite import Outcome

DATA = {"small": {"kind": "digits", "train": 30, "val": 10, "test": 12, "questions": 2}}
FEW = {"protocol.retrieval.samples": 16, "protocol.retrieval.batch": 8, "protocol.vqa.samples": 16,
       "protocol.vqa.batch": 8}


class Bag(Outside):
    """Two towers: a picture's features projected, and a weighted bag of hashed words."""

    offers = frozenset({"image_vector", "text_vector"})
    trains = frozenset({"vectors"})
    pixels, joint_width = 32, 6
    mean, std = (0.4, 0.5, 0.6), (0.2, 0.3, 0.25)

    def __init__(self, seed: int = 0) -> None:
        super().__init__()
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            self.tower = timm.create_model("test_resnet", pretrained=False, num_classes=self.joint_width).eval()
            self.words = nn.Embedding(997, self.joint_width)

    def cut(self, texts: Sequence[str]) -> tuple[Any, Any]:
        """12 words a text, by hash."""
        tokens, mask = np.zeros((len(texts), 12), np.int64), np.zeros((len(texts), 12), bool)
        for row, text in enumerate(texts):
            ids = [zlib.crc32(word.encode()) % 997 for word in text.split()][:11] + [0]
            tokens[row, : len(ids)], mask[row, : len(ids)] = ids, True
        return tokens, mask

    def image_vector(self, image: Any) -> Tensor:
        return image.once("vector", lambda whole: unit(self.tower(whole.images)))  # type: ignore[no-any-return]

    def text_vector(self, text: Any) -> Tensor:
        place = text.mask / (1 + torch.arange(text.mask.shape[1]))  # so that the order of words counts
        return unit((self.words(text.tokens) * place[..., None]).sum(1))


class Matching(Bag):
    """Has a matching head too: the cosine, stretched."""

    trains = frozenset({"vectors", "match"})

    def match(self, image: Any, text: Any) -> Tensor:
        return 9 * (self.image_vector(image) * self.text_vector(text)).sum(1)


class Similar(Bag):
    """Says by a method of its own how alike they are: one direction by the cosine, the other by it turned round."""

    offers, trains = frozenset({"image_tokens"}), frozenset({"similarity"})

    def similarity(self, image: Any, text: Any) -> tuple[Tensor, Tensor]:
        cosines = self.image_vector(image) @ self.text_vector(text).T
        return cosines, -cosines


def unit(vectors: Tensor) -> Tensor:
    return nn.functional.normalize(vectors.float(), dim=-1)


def slow(model: Bag) -> dict[str, float]:
    """R@k of both directions in percent, picture by picture and word by word, ties by counting all orders."""
    source = open_source({**DATA["small"]}, load_registry(), opened_here)
    split = open_split(source, "test", purpose="evaluate", size=32, on_bad="error")
    pictures, texts, owner = [], [], []
    with torch.no_grad():
        for number, sample in enumerate(split.samples):
            pixels = torch.from_numpy(np.array(split.pixels[number])).float() / 255
            normal = (pixels - torch.tensor(model.mean)) / torch.tensor(model.std)
            pictures.append(unit(model.tower(normal.permute(2, 0, 1)[None]))[0])
            for caption in sample.captions:
                ids = [zlib.crc32(word.encode()) % 997 for word in caption.split()][:11] + [0]
                texts.append(unit(sum(model.words.weight[one] / (1 + at) for at, one in enumerate(ids))))
                owner.append(number)
    cosines = np.array([[float(picture @ text) for text in texts] for picture in pictures]).round(6)
    right = np.array(owner)[None] == np.arange(len(pictures))[:, None]
    found = {}
    for name, scores, true in (("TR", cosines, right), ("IR", cosines.T, right.T)):
        for k in (1, 5, 10):
            chances = []
            for row, good in zip(scores, true, strict=True):
                best = row[good].max()
                better, ties = int((row[~good] > best).sum()), int((row[~good] == best).sum())
                alike, left = int((row[good] == best).sum()), k - better
                missed = math.comb(ties, left) / math.comb(ties + alike, left) if 0 <= left <= ties + alike else 0.0
                chances.append(1 - missed if left > 0 else 0.0)
            found[f"{name}@{k}"] = 100 * float(np.mean(chances))
    return found


@pytest.fixture(scope="module")
def model() -> Bag:
    return Bag()


def test_zero_shot_retrieval_is_what_the_model_says(model: Bag) -> None:
    outcome = vlpbench.evaluate(model, ["retrieval@zero-shot"], DATA)["retrieval@zero-shot"]
    assert isinstance(outcome, Outcome) and outcome.training.samples == 0
    expected = slow(model)
    assert {name: outcome.scores.values[name] for name in expected} == pytest.approx(expected, abs=1e-9)
    assert outcome.scores.examples == len(outcome.rows) == 12 + 12 * 5


def test_a_fine_tune_is_a_copys(model: Bag) -> None:
    before = {name: value.clone() for name, value in model.state_dict().items()}
    found = vlpbench.evaluate(model, ["retrieval", "vqa", "retrieval@zero-shot"], DATA, settings=FEW)
    assert all(isinstance(one, Outcome) for one in found.values())
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    tuned, vqa, plain = found.values()
    assert isinstance(tuned, Outcome) and isinstance(plain, Outcome) and isinstance(vqa, Outcome)
    assert tuned.training.samples == vqa.training.samples == 16 and vqa.head == "vectors"
    assert tuned.rows != plain.rows
    alone = vlpbench.evaluate(model, ["retrieval@zero-shot"], DATA)["retrieval@zero-shot"]
    assert isinstance(alone, Outcome) and alone.rows == plain.rows, "one task's fine-tune is not another's start"


def test_what_it_cannot_do_is_a_reason(model: Bag) -> None:
    tasks = ["captioning", "captioning@zero-shot", "vqa@decoder", "retrieval@match@zero-shot", "retrieval@likelihood"]
    found = vlpbench.evaluate(model, tasks, DATA)
    assert list(found) == tasks
    assert all(isinstance(one, str) and one.startswith("n/a: ") for one in found.values()), found
    assert found["captioning"] == "n/a: needs decode"

    class Untrained(Bag):
        trains = frozenset()

    reason = vlpbench.evaluate(Untrained(), ["retrieval@zero-shot"], DATA)["retrieval@zero-shot"]
    assert reason == "n/a: pretraining did not train vectors"


def test_a_matching_head_of_its_own() -> None:
    """Every pair is judged by the cosine, so what comes out is what vectors give."""
    found = vlpbench.evaluate(
        Matching(), ["retrieval@match@zero-shot", "retrieval@zero-shot"], DATA,
        settings={"protocol.retrieval.shortlist": 100},
    )
    by_match, by_vectors = found.values()
    assert isinstance(by_match, Outcome) and isinstance(by_vectors, Outcome)
    assert by_match.scores.values["rsum"] == pytest.approx(by_vectors.scores.values["rsum"], abs=5)
    assert by_match.scores.told["rule"] == "match" and by_match.head == "match"


def test_a_similarity_of_its_own() -> None:
    """One direction is that of vectors, the other its reverse."""
    found = vlpbench.evaluate(Similar(), "retrieval@zero-shot", DATA)["retrieval@zero-shot"]
    near = vlpbench.evaluate(Bag(), "retrieval@zero-shot", DATA)["retrieval@zero-shot"]
    assert isinstance(found, Outcome) and isinstance(near, Outcome)
    assert found.head == found.scores.told["rule"] == "similarity" and near.head == "vectors"
    for one, two in zip(found.rows, near.rows, strict=True):
        turned = one["direction"] == "text to image"
        expected = -np.array(two["scores"])[::-1] if turned else two["scores"]
        assert one["scores"] == pytest.approx(expected, abs=1e-5)
    labels = vlpbench.evaluate(Similar(), "classification@zero-shot", DATA)["classification@zero-shot"]
    assert isinstance(labels, Outcome) and labels.head == "class prompts, similarity"


def test_the_record_is_a_row_of_a_table(model: Bag, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = vlpbench.evaluate(
        model, ["retrieval@zero-shot", "captioning"], DATA, name="bag of words", results=tmp_path / "outside"
    )
    (folder,) = cell_folders(tmp_path / "outside")
    assert folder.state() == "done"
    outcome = found["retrieval@zero-shot"]
    assert isinstance(outcome, Outcome)
    scores = folder.read("scores.json")
    assert scores["tasks"]["retrieval@zero-shot"]["values"] == outcome.scores.values
    assert scores["tasks"]["captioning"] == {"reason": "n/a: needs decode"}
    assert scores["cost"]["parameters"] == sum(one.numel() for one in model.parameters())
    (stored,) = (folder.path / "predictions").iterdir()
    assert json.loads(json.dumps(outcome.rows)) == read_predictions(stored)
    assert main(["report", "table", str(tmp_path / "outside")]) == 0
    said = capsys.readouterr().out
    assert "bag of words" in said and "n/a: needs decode" in said
    assert main(["run", "score", str(tmp_path / "outside")]) == 0
    assert "0 values changed" in capsys.readouterr().out


def test_other_weights_need_a_name_of_their_own(tmp_path: Path) -> None:
    for _ in range(2):
        vlpbench.evaluate(Bag(0), ["retrieval@zero-shot"], DATA, results=tmp_path)
    with pytest.raises(UserError, match="a row 'Bag' already") as caught:
        vlpbench.evaluate(Bag(1), ["retrieval@zero-shot"], DATA, results=tmp_path)
    assert "name=" in caught.value.remedy
    vlpbench.evaluate(Bag(1), ["retrieval@zero-shot"], DATA, name="other", results=tmp_path)
    assert {folder.read("settings.json")["row"] for folder in cell_folders(tmp_path)} == {"Bag", "other"}
    assert len({folder.read("settings.json")["id"] for folder in cell_folders(tmp_path)}) == 2


@pytest.mark.parametrize(
    ("tasks", "data", "settings", "said"),
    [
        (["retreival"], DATA, {}, "did you mean 'retrieval'?"),
        (["retrieval@zero-shot"], "digts", {}, "did you mean 'digits'?"),
        (["retrieval@zero-shot"], {"mine": {"kind": "digts"}}, {}, "did you mean 'digits'?"),
        (["retrieval@zero-shot"], {"mine": {"kind": "digits", "tset": 9}}, {}, "test"),
        (["retrieval@zero-shot"], DATA, {"splt": "val"}, "split"),
        (["retrieval@zero-shot"], DATA, {"split": "train"}, "val"),
        (["retrieval@zero-shot"], DATA, {"protocol.retrieval.fold": 2}, "folds"),
        (["retrieval@zero-shot"], DATA, {"protocol.retrieval.folds": 5}, "fold"),
        ([], DATA, {}, "task"),
    ],
)
def test_mistakes_are_told(model: Bag, tasks: list[str], data: Any, settings: dict[str, Any], said: str) -> None:
    with pytest.raises(UserError) as caught:
        vlpbench.evaluate(model, tasks, data, settings=settings)
    assert said in str(caught.value)


def test_what_its_author_forgot_is_named() -> None:
    class Forgot(Bag):
        def cut(self, texts: Sequence[str]) -> tuple[Any, Any]:
            return Outside.cut(self, texts)

    with pytest.raises(AttributeError, match=r"Forgot does not say how it cuts texts; override cut\(\)"):
        vlpbench.evaluate(Forgot(), ["retrieval@zero-shot"], DATA)
    assert isinstance(Forgot(), Outside)


@pytest.mark.parametrize("data", [{}, {"one": {"kind": "digits"}, "two": {"kind": "shapes"}}, {"kind": "digits"}])
def test_one_data_set_at_a_time(data: dict[str, Any]) -> None:
    with pytest.raises(UserError, match="data names one set") as caught:
        vlpbench.evaluate(Bag(), ["retrieval@zero-shot"], data)
    assert '"kind"' in caught.value.remedy


def test_a_task_that_the_data_cannot_serve_costs_no_other() -> None:
    found = vlpbench.evaluate(Bag(), ["vqa@choices-match@zero-shot", "retrieval@zero-shot"], DATA)
    assert str(found["vqa@choices-match@zero-shot"]).startswith("n/a: ")
    assert isinstance(found["retrieval@zero-shot"], Outcome)
