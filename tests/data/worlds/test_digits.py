"""The data set `digits` as others use it: through the contract, read by the readers of real files."""

from __future__ import annotations

import hashlib
import json
from collections import Counter, defaultdict
from pathlib import Path

import pytest

from vlpbench.contract.dataset import Dataset
from vlpbench.data.sources.coco import Coco, CocoConfig
from vlpbench.data.sources.karpathy import Karpathy, KarpathyConfig
from vlpbench.data.worlds.digits import Digits, DigitsConfig
from vlpbench.errors import UserError
from vlpbench.types import Question, Sample

CONFIG = DigitsConfig(train=1500, val=100, test=500)


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Digits:
    return Digits(CONFIG, Path("nowhere"), tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="module")
def samples(digits: Digits) -> dict[str, list[Sample]]:
    read = {split: list(digits.read(split)) for split in digits.splits()}
    assert all(isinstance(sample, Sample) for mine in read.values() for sample in mine), "no BadSample"
    return read  # type: ignore[return-value]


def test_nothing_is_written_before_it_is_needed(tmp_path: Path) -> None:
    digits = Digits(CONFIG, tmp_path / "root", tmp_path / "cache")
    assert isinstance(digits, Dataset)
    assert len(digits.fingerprint()) == 64
    assert digits.images.is_relative_to(tmp_path / "cache" / "worlds")
    assert digits.splits() == ("train", "val", "test")
    assert "1500" in digits.describe()["splits"]
    assert list(tmp_path.iterdir()) == []


def test_prepare_writes_once_and_tells(tmp_path: Path) -> None:
    heard: list[tuple[int, int]] = []
    config = DigitsConfig(train=30, val=10, test=10)
    for _ in range(2):
        Digits(config, tmp_path, tmp_path).prepare(lambda done, of: heard.append((done, of)))
    assert heard == [(50, 50)]


def test_reading_prepares_and_repairs(tmp_path: Path) -> None:
    config = DigitsConfig(train=30, val=10, test=10)
    first = list(Digits(config, tmp_path, tmp_path).read("test"))
    folder = Digits(config, tmp_path, tmp_path).folder
    (folder / "questions_test.json").unlink()
    assert list(Digits(config, tmp_path, tmp_path).read("test")) == first


def test_the_world_is_the_same_as_ever(tmp_path: Path) -> None:
    """Results that were published with this world stay comparable: not a byte may change without a new version."""
    digits = Digits(DigitsConfig(train=60, val=20, test=20), tmp_path, tmp_path)
    assert digits.fingerprint() == "b249866dce7c0678b25e49497256f08baa7aeafd44d6e651dc06540228ef0d9a"
    digits.prepare()
    manifest = (digits.folder / "manifest.json").read_bytes()
    assert hashlib.sha256(manifest).hexdigest() == "454c5cca7842fecdd0731974d690f1e8d0f42d882708e89b782cdab6b1ec5f0e"


def test_worlds_of_other_knobs_lie_apart(tmp_path: Path) -> None:
    folders = {Digits(DigitsConfig(seed=seed), tmp_path, tmp_path).folder for seed in range(3)}
    assert len(folders) == 3


def test_samples_are_whole(digits: Digits, samples: dict[str, list[Sample]]) -> None:
    assert {split: len(mine) for split, mine in samples.items()} == {"train": 1500, "val": 100, "test": 500}
    every = [sample for mine in samples.values() for sample in mine]
    assert len({sample.id for sample in every}) == len(every)
    for sample in every:
        assert (digits.images / sample.image).is_file()
        assert len(set(sample.captions)) == 5
        assert all(len(question.answers) == 10 for question in sample.questions)
    questions = [question for sample in every for question in sample.questions]
    assert len({question.id for question in questions}) == len(questions)
    assert {question.answer_kind for question in questions} == {"yes/no", "number", "other"}
    assert sum(len(sample.questions) for sample in samples["test"]) >= 1500


def test_fields_say_what_is_where(samples: dict[str, list[Sample]]) -> None:
    for sample in samples["test"]:
        labels, boxes = sample.fields["labels"], sample.fields["boxes"]
        assert len(labels) == len(boxes) in (1, 2)
        for label, (x, y, width, height) in zip(labels, boxes, strict=True):
            assert f"{label['colour']} {label['kind']} at the {label['place']}" in sample.fields["oracle"]
            assert ("left" in label["place"]) == (x + width / 2 < 16)
            assert ("top" in label["place"]) == (y + height / 2 < 16)


def test_no_two_test_pictures_have_a_caption_in_common(samples: dict[str, list[Sample]]) -> None:
    owners: dict[str, set[int]] = defaultdict(set)
    for sample in samples["test"]:
        for caption in sample.captions:
            owners[caption].add(sample.id)
    assert max(len(ids) for ids in owners.values()) == 1


def credit(question: Question, answer: str) -> float:
    """The leave-one-out VQA accuracy of one answer."""
    others = [question.answers.count(answer) - (given == answer) for given in question.answers]
    return sum(min(1, count / 3) for count in others) / 10


def test_the_wording_does_not_give_the_answer_away(samples: dict[str, list[Sample]]) -> None:
    """The best answer to each wording, learnt on train, tried on test; and the best possible one, chosen on test."""
    for learnt, most in (("train", 0.33), ("test", 0.35)):
        given: dict[str, Counter[str]] = defaultdict(Counter)
        for sample in samples[learnt]:
            for question in sample.questions:
                given[question.text].update(question.answers)
        best = {text: counts.most_common(1)[0][0] for text, counts in given.items()}
        scores = [credit(q, best.get(q.text, "")) for sample in samples["test"] for q in sample.questions]
        assert sum(scores) / len(scores) < most


def test_the_truth_has_full_credit(digits: Digits, samples: dict[str, list[Sample]]) -> None:
    document = json.loads((digits.folder / "annotations_test.json").read_text())
    truth = {row["question_id"]: row["multiple_choice_answer"] for row in document["annotations"]}
    for question in (question for sample in samples["test"] for question in sample.questions):
        assert credit(question, truth[question.id]) == 1


def test_other_readers_read_the_same_captions(digits: Digits, samples: dict[str, list[Sample]]) -> None:
    folder, root = digits.folder.name, digits.folder.parent
    coco = Coco(CocoConfig(folder, captions={"test": "captions_test.json"}), root, digits.cache)
    karpathy = Karpathy(KarpathyConfig(folder, file="dataset_digits.json"), root, digits.cache)
    wanted = [(sample.id, sample.image, sample.captions) for sample in samples["test"]]
    for reader in (coco, karpathy):
        found = [sample for sample in reader.read("test") if isinstance(sample, Sample)]
        assert [(sample.id, sample.image, sample.captions) for sample in found] == wanted


def test_an_unknown_split_is_named_with_the_nearest(digits: Digits) -> None:
    with pytest.raises(UserError, match="'tset'") as caught:
        list(digits.read("tset"))
    assert "test" in caught.value.remedy


def test_bad_knobs_are_refused_before_anything_is_written() -> None:
    with pytest.raises(UserError, match="classes"):
        Digits.config_class(classes=11)
