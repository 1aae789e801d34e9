"""What a step of pretraining holds: pairs, texts, or both, for the objectives that learn from them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from vlpbench.device import Device
from vlpbench.errors import UserError
from vlpbench.grid import cells, open_grid
from vlpbench.runner.batches import pretraining_loader, validation_loader
from vlpbench.runner.workbench import Workbench, opened_here

GRID = """
floors = false
tasks = ["retrieval@zero-shot"]
[base]
objective = "contrastive + 2*prefix-lm"
data = "digits"
texts = "words"
[data.digits]
train = 30
val = 9
test = 8
[data.other]
kind = "digits"
seed = 1
train = 12
val = 4
test = 4
[data.words]
kind = "text"
files = {{ train = "{folder}/train.txt" }}
[budget]
samples = 48
batch = 8
texts = 3
[protocol.retrieval]
data = "digits"
"""

Made = Callable[..., Workbench]


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Made:
    monkeypatch.setenv("VLPBENCH_DATA", str(tmp_path))
    (tmp_path / "corpus").mkdir()
    (tmp_path / "corpus" / "train.txt").write_text("\n".join(f"a number {n} is said" for n in range(20)))
    (tmp_path / "grid.toml").write_text(GRID.format(folder="corpus"))

    def make(*overrides: str) -> Workbench:
        read, registry = open_grid(str(tmp_path / "grid.toml"), overrides)
        return Workbench(cells(read, registry, opened_here)[0], registry, Device("cpu"))

    return make


def test_pairs_and_texts_side_by_side(bench: Made) -> None:
    loader = pretraining_loader(bench())
    assert loader.steps == 6 and len(loader.loaders) == 2
    step = loader.host(2)
    views = step.to(torch.device("cpu"))
    assert step.samples == 11 and {kind: sorted(each) for kind, each in views.items()} == {
        "pairs": ["contrastive", "prefix-lm"], "texts": ["prefix-lm"],
    }
    assert len(views["pairs"]["contrastive"]) == 8 and len(views["texts"]["prefix-lm"]) == 3
    assert views["texts"]["prefix-lm"].images is None and not views["texts"]["prefix-lm"].has_image
    said = int(views["pairs"]["prefix-lm"]["count"].sum() + views["texts"]["prefix-lm"]["count"].sum())
    assert step.targets == said + 8


def test_captions_and_lengths_are_those_of_training_alone(bench: Made) -> None:
    given = bench("budget.captions=4", "text.lengths=few", "budget.texts=3")
    pairs, texts = pretraining_loader(given).loaders
    assert (pairs.captions, pairs.pictures, texts.captions) == (4, 2, 1)
    assert pairs.lengths == texts.lengths == "few"
    assert {(one.captions, one.lengths) for one in validation_loader(given).loaders} == {(1, "one")}
    ids = pairs.host(0).views["prefix-lm"].image_ids
    assert (ids[:4] == ids[0]).all() and (ids[4:] == ids[4]).all() and ids[0] != ids[4]


def test_pictures_lie_where_the_pace_says(bench: Made) -> None:
    given = bench()
    given.pace = replace(given.pace, resident="always", workers=1)
    step, *_ = pretraining_loader(given)
    assert [one.shown is not None for one in step.batches] == [True, False]
    assert all(one.shown is None for one in next(iter(validation_loader(given))).batches)
    given.pace = replace(given.pace, resident="auto")
    assert pretraining_loader(given).host(0).batches[0].shown is None
    assert all(one.shown is None for one in next(iter(pretraining_loader(given))).batches)


def test_without_texts_pairs_are_what_they_were(bench: Made) -> None:
    both, alone = pretraining_loader(bench()), pretraining_loader(bench("texts=none", "text.trained_on=digits + words"))
    for step in (0, 5):
        ours, theirs = both.host(step).batches[0], alone.host(step).batches[0]
        assert len(alone.host(step).batches) == 1
        assert np.array_equal(ours.pixels, theirs.pixels)
        assert np.array_equal(ours.views["prefix-lm"].tokens, theirs.views["prefix-lm"].tokens)
        assert np.array_equal(ours.views["prefix-lm"]["known"], theirs.views["prefix-lm"]["known"])


def test_without_pairs_there_are_as_many_steps(bench: Made) -> None:
    loader = pretraining_loader(bench("data=none", "objective=prefix-lm"))
    assert loader.steps == 6 and list(loader.host(0).to(torch.device("cpu"))) == ["texts"]


def test_an_objective_that_reads_no_texts_makes_none(bench: Made) -> None:
    assert [one.examples.has_image for one in pretraining_loader(bench("objective=contrastive")).loaders] == [True]


def test_nothing_to_learn_from_is_told(bench: Made) -> None:
    with pytest.raises(UserError, match="nothing to learn from"):
        pretraining_loader(bench("data=none", "objective=contrastive"))


def test_sources_are_mixed_by_weight(bench: Made) -> None:
    loader = pretraining_loader(bench("data=digits + 3*other"))
    (pairs,) = [one for one in loader.loaders if one.examples.has_image]
    assert len(pairs.examples) == 42
    chosen = np.concatenate([pairs._chosen(step) for step in range(6)])
    assert (chosen >= 30).mean() == 0.75, "three quarters are of the second set"


def test_validation_is_the_same_at_each_look_and_leaves_out_what_has_none(bench: Made) -> None:
    one = bench()
    loader = validation_loader(one)
    assert loader.steps == 1 and len(loader.loaders) == 1  # nine pictures, no validation texts
    ids = set(loader.host(0).batches[0].views["contrastive"].image_ids.tolist())
    trained = {sample.id for sample in one.split("digits", "train", "train").samples}
    assert len(ids) == 8 and not ids & trained
    with pytest.raises(UserError, match="no validation split"):
        validation_loader(bench("data=none", "objective=prefix-lm"))


def test_of_several_sets_those_with_a_validation_split_are_looked_at(bench: Made) -> None:
    (texts,) = validation_loader(bench("data=none", "texts=words + digits-texts", "objective=prefix-lm",
                                       "data.digits-texts.train=20", "data.digits-texts.val=7")).loaders
    assert not texts.examples.has_image and len(texts.examples) == 7


@pytest.mark.parametrize(("said", "cause"), [
    ("data=words", "'words' is a set of texts without pictures"),
    ("data=digits + words", "'words' is a set of texts without pictures"),
    ("texts=other", "'other' is a set with pictures"),
    ("texts=words + other", "'other' is a set with pictures"),
])
def test_texts_are_no_pairs_and_pairs_no_texts(bench: Made, said: str, cause: str) -> None:
    with pytest.raises(UserError, match=cause) as caught:
        pretraining_loader(bench(said))
    assert caught.value.place == said.partition("=")[0] and "name it under" in caught.value.remedy
