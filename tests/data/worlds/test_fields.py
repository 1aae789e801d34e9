"""Fields of samples: lists for people, padded numbers for objectives, one order in all of them, for both worlds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from vlpbench.config.settings import TextSettings
from vlpbench.data.examples import caption_examples
from vlpbench.data.splits import open_split
from vlpbench.data.tokenizer import Tokenizer
from vlpbench.data.worlds.digits import Digits, DigitsConfig
from vlpbench.data.worlds.fields import SceneFields, relations_of
from vlpbench.data.worlds.grammar import rewrites
from vlpbench.data.worlds.scene import Scene, Thing
from vlpbench.data.worlds.shapes import Shapes, ShapesConfig
from vlpbench.data.worlds.world import World
from vlpbench.streams import generator
from vlpbench.types import Sample

NUMBERS = ("box_array", "box_mask", "label_array")


@pytest.fixture(scope="module", params=["digits", "shapes"])
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> World:
    cache = tmp_path_factory.mktemp("cache")
    if request.param == "digits":
        return Digits(DigitsConfig(train=80, val=20, test=20), Path("nowhere"), cache)
    return Shapes(ShapesConfig(train=80, val=20, test=20), Path("nowhere"), cache)


@pytest.fixture(scope="module")
def samples(world: World) -> list[Sample]:
    return [sample for sample in world.read("train") if isinstance(sample, Sample)]


def test_numbers_say_what_boxes_and_labels_say(world: World, samples: list[Sample]) -> None:
    words = world.lexicon()
    names = sorted(words.words)
    for sample in samples:
        fields = sample.fields
        boxes, mask, labels = (np.asarray(fields[name]) for name in NUMBERS)
        assert boxes.shape == (words.most, 4)
        assert mask.shape == (words.most,)
        assert labels.shape == (words.most, len(names))
        assert (mask.dtype, labels.dtype) == (np.bool_, np.int64)
        many = len(fields["boxes"])
        assert mask.tolist() == [True] * many + [False] * (words.most - many)
        assert (boxes[:many] * world.config.size).round().astype(int).tolist() == fields["boxes"]
        assert (boxes[many:] == 0).all()
        assert (labels[many:] == -1).all()
        for row, label in zip(labels[:many].tolist(), fields["labels"], strict=True):
            assert {name: words.word(name, value) for name, value in zip(names, row, strict=True)} == label


def test_objectives_can_want_them(world: World, samples: list[Sample]) -> None:
    split = open_split(world, "train", purpose="train", size=32, on_bad="error")
    tokenizer = Tokenizer.train([text for sample in samples for text in sample.captions], TextSettings(vocabulary=400))
    examples = caption_examples(split, tokenizer, 40, NUMBERS)
    assert [examples.fields[name].shape[:2] for name in NUMBERS] == [(80, world.lexicon().most)] * 3
    assert examples.fields["box_array"].max() <= 1


def test_label_is_the_kind_of_the_thing_that_is_read_first(world: World, samples: list[Sample]) -> None:
    grid = world.lexicon().grid
    cell = world.config.size / grid
    for sample in samples:
        places = [(int((y + height / 2) // cell), int((x + width / 2) // cell))
                  for x, y, width, height in sample.fields["boxes"]]
        assert len(set(places)) == len(places), "one thing a cell: there is always a first"
        first = places.index(min(places))
        assert sample.fields["label"] == sample.fields["labels"][first]["kind"]


@pytest.mark.parametrize("kind", [Digits, Shapes])
def test_labels_are_balanced(kind: type[World]) -> None:
    config = kind.config_class(train=2_000, val=1, test=1)
    made = kind(config, Path("nowhere"), Path("nowhere"))
    scenes = made.plan().scenes["train"]
    first = [min(scene.things, key=lambda thing: thing.attributes["place"]).attributes["kind"] for scene in scenes]
    shares = np.bincount(first) / len(first)
    assert len(shares) == len(made.lexicon().words["kind"])
    assert np.abs(shares * len(shares) - 1).max() < 0.2


def test_relations_are_between_things_by_number(world: World, samples: list[Sample]) -> None:
    several = [sample for sample in samples if len(sample.fields["boxes"]) > 1]
    assert several
    for sample in several:
        boxes, relations = sample.fields["boxes"], sample.fields["relations"]
        for i, relation, j in relations:
            (x, y, width, height), (u, v, wide, high) = boxes[i], boxes[j]
            across = {"left of": x + width <= u, "right of": u + wide <= x}
            assert {**across, "above": y + height <= v, "below": v + high <= y}[relation]
        assert {frozenset((i, j)) for i, _, j in relations} == {
            frozenset((i, j)) for i in range(len(boxes)) for j in range(i)}, "any two things are related"


def test_rewrites_are_the_same_each_time(world: World, samples: list[Sample]) -> None:
    assert list(world.read("train")) == samples
    assert all(len(set(sample.fields["rewrites"])) == 2 for sample in samples)


def test_rewrites_use_more_synonyms(samples: list[Sample]) -> None:
    def share(texts: list[str]) -> float:
        return sum(any(word in text.split() for word in ("upper", "lower")) for text in texts) / len(texts)

    usual = share([text for sample in samples for text in sample.captions])
    assert share([text for sample in samples for text in sample.fields["rewrites"]]) > 1.5 * usual


def test_where_words_run_out_a_caption_is_said_again() -> None:
    words = Digits(DigitsConfig(synonyms=0.0), Path("r"), Path("c")).lexicon()
    scene = Scene((Thing({"kind": 1, "colour": 0, "place": 0}, (0, 0, 8, 8)),))
    said = ("a red 1 at the top left", "a 1 in red at the top left", "at the top left a red 1",
            "at the top left a 1 in red", "the red digit at the top left is a 1")
    made = rewrites(scene, words, generator(0, "x"), said)
    assert made == ("the 1 at the top left is red", said[0])


def test_one_thing_alone_has_no_relations() -> None:
    assert relations_of(Scene((Thing({"kind": 1, "colour": 0, "place": 0}, (0, 0, 8, 8)),)), 2) == []


def test_fields_are_made_once_and_only_when_they_are_asked_for() -> None:
    made: list[dict[str, int]] = []

    def make() -> dict[str, int]:
        made.append({name: number for number, name in enumerate(SceneFields.NAMES)})
        return made[-1]

    fields = SceneFields(make)
    assert len(fields) == len(SceneFields.NAMES) and list(fields) == list(SceneFields.NAMES) and made == []
    assert fields.get("nothing") is None and made == []
    assert fields["oracle"] == 0 and fields["rewrites"] == 1 and len(made) == 1
    assert fields == made[0] and repr(fields) == repr(made[0])
