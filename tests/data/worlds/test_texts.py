"""The corpora as others use them: texts without pictures, written once, the same for the same settings."""

from __future__ import annotations

import dataclasses
import hashlib
from pathlib import Path
from typing import Any

import pytest

from vlpbench.data.splits import open_split
from vlpbench.data.worlds.digits import DigitsConfig
from vlpbench.data.worlds.shapes import ShapesConfig
from vlpbench.data.worlds.signs import SignsConfig
from vlpbench.data.worlds.texts import (
    DigitsTexts,
    DigitsTextsConfig,
    ShapesTexts,
    ShapesTextsConfig,
    SignsTexts,
    SignsTextsConfig,
    WorldTexts,
)
from vlpbench.errors import UserError
from vlpbench.types import Sample

ALL = [
    (DigitsTexts, DigitsTextsConfig, DigitsConfig), (ShapesTexts, ShapesTextsConfig, ShapesConfig),
    (SignsTexts, SignsTextsConfig, SignsConfig),
]


def said(corpus: WorldTexts, split: str) -> list[str]:
    return [sample.captions[0] for sample in corpus.read(split) if isinstance(sample, Sample)]


@pytest.mark.parametrize(("kind", "config", "_world"), ALL)
def test_samples_are_texts_alone(kind: Any, config: Any, _world: Any, tmp_path: Path) -> None:
    corpus = kind(config(train=300, val=40), tmp_path / "root", tmp_path / "cache")
    assert corpus.splits() == ("train", "val")
    assert list(tmp_path.iterdir()) == []
    for split, number in (("train", 300), ("val", 40)):
        samples = list(corpus.read(split))
        assert [sample.id for sample in samples] == list(range(1, number + 1))
        assert all((s.image, s.questions, len(s.captions), dict(s.fields)) == ("", (), 1, {}) for s in samples)
        assert max(len(text.split()) for text in said(corpus, split)) <= 24
    assert said(corpus, "train")[:50] != said(corpus, "val")[:50]
    names = {path.name for path in corpus.folder.iterdir()}
    assert names == {"train.txt", "val.txt", "manifest.json"}
    assert len(open_split(corpus, "train", purpose="train", size=32, on_bad="error").samples) == 300


@pytest.mark.parametrize(("kind", "config", "_world"), ALL)
def test_equal_settings_give_equal_files(kind: Any, config: Any, _world: Any, tmp_path: Path) -> None:
    written = []
    for cache in (tmp_path / "a", tmp_path / "b"):
        corpus = kind(config(train=80, val=20), tmp_path, cache)
        corpus.prepare()
        written.append({path.name: path.read_bytes() for path in corpus.folder.iterdir()})
    assert written[0] == written[1]
    other = kind(config(train=80, val=20, seed=1), tmp_path, tmp_path / "a")
    assert said(other, "train") != said(kind(config(train=80, val=20), tmp_path, tmp_path / "a"), "train")


@pytest.mark.parametrize(("kind", "config", "_world"), ALL)
def test_every_knob_is_in_the_fingerprint(kind: Any, config: Any, _world: Any, tmp_path: Path) -> None:
    usual = kind(config(), tmp_path, tmp_path).fingerprint()
    changed = {"synonyms": 0.2, "sizes": 1, "digits_min": 2, "signs_min": 3, "grid": 3 if kind is DigitsTexts else 2}
    for field in dataclasses.fields(config):
        value = changed.get(field.name) or field.default + 1
        made = kind(config(**{field.name: value}), tmp_path, tmp_path)
        assert made.fingerprint() != usual, field.name
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("_kind", "config", "world"), ALL)
def test_knobs_are_those_of_the_world_by_name_and_default(_kind: Any, config: Any, world: Any) -> None:
    theirs = {field.name: field.default for field in dataclasses.fields(world)}
    for field in dataclasses.fields(config):
        if field.name not in ("train", "val", "words"):
            assert theirs[field.name] == field.default, field.name


