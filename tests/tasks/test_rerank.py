"""Pairs judged through shared states are those of every pair by itself, each once, whatever the sizes of blocks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from vlpbench.backbones import DecoderOnly, DualFusion, EncoderDecoder
from vlpbench.backbones.dual_fusion import DualFusionConfig
from vlpbench.config.settings import Protocol
from vlpbench.contract.abilities import Backbone
from vlpbench.contract.objective import Objective
from vlpbench.data.splits import Split
from vlpbench.metrics.shortlist import Shortlist
from vlpbench.tasks import gallery as gallery_module
from vlpbench.tasks.gallery import Gallery, States
from vlpbench.tasks.rerank import Judge, Likelihood, Match, all_scores, listed_scores
from vlpbench.tasks.retrieval import Retrieval
from vlpbench.tasks.task import Readout, Row
from vlpbench.tasks.trial import Trial
from vlpbench.training.build import draw
from vlpbench.training.pace import Pace

Made = Callable[..., Trial]
FORMS: list[tuple[str, Any, Any]] = [
    ("match", DualFusion, DualFusionConfig(two_way=True)),
    ("match", DualFusion, DualFusionConfig(two_way=False)),
    ("match", EncoderDecoder, None),
    ("match", DecoderOnly, None),
    ("likelihood", EncoderDecoder, None),
    ("likelihood", DecoderOnly, None),
    ("likelihood", DualFusion, DualFusionConfig(decoder="own")),
]
NAMES = ["two-way", "one-way", "encoder-decoder", "decoder-only", "said-encoder-decoder", "said-decoder-only",
         "said-dual-fusion"]


def set_up(trial: Made, form: str, trunk: Any, config: Any, **protocol: Any) -> tuple[Trial, Backbone, Readout]:
    """A trial, a backbone with initial weights, and heads drawn as a fine-tune draws them."""
    made = trial(f"retrieval@{form}", trunk, protocol=Protocol(**protocol))
    made = replace(made, blueprint=replace(made.blueprint, config=config))
    readout = Retrieval(form).readout(made, {})  # type: ignore[arg-type]
    for one in readout.objectives:
        draw(one, 0, prefix="readout/retrieval/")
    return made, made.build(readout.needs).eval(), readout


def few(split: Split, images: int = 4) -> Split:
    """The first pictures; one of them says what another says, and one has fewer captions."""
    samples = list(split.samples[:images])
    samples[1] = replace(samples[1], captions=(samples[0].captions[0], *samples[1].captions[1:3]))
    return replace(split, samples=tuple(samples), pixels=split.pixels[:images])


def judge_of(form: str, backbone: Backbone, readout: Readout, made: Trial) -> Judge:
    if form == "match":
        return Match(backbone, readout.objectives[-1], made)
    return Likelihood(backbone, [made.tokenizer.vocabulary.bos], made)


@torch.no_grad()
def alone(form: str, backbone: Backbone, head: Objective, split: Split, made: Trial) -> tuple[np.ndarray, np.ndarray]:
    """Scores and cosines of all pairs (I, T), every pair by itself with states of its own."""
    texts = [text for sample in split.samples for text in sample.captions]
    scores, cosines = (np.empty((len(split.samples), len(texts)), np.float32) for _ in range(2))
    for row in range(len(split.samples)):
        for column, text in enumerate(texts):
            tokens, mask = (torch.from_numpy(one) for one in made.tokenizer.encode([text], made.settings.text.length))
            image, read = backbone.see(made.pictures(split, [row])), backbone.read(tokens, mask)
            cosines[row, column] = float(backbone.image_vector(image)[0] @ backbone.text_vector(read)[0])
            if form == "match":
                scores[row, column] = float(head.match(backbone, image, read))
            else:
                words = torch.cat([torch.tensor([[made.tokenizer.vocabulary.bos]]), tokens[:, :-1]], 1)
                features = backbone.decode(backbone.context(image, None, made.visible), backbone.read(words, mask))
                odds = backbone.logits(features).log_softmax(-1).gather(2, tokens[..., None])[0, :, 0]
                scores[row, column] = float(odds[mask[0]].mean())
    return scores, cosines


def by_definition(scores: np.ndarray, cosines: np.ndarray, owner: np.ndarray, k: int) -> list[tuple[int, int, int]]:
    """(better, tied, right) of each image and each text: listed items by score, all others below them by cosine."""
    images, texts = scores.shape
    right = owner == np.arange(images)[:, None]
    found = []
    for turned in (False, True):
        for query in range(texts if turned else images):
            final, near, own = (one.T[query] if turned else one[query] for one in (scores, cosines, right))
            listed = sorted(range(len(near)), key=lambda at: -near[at])[:k]
            keys = [(1, final[at]) if at in listed else (0, near[at]) for at in range(len(near))]
            best = max(key for key, mine in zip(keys, own, strict=True) if mine)
            wrong = [key for key, mine in zip(keys, own, strict=True) if not mine]
            level = sum(key == best for key, mine in zip(keys, own, strict=True) if mine)
            found.append((sum(key > best for key in wrong), wrong.count(best), level))
    return found


def places(rows: list[Row]) -> list[tuple[int, int, int]]:
    return [(row["better"], row["tied"], row["right"]) for row in rows]


@pytest.mark.parametrize(("form", "trunk", "config"), FORMS, ids=NAMES)
def test_ranks_are_those_of_every_pair_by_itself(
    form: Any, trunk: Any, config: Any, trial: Made, opened: Callable[..., Split]
) -> None:
    made, backbone, readout = set_up(trial, form, trunk, config, shortlist=2)
    split = few(opened("test"))
    scores, cosines = alone(form, backbone, readout.objectives[-1], split, made)
    gallery = Gallery(split)
    found = all_scores(States(gallery, backbone, made), judge_of(form, backbone, readout, made), gallery.folds[0])
    assert np.abs(found - scores).max() < 1e-5
    for k in (2, 0):
        here = replace(made, protocol=replace(made.protocol, shortlist=k))
        rows = Retrieval(form).predict(backbone, readout, split, here)
        assert places(rows) == by_definition(scores, cosines, gallery.owner, k or 99), k
        for row in rows:
            query, way = row["query"], row["direction"]
            items, at = (gallery.names, gallery.images.index) if way == "image to text" else (
                gallery.images, gallery.names.index)
            turn = (scores, cosines) if way == "image to text" else (scores.T, cosines.T)
            said = [items.index(item) for item in row["found"]]
            head = row["listed"]
            assert head == min(k or 99, len(items)) and len(said) == len(set(said)) == len(items)
            assert row["scores"][:head] == pytest.approx(turn[0][at(query)][said[:head]], abs=1e-5)
            assert row["scores"][head:] == pytest.approx(turn[1][at(query)][said[head:]], abs=1e-5)
            assert row["scores"][:head] == sorted(row["scores"][:head], reverse=True)


@pytest.mark.parametrize(("form", "trunk", "config"), FORMS, ids=NAMES)
def test_sizes_of_blocks_change_nothing(
    form: Any, trunk: Any, config: Any, trial: Made, opened: Callable[..., Split]
) -> None:
    made, backbone, readout = set_up(trial, form, trunk, config, shortlist=3, folds=2)
    split = few(opened("test"))
    found = [
        Retrieval(form).predict(backbone, readout, split, replace(made, pace=Pace(at_once=size))) for size in (1, 3, 64)
    ]
    for other in found[1:]:
        for one, two in zip(found[0], other, strict=True):
            assert one["scores"] == pytest.approx(two["scores"], abs=1e-5)
            assert {**one, "scores": 0} == {**two, "scores": 0}


@pytest.mark.parametrize("rule", ["match", "match + vector"])
def test_a_shortlist_of_all_is_the_full_matrix(rule: Any, trial: Made, opened: Callable[..., Split]) -> None:
    made, backbone, readout = set_up(trial, "match", DualFusion, None, shortlist=99, rule=rule)
    whole = replace(made, protocol=replace(made.protocol, shortlist=0))
    split = few(opened("test"))
    listed, full = (Retrieval("match").predict(backbone, readout, split, one) for one in (made, whole))
    for one, two in zip(listed, full, strict=True):
        assert places([one]) == places([two]) and one["found"] == two["found"]
        assert one["scores"] == pytest.approx(two["scores"], abs=1e-5)
        assert (one["shortlist"], two["shortlist"]) == ("vectors", "all pairs")


def test_the_rule_adds_the_cosine(trial: Made, opened: Callable[..., Split]) -> None:
    made, backbone, readout = set_up(trial, "match", DualFusion, None, shortlist=2, rule="match + vector")
    split = few(opened("test"))
    scores, cosines = alone("match", backbone, readout.objectives[-1], split, made)
    owner = Gallery(split).owner
    rows = Retrieval("match").predict(backbone, readout, split, made)
    assert places(rows) == by_definition(scores + cosines, cosines, owner, 2)
    assert {row["rule"] for row in rows} == {"match + vector"}


class Counted:
    """Counts the rows that go into modules."""

    def __init__(self, **modules: Any) -> None:
        self.rows = dict.fromkeys(modules, 0)
        for name, module in modules.items():
            module.register_forward_hook(lambda _, given, made, name=name: self.add(name, len(given[0])))

    def add(self, name: str, rows: int) -> None:
        self.rows[name] += rows


@pytest.mark.parametrize("size", [0, 2])
def test_a_picture_is_seen_once_and_a_sentence_read_once_and_a_pair_judged_once(
    size: int, trial: Made, opened: Callable[..., Split]
) -> None:
    made, backbone, readout = set_up(trial, "match", DualFusion, None, shortlist=2)
    made, split = replace(made, pace=Pace(at_once=size)), few(opened("test"))
    counted = Counted(
        stem=backbone.stem, tower=backbone.image_tower[0],  # type: ignore[index]
        texts=backbone.text_tower, head=readout.objectives[-1].head,
    )
    rows = Retrieval("match").predict(backbone, readout, split, made)
    text_of = {name: text for sample in split.samples for name, text in (
        (f"{sample.id}/{number}", text) for number, text in enumerate(sample.captions))}
    pairs = {
        (row["query"], text_of[item]) if row["direction"] == "image to text" else (item, text_of[row["query"]])
        for row in rows for item in row["found"][: row["listed"]]
    }
    sentences = len(set(text_of.values()))
    assert sentences == len(text_of) - 1
    assert counted.rows == {"stem": 4, "tower": 4, "texts": sentences, "head": len(pairs)}


@pytest.mark.parametrize(("two_way", "k"), [(False, 2), (False, 0), (True, 2)])
def test_what_texts_see_of_a_picture_is_made_once_where_it_looks_at_none(
    two_way: bool, k: int, trial: Made, opened: Callable[..., Split]
) -> None:
    """Of a picture that looks back each pair makes another."""
    made, backbone, readout = set_up(trial, "match", DualFusion, DualFusionConfig(two_way=two_way), shortlist=k)
    cross = backbone.fusion[0].words.cross  # type: ignore[index,union-attr]
    counted = Counted(keys=cross.key, head=readout.objectives[-1].head)
    Retrieval("match").predict(backbone, readout, few(opened("test")), made)
    assert counted.rows["keys"] == (counted.rows["head"] if two_way else 4)


def test_sentences_are_read_by_length(trial: Made, opened: Callable[..., Split]) -> None:
    """Each in one place; blocks hold neighbours in length, and no more than the longest needs."""
    made, backbone, _ = set_up(trial, "match", DualFusion, None)
    gallery = Gallery(few(opened("test"), 12))
    states = States(gallery, backbone, replace(made, pace=Pace(at_once=3)))
    sentences = gallery.sentences
    assert sorted(np.concatenate(states.text_blocks)) == list(range(len(sentences)))
    words = states.mask.sum(1)
    assert (np.diff(words[np.concatenate(states.text_blocks)]) >= 0).all()
    lengths = [states.text(number, keep=False).tokens.shape[1] for number in range(len(states.text_blocks))]
    assert len(set(lengths)) > 1 and len(states.classes) == len(set(lengths))
    for number, many in enumerate(words):
        kind, row = states.place[number]
        whole = states.of_class(kind)
        assert whole.tokens[row, :many].tolist() == states.tokens[number, :many].tolist()
        assert int(whole.mask[row].sum()) == many


def test_a_class_is_made_of_what_its_blocks_made(trial: Made, opened: Callable[..., Split]) -> None:
    made, backbone, _ = set_up(trial, "match", DualFusion, None)
    states = States(Gallery(few(opened("test"), 12)), backbone, replace(made, pace=Pace(at_once=2)))
    counted = Counted(texts=backbone.text_tower)
    vectors = states.vectors(keep=True)[1]
    for number in range(len(states.classes)):
        whole = states.of_class(number)
        here = np.flatnonzero(states.place[:, 0] == number)
        found = backbone.text_vector(whole)[torch.from_numpy(states.place[here, 1])]
        assert np.abs(found.detach().numpy() - vectors[here]).max() < 1e-6
        pair = whole.once("two", lambda part: (part.tokens + 1, part.mask))
        assert torch.equal(pair[0], whole.tokens + 1) and torch.equal(pair[1], whole.mask)
        assert whole.once("what is no tensor", len) == len(whole)
    assert counted.rows["texts"] == len(vectors), "each was read once"


@pytest.mark.parametrize("form", ["match", "likelihood"])
def test_scores_have_full_precision_where_layers_have_not(
    form: str, trial: Made, opened: Callable[..., Split]
) -> None:
    """As on a GPU: of numbers rounded to eight bits many would be equal."""
    made, backbone, readout = set_up(trial, form, EncoderDecoder, None)
    gallery = Gallery(few(opened("test")))
    judge = judge_of(form, backbone, readout, made)
    with torch.autocast("cpu", torch.bfloat16):
        found = all_scores(States(gallery, backbone, made), judge, gallery.folds[0])
    rounded = torch.from_numpy(found).bfloat16().float().numpy()
    assert (found != rounded).mean() > 0.9
    exact = all_scores(States(gallery, backbone, made), judge, gallery.folds[0])
    assert 0 < np.abs(found - exact).max() < 0.1


def test_contexts_share_the_look_that_made_the_vectors(trial: Made, opened: Callable[..., Split]) -> None:
    made, backbone, readout = set_up(trial, "likelihood", EncoderDecoder, None, shortlist=2)
    split = few(opened("test"))
    counted = Counted(stem=backbone.stem, encoder=backbone.encoder[0])  # type: ignore[index]
    Retrieval("likelihood").predict(backbone, readout, split, made)
    assert counted.rows == {"stem": 4, "encoder": 4 + len(Gallery(split).sentences)}


def test_pictures_beyond_the_room_are_seen_again_and_change_nothing(
    trial: Made, opened: Callable[..., Split], monkeypatch: pytest.MonkeyPatch
) -> None:
    made, backbone, readout = set_up(trial, "match", DualFusion, None, shortlist=2)
    made, split = replace(made, pace=Pace(at_once=2)), few(opened("test"))
    kept = Retrieval("match").predict(backbone, readout, split, made)
    rows, columns = backbone.spec.grid
    one = 2 * (4 * 3 * 32 * 32 + 8 * rows * columns * backbone.spec.width)
    monkeypatch.setattr(gallery_module, "KEPT_BYTES", one)
    counted = Counted(stem=backbone.stem)
    assert Retrieval("match").predict(backbone, readout, split, made) == kept
    assert counted.rows == {"stem": 4 + 2}


def test_listed_scores_are_entries_of_the_matrix(trial: Made, opened: Callable[..., Split]) -> None:
    made, backbone, readout = set_up(trial, "match", DualFusion, None)
    gallery = Gallery(few(opened("test")), 2)
    states, judge = States(gallery, backbone, made), judge_of("match", backbone, readout, made)
    for fold in gallery.folds:
        matrix, rng = all_scores(states, judge, fold), np.random.default_rng(fold.start)
        images, texts = matrix.shape
        listed = Shortlist(
            np.stack([rng.permutation(texts)[:3] for _ in range(images)]),
            np.stack([rng.permutation(images)[:1] for _ in range(texts)]),
        )
        of_images, of_texts = listed_scores(states, judge, fold, listed)
        assert of_images == pytest.approx(np.take_along_axis(matrix, listed.texts_of_image, 1), abs=1e-5)
        assert of_texts == pytest.approx(np.take_along_axis(matrix.T, listed.images_of_text, 1), abs=1e-5)
