"""The data set `signs`: what captions, answers, fields and pixels say is one and the same; nothing can be guessed."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import pytest

from tests.data.worlds.conftest import related
from tests.data.worlds.sign_reader import SORT_WORDS, answered, briefly, exactly, sorts, true_of
from vlpbench.contract.dataset import Dataset
from vlpbench.data.worlds.sign_scenes import lexicon
from vlpbench.data.worlds.sign_words import FORMS
from vlpbench.data.worlds.signs import Signs, SignsConfig
from vlpbench.data.worlds.truths import possible, wordings
from vlpbench.errors import UserError
from vlpbench.types import Question, Sample

SEEN = ("kind", "colour", "size", "place")
"""What can be seen of a sign, and is told."""


def truth(question: Question) -> str:
    return Counter(question.answers).most_common(1)[0][0]


def told(rows: list[dict[str, Any]]) -> set[tuple[str, ...]]:
    return {tuple(row[name] for name in SEEN) for row in rows}


@pytest.fixture(scope="module")
def signs(tmp_path_factory: pytest.TempPathFactory) -> Signs:
    return Signs(SignsConfig(train=900, val=40, test=250), Path("nowhere"), tmp_path_factory.mktemp("signs"))


@pytest.fixture(scope="module")
def samples(signs: Signs) -> dict[str, list[Sample]]:
    read = {split: list(signs.read(split)) for split in ("train", "test")}
    assert all(isinstance(sample, Sample) for mine in read.values() for sample in mine), "no BadSample"
    return read  # type: ignore[return-value]


def test_the_world_is_the_same_as_ever(tmp_path: Path) -> None:
    """Results that were published with this world stay comparable: not a byte may change without a new version."""
    signs = Signs(SignsConfig(train=60, val=20, test=20, exact=0.5), tmp_path, tmp_path)
    assert signs.fingerprint() == "2e902944463d0b7b14d3048575506bd2b32fc396d0371b98b461d48b1453fecc"
    signs.prepare()
    manifest = (signs.folder / "manifest.json").read_bytes()
    assert hashlib.sha256(manifest).hexdigest() == "00ea6d939a425a5fa63f97d331fc799428c04531fee976e6458a7ae19589e1aa"


def test_nothing_is_written_before_it_is_needed(tmp_path: Path) -> None:
    signs = Signs(SignsConfig(), tmp_path / "root", tmp_path / "cache")
    assert isinstance(signs, Dataset)
    assert signs.splits() == ("train", "val", "test")
    assert "6 shapes, 6 digits" in signs.describe()["pictures"]
    assert signs.describe()["label"] == "kind of the first sign in reading order"
    assert list(tmp_path.iterdir()) == []


def test_every_answer_is_true(samples: dict[str, list[Sample]]) -> None:
    kinds = set()
    for sample in samples["test"]:
        assert len({question.text for question in sample.questions}) == len(sample.questions)
        for question in sample.questions:
            assert truth(question) == answered(question.text, sample.fields["labels"]), (question, sample.fields)
            kinds.add(question.kind)
    assert kinds == {form.kind for form in FORMS}


def test_every_caption_tells_every_sign_and_true_relations(samples: dict[str, list[Sample]]) -> None:
    relations: Counter[str] = Counter()
    for sample in samples["test"]:
        labels = sample.fields["labels"]
        assert len(set(sample.captions)) == 5
        for caption in (*sample.captions, *sample.fields["rewrites"], sample.fields["oracle"]):
            rows, said = exactly(caption)
            assert told(rows) == told(labels), caption
            assert len(rows) == len(labels)
            assert all(related(rows[i], relation, rows[j]) for i, relation, j in said), caption
            assert not SORT_WORDS & set(caption.replace(",", "").split()), caption
            relations.update(relation for _, relation, _ in said)
    assert set(relations) == {"left of", "right of", "above", "below"}
    assert min(relations.values()) > 50


def test_fields_know_what_follows(samples: dict[str, list[Sample]]) -> None:
    for sample in samples["test"]:
        for label in sample.fields["labels"]:
            assert sorts(label["kind"], label["colour"]).items() <= label.items()
        assert {len(row) for row in sample.fields["label_array"]} == {7}
        assert len(sample.fields["label_array"]) == 3


def test_brief_captions_are_true_and_as_many_as_wanted(tmp_path: Path) -> None:
    config = SignsConfig(train=240, val=1, test=1, exact=0.3, questions=0)
    brief = Counter[bool]()
    for sample in Signs(config, tmp_path, tmp_path).read("train"):
        assert isinstance(sample, Sample)
        assert sample.questions == ()
        for caption in (*sample.captions, *sample.fields["rewrites"]):
            said = briefly(caption)
            if said is None:
                assert told(exactly(caption)[0]) == told(sample.fields["labels"]), caption
            else:
                assert true_of(said, sample.fields["labels"]), (caption, sample.fields["labels"])
            assert not SORT_WORDS & set(caption.replace(",", "").split()), caption
        brief.update(briefly(caption) is not None for caption in sample.captions)
        assert briefly(sample.fields["oracle"]) is None, "the oracle tells everything"
    assert 0.66 < brief[True] / brief.total() < 0.74


def test_no_two_test_pictures_have_a_caption_in_common(samples: dict[str, list[Sample]]) -> None:
    owners: dict[str, set[int]] = defaultdict(set)
    for sample in samples["test"]:
        for caption in sample.captions:
            owners[caption].add(sample.id)
    assert max(len(ids) for ids in owners.values()) == 1


def test_texts_are_short(samples: dict[str, list[Sample]]) -> None:
    """Every word and comma is one token of a tokenizer that has seen the world; the end of the sentence is one more."""
    every = samples["train"] + samples["test"]
    longest = max(len(text.replace(",", " ,").split()) + 1 for sample in every for text in sample.captions)
    assert 28 <= longest <= 32
    assert max(len(question.text.split()) for sample in every for question in sample.questions) <= 10


def test_answers_are_balanced_under_every_wording(samples: dict[str, list[Sample]]) -> None:
    words = lexicon(SignsConfig())
    asked = {text: form for form in FORMS for _, text in wordings(form, words)}
    for mine in samples.values():
        given: dict[str, Counter[str]] = defaultdict(Counter)
        for question in (question for sample in mine for question in sample.questions):
            given[question.text][truth(question)] += 1
        for text, counts in given.items():
            every = possible(asked[text], words)
            spread = max(counts.values()) - min(counts[answer] for answer in every)
            assert set(counts) <= set(every)
            assert spread <= {"yes/no": 0, "number": 1, "other": 2}[asked[text].answer_kind], (text, counts)
        assert sum(text.startswith("is ") for text in given) > 30


def test_digits_are_asked_of_digits_and_shapes_of_shapes(samples: dict[str, list[Sample]]) -> None:
    words = lexicon(SignsConfig())
    answers = {form.kind: set(possible(form, words)) for form in FORMS if form.asked == "kind"}
    given: dict[str, set[str]] = defaultdict(set)
    for question in (question for sample in samples["train"] for question in sample.questions):
        given[question.kind].add(truth(question))
    assert given["which digit"] == answers["which digit"] == set("012345")
    assert given["what shape"] == answers["what shape"] == {"circle", "square", "triangle", "cross", "ring", "diamond"}


def test_the_wording_does_not_give_the_answer_away(samples: dict[str, list[Sample]]) -> None:
    given: dict[str, Counter[str]] = defaultdict(Counter)
    kinds: dict[str, Counter[str]] = defaultdict(Counter)
    for question in (question for sample in samples["train"] for question in sample.questions):
        given[question.text].update(question.answers)
        kinds[question.kind].update(question.answers)
    asked = [question for sample in samples["test"] for question in sample.questions]
    for best in (
        [given[question.text] or Counter([""]) for question in asked], [kinds[question.kind] for question in asked],
    ):
        right = [truth(q) == counts.most_common(1)[0][0] for q, counts in zip(asked, best, strict=True)]
        assert sum(right) / len(right) < 0.35


def test_written_twice_it_is_the_same(tmp_path: Path) -> None:
    config = SignsConfig(train=30, val=10, test=10, exact=0.5)
    found = []
    for cache in (tmp_path / "a", tmp_path / "b"):
        made = Signs(config, tmp_path, cache)
        made.prepare()
        found.append({path.name: path.read_bytes() for path in made.folder.rglob("*") if path.is_file()})
    assert len(found[0]) == 50 + 14
    assert found[0] == found[1]
    other = Signs(SignsConfig(train=30, val=10, test=10, exact=0.5, seed=1), tmp_path, tmp_path / "a")
    assert next(iter(other.read("test"))).captions != next(iter(made.read("test"))).captions  # type: ignore[union-attr]


def test_a_world_without_questions_has_none_and_keeps_its_captions(tmp_path: Path) -> None:
    """So `questions = 0` is for sets that are only pretrained on."""
    few = {"train": 8, "val": 2, "test": 2}
    mute = list(Signs(SignsConfig(**few, questions=0), tmp_path, tmp_path).read("test"))
    asked = list(Signs(SignsConfig(**few), tmp_path, tmp_path).read("test"))
    assert all(sample.questions == () for sample in mute)  # type: ignore[union-attr]
    assert any(sample.questions for sample in asked)  # type: ignore[union-attr]
    assert [sample.image for sample in mute] == [sample.image for sample in asked]  # type: ignore[union-attr]


def test_bad_knobs_are_refused_before_anything_is_written() -> None:
    with pytest.raises(UserError, match="digits"):
        Signs.config_class(digits=11)