@pytest.mark.parametrize(("config", "knob", "value"), [
    (DigitsTextsConfig, "train", 0), (DigitsTextsConfig, "val", True), (DigitsTextsConfig, "words", 11),
    (DigitsTextsConfig, "classes", 11), (DigitsTextsConfig, "digits_max", 5), (ShapesTextsConfig, "kinds", 10),
    (ShapesTextsConfig, "shapes_min", 1), (ShapesTextsConfig, "synonyms", 0.9), (ShapesTextsConfig, "seed", -1),
    (SignsTextsConfig, "digits", 11), (SignsTextsConfig, "shapes", 0), (SignsTextsConfig, "signs_max", 10),
])
def test_a_bad_knob_is_named(config: Any, knob: str, value: Any) -> None:
    with pytest.raises(UserError, match=f"{knob} = {value!r}"):
        config(**{knob: value})


@pytest.mark.parametrize(("kind", "texts"), [
    (DigitsTexts, "d030055953c28cd5667afd3fc8d0c70bb6687803e413df6c9a09a12243c175c3"),
    (ShapesTexts, "775cf00b2ac8019ed533348daf92b132261f0c2008c5f5b13b79a4a92badca46"),
    (SignsTexts, "a4066d767e09bee883ad500bbd50ae1d15ef330207fa5eb11dd5fd6fe6271e6c"),
])
def test_the_corpora_are_the_same_as_ever(kind: Any, texts: str, tmp_path: Path) -> None:
    """Results that were published with them stay comparable: not a byte may change without a new version."""
    corpus = kind(kind.config_class(train=60, val=20), tmp_path, tmp_path)
    corpus.prepare()
    written = b"".join((corpus.folder / f"{split}.txt").read_bytes() for split in corpus.splits())
    assert hashlib.sha256(written).hexdigest() == texts


def test_the_fingerprint_of_signs_is_the_same_as_ever(tmp_path: Path) -> None:
    corpus = SignsTexts(SignsTextsConfig(train=60, val=20), tmp_path, tmp_path)
    assert corpus.fingerprint() == "1bd9f579eba27bf0c8bab95b814bb0aa360b11f4862d5f20a1f4518fce80b4ed"


def test_few_texts_are_said_again_where_words_run_out(tmp_path: Path) -> None:
    """A world of one digit in one colour has few sentences; validation has its number of texts all the same."""
    config = DigitsTextsConfig(train=3000, val=30, digits_max=1, classes=1, colours=1, synonyms=0.0)
    corpus = DigitsTexts(config, tmp_path, tmp_path)
    assert len(said(corpus, "val")) == 30
    assert set(said(corpus, "val")) & set(said(corpus, "train"))


def test_progress_counts_texts_and_nothing_is_written_twice(tmp_path: Path) -> None:
    heard: list[tuple[int, int]] = []
    for _ in range(2):
        corpus = ShapesTexts(ShapesTextsConfig(train=1200, val=100), tmp_path, tmp_path)
        corpus.prepare(lambda done, of: heard.append((done, of)))
    assert heard == [(1000, 1300), (1300, 1300)]


def test_a_damaged_corpus_is_replaced(tmp_path: Path) -> None:
    corpus = ShapesTexts(ShapesTextsConfig(train=50, val=10), tmp_path, tmp_path)
    before = said(corpus, "train")
    (corpus.folder / "train.txt").write_text("a\n")
    again = ShapesTexts(ShapesTextsConfig(train=50, val=10), tmp_path, tmp_path)
    assert said(again, "train") == before


def test_there_is_no_test_split(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="'test'"):
        list(DigitsTexts(DigitsTextsConfig(), tmp_path, tmp_path).read("test"))
    assert list(tmp_path.iterdir()) == []


def test_facts_for_the_list(tmp_path: Path) -> None:
    facts = ShapesTexts(ShapesTextsConfig(train=7), tmp_path, tmp_path).describe()
    assert facts["kind"] == "shapes-texts"
    assert "train 7" in facts["splits"]


@pytest.mark.parametrize(("kind", "config", "_world"), ALL)
def test_both_splits_are_drawn_alike(kind: Any, config: Any, _world: Any, tmp_path: Path) -> None:
    corpus = kind(config(train=600, val=600), tmp_path, tmp_path)
    means = [sum(len(text.split()) for text in said(corpus, split)) / 600 for split in ("train", "val")]
    assert abs(means[0] - means[1]) < 1
