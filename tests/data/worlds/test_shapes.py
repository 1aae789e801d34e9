"""The data set `shapes`: what captions, answers, fields and pixels say is one and the same; nothing can be guessed."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from vlpbench.data.worlds.shape_scenes import lexicon
from vlpbench.data.worlds.shapes import Shapes, ShapesConfig
from vlpbench.data.worlds.truths import possible
from vlpbench.errors import UserError
from vlpbench.types import Question, Sample

Rows = list[dict[str, Any]]


def truth(question: Question) -> str:
    return Counter(question.answers).most_common(1)[0][0]


def told(rows: Rows) -> set[tuple[tuple[str, str], ...]]:
    return {tuple(sorted(row.items())) for row in rows}


def test_the_world_is_the_same_as_ever(tmp_path: Path) -> None:
    """Results that were published with this world stay comparable: not a byte may change without a new version."""
    shapes = Shapes(ShapesConfig(train=60, val=20, test=20), tmp_path, tmp_path)
    assert shapes.fingerprint() == "be879687d714669605fc8f9687607bb860febc2462424101619390b99662654b"
    shapes.prepare()
    manifest = (shapes.folder / "manifest.json").read_bytes()
    assert hashlib.sha256(manifest).hexdigest() == "a347d98c26660ed9fa5a0673a2b45b7eda99390e48d944ccad682dc09d5490b2"


def test_every_answer_is_true(seen: list[Sample], by_hand: Callable[[str, Rows], str | None]) -> None:
    forms = set()
    for sample in seen:
        assert len({question.text for question in sample.questions}) == len(sample.questions)
        for question in sample.questions:
            assert truth(question) == by_hand(question.text, sample.fields["labels"]), (question, sample.fields)
            forms.add(question.kind)
    assert forms == {form.kind for form in lexicon(ShapesConfig()).forms}


def test_every_caption_names_the_scene_and_says_true_relations(
    seen: list[Sample], parsed: Callable[[str], tuple[Rows, Any]], apart: Callable[..., bool]
) -> None:
    said: Counter[str] = Counter()
    for sample in seen:
        labels = sample.fields["labels"]
        assert len(set(sample.captions)) == 5
        for caption in (*sample.captions, *sample.fields["rewrites"], sample.fields["oracle"]):
            rows, relations = parsed(caption)
            assert told(rows) == told(labels), caption
            assert len(rows) == len(labels)
            assert all(apart(rows[i], relation, rows[j]) for i, relation, j in relations), caption
            said.update(relation for _, relation, _ in relations)
    assert set(said) == {"left of", "right of", "above", "below"}
    assert min(said.values()) > 50


def test_rewrites_are_two_new_ones(seen: list[Sample]) -> None:
    for sample in seen:
        first, second = sample.fields["rewrites"]
        assert first != second
        assert not {first, second} & set(sample.captions)


def bright(picture: np.ndarray, box: list[int]) -> tuple[float, float]:
    """Centre of the bright pixels of a box: x, y in pixels of the picture."""
    x, y, width, height = box
    part = picture[y:y + height, x:x + width].max(2) > 100
    down, across = np.nonzero(part)
    return float(x + across.mean()), float(y + down.mean())


def test_relations_are_right_in_pixels(shapes: Shapes, seen: list[Sample]) -> None:
    cell = 48 / 3
    for sample in seen[:100]:
        picture = np.asarray(Image.open(shapes.images / sample.image))
        centres = [bright(picture, box) for box in sample.fields["boxes"]]
        relations = set(sample.fields["relations"])
        for i, (x, y) in enumerate(centres):
            for j, (u, v) in enumerate(centres):
                if i == j:
                    continue
                column, row = int(u // cell) - int(x // cell), int(v // cell) - int(y // cell)
                wanted = {"left of": column > 0, "right of": column < 0, "above": row > 0, "below": row < 0}
                assert {name for name, holds in wanted.items() if holds} == {
                    name for name in wanted if (i, name, j) in relations}
                assert (i, "left of", j) not in relations or x < u
                assert (i, "above", j) not in relations or y < v


def test_colour_and_size_are_right_in_pixels(shapes: Shapes, seen: list[Sample]) -> None:
    hues = {"red": (1, 0, 0), "green": (0, 1, 0), "blue": (0, 0, 1), "yellow": (1, 1, 0), "white": (1, 1, 1)}
    checked = 0
    for sample in seen[:100]:
        picture = np.asarray(Image.open(shapes.images / sample.image))
        for label, (x, y, width, height) in zip(sample.fields["labels"], sample.fields["boxes"], strict=True):
            assert width == height
            assert (width >= 14) if label["size"] == "large" else (9 <= width <= 10)
            part = picture[y:y + height, x:x + width].reshape(-1, 3)
            brightest = part[part.max(1).argmax()]
            if label["colour"] in hues:
                assert tuple(int(channel > 150) for channel in brightest) == hues[label["colour"]]
                checked += 1
    assert checked > 100


def test_no_two_test_pictures_have_a_caption_in_common(seen: list[Sample]) -> None:
    owners: dict[str, set[int]] = defaultdict(set)
    for sample in seen:
        for caption in sample.captions:
            owners[caption].add(sample.id)
    assert max(len(ids) for ids in owners.values()) == 1


def test_texts_fit_in_forty_tokens(seen: list[Sample]) -> None:
    """Every word and comma is one token of a tokenizer that has seen the world; the end of the sentence is one more."""
    longest = max(len(text.replace(",", " ,").split()) + 1
                  for sample in seen for text in (*sample.captions, *sample.fields["rewrites"]))
    assert 35 <= longest <= 40
    assert max(len(question.text.split()) for sample in seen for question in sample.questions) <= 9


@pytest.mark.parametrize("knobs", [
    {}, {"grid": 2, "kinds": 3, "colours": 2, "sizes": 1}, {"shapes_min": 4, "shapes_max": 9, "questions": 12},
])
def test_answers_are_balanced_under_every_wording(knobs: dict[str, int], tmp_path: Path) -> None:
    config = ShapesConfig(train=700, val=1, test=1, size=32, **knobs)
    words = lexicon(config)
    answers = {form.kind: form for form in words.forms}
    given: dict[str, Counter[str]] = defaultdict(Counter)
    kinds: dict[str, str] = {}
    for sample in Shapes(config, tmp_path, tmp_path).read("train"):
        assert isinstance(sample, Sample)
        for question in sample.questions:
            given[question.text][truth(question)] += 1
            kinds[question.text] = question.kind
    assert len(given) > 30
    for text, counts in given.items():
        if text.startswith("is "):
            assert counts["yes"] == counts["no"], text
        elif text.startswith("how many"):
            assert max(counts.values()) - min(counts.values()) <= 1, (text, counts)
        else:
            every = possible(answers[kinds[text]], words)
            assert set(counts) <= set(every)
            assert max(counts.values()) - min(counts[answer] for answer in every) <= 2, (text, counts)


def test_a_fifth_of_the_questions_are_yes_or_no_and_a_third_are_about_relations(seen: list[Sample]) -> None:
    questions = [question for sample in seen for question in sample.questions]
    share = Counter(question.answer_kind for question in questions)
    assert set(share) == {"yes/no", "number", "other"}
    assert 0.15 < share["yes/no"] / len(questions) < 0.27
    related = sum(any(word in question.text for word in (" of ", "above", "below")) for question in questions)
    assert related / len(questions) > 0.3
    assert len(questions) > 0.93 * 6 * len(seen)


def test_the_wording_does_not_give_the_answer_away(shapes: Shapes, seen: list[Sample]) -> None:
    given: dict[str, Counter[str]] = defaultdict(Counter)
    for sample in shapes.read("train"):
        assert isinstance(sample, Sample)
        for question in sample.questions:
            given[question.text].update(question.answers)
    best = {text: counts.most_common(1)[0][0] for text, counts in given.items()}
    asked = [question for sample in seen for question in sample.questions]
    right = sum(best.get(question.text) == truth(question) for question in asked)
    assert right / len(asked) < 0.36


def test_written_twice_it_is_the_same(tmp_path: Path) -> None:
    config = ShapesConfig(train=30, val=10, test=10)
    manifests = []
    for cache in (tmp_path / "a", tmp_path / "b"):
        made = Shapes(config, tmp_path, cache)
        made.prepare()
        manifests.append((made.folder / "manifest.json").read_bytes())
    assert manifests[0] == manifests[1]
    assert list(Shapes(config, tmp_path, tmp_path / "a").read("val")) == list(
        Shapes(config, tmp_path, tmp_path / "b").read("val"))


def test_bad_knobs_are_refused_before_anything_is_written() -> None:
    with pytest.raises(UserError, match="kinds"):
        Shapes.config_class(kinds=10)
