"""Rewrites as further texts of a picture: as likely as captions, in pretraining alone, and known to the tokenizer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vlpbench.config.settings import ImageSettings, TextSettings
from vlpbench.data.errors import DataError
from vlpbench.data.examples import Examples, caption_examples
from vlpbench.data.loader import Loader, Surgery
from vlpbench.data.mixture import mixed
from vlpbench.data.splits import Split
from vlpbench.data.tokenizer import Tokenizer
from vlpbench.device import Device
from vlpbench.grid import cells, open_grid
from vlpbench.runner.batches import pretraining_loader, validation_loader
from vlpbench.runner.pretraining import stage_of
from vlpbench.runner.trials import trial_of
from vlpbench.runner.workbench import Workbench, opened_here
from vlpbench.tasks.fine_tuning import readout_loader
from vlpbench.tasks.suite import task_named
from vlpbench.types import Sample

SAID = (("a dog", "one dog"), ("a cat", "two cats", "a dog"), ("birds",))
AGAIN = (("some dog", "here is a dog", "a dog"), ("felines", "cats"), ())
Made = Callable[..., Workbench]


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return Tokenizer.train([text for texts in (*SAID, *AGAIN) for text in texts], TextSettings(vocabulary=320))


@pytest.fixture
def split() -> Split:
    samples = tuple(
        Sample(10 + at, f"{at}.png", said, fields={"rewrites": again, "place": [at]})
        for at, (said, again) in enumerate(zip(SAID, AGAIN, strict=True))
    )
    pixels = np.arange(3, dtype=np.uint8)[:, None, None, None] * np.ones((1, 4, 4, 3), np.uint8)
    return Split("told", "train", samples, pixels, ())


def loader(examples: Any, tokenizer: Tokenizer, steps: int) -> Loader:
    nothing = Surgery("nothing", lambda batch, rng, config: {}, None)
    return Loader(examples, [nothing], tokenizer.vocabulary, ImageSettings(size=4), 3, 6, steps)


def drawn(given: Loader, tokenizer: Tokenizer) -> dict[int, Counter[str]]:
    """Image id -> how often each of its texts came."""
    found: dict[int, Counter[str]] = {}
    for host in given:
        batch = host.views["nothing"]
        for image, tokens in zip(batch.image_ids.tolist(), batch.tokens, strict=True):
            found.setdefault(image, Counter())[tokenizer.decode(tokens)] += 1
    return found


def texts_of(examples: Examples, at: int) -> list[str]:
    return list(examples.texts[examples.first[at] : examples.first[at] + examples.many[at]])


def test_captions_come_first_then_rewrites(split: Split, tokenizer: Tokenizer) -> None:
    made = caption_examples(split, tokenizer, 12, ("place",), "rewrites")
    assert [texts_of(made, at) for at in range(3)] == [[*said, *again] for said, again in zip(SAID, AGAIN, strict=True)]
    assert made.many.tolist() == [5, 5, 1] and made.fields["place"].tolist() == [[0], [1], [2]]
    ids = dict(zip(made.texts, made.caption_ids.tolist(), strict=True))
    assert made.caption_ids.tolist() == [ids[text] for text in made.texts], "equal strings share a number"
    assert len(set(ids.values())) == len(set(made.texts)) == 9


def test_each_text_is_as_likely_as_another(split: Split, tokenizer: Tokenizer) -> None:
    made, steps = caption_examples(split, tokenizer, 12, (), "rewrites"), 1000
    found = drawn(loader(made, tokenizer, steps), tokenizer)
    for at, image in enumerate((10, 11, 12)):
        texts, times = texts_of(made, at), found[image].total()
        assert times == 6 * steps / 3 and found[image].keys() == set(texts)
        for text, count in Counter(texts).items():  # what a sample says twice comes twice as often
            assert found[image][text] / times == pytest.approx(count / len(texts), abs=0.04)


def test_of_several_sources_each_draws_its_own(split: Split, tokenizer: Tokenizer) -> None:
    other = replace(split, samples=tuple(
        replace(one, id=one.id + 50, fields={"rewrites": (f"again {one.id}",)}) for one in split.samples
    ))
    parts = [caption_examples(one, tokenizer, 12, (), "rewrites") for one in (split, other)]
    found = drawn(loader(mixed(parts, [1.0, 1.0]), tokenizer, 300), tokenizer)
    assert len(found) == 6
    assert sorted(len(texts) for texts in found.values()) == [1, 2, 3, 4, 4, 5]


def test_unasked_batches_are_what_they_were(split: Split, tokenizer: Tokenizer) -> None:
    bare = replace(split, samples=tuple(replace(one, fields={}) for one in split.samples))
    ours, theirs = (loader(caption_examples(one, tokenizer, 12), tokenizer, 3) for one in (split, bare))
    for one, two in zip(ours, theirs, strict=True):
        for name in ("tokens", "mask", "image_ids", "caption_ids"):
            assert np.array_equal(getattr(one.views["nothing"], name), getattr(two.views["nothing"], name))


@pytest.mark.parametrize("held", [None, "a text", 5, ("a text", 3), ("a text", "  "), [["a text"]]])
def test_a_set_without_such_a_field_is_told(split: Split, tokenizer: Tokenizer, held: Any) -> None:
    fields = {} if held is None else {"rewrites": held}
    broken = replace(split, samples=(*split.samples[:2], replace(split.samples[2], fields=fields)))
    with pytest.raises(DataError, match="sample 12 of split 'train' of 'told' has no field 'rewrites' of tex") as told:
        caption_examples(broken, tokenizer, 12, (), "rewrites")
    assert told.value.place == "text.rewrites" and "leave the setting out" in told.value.remedy


GRID = """
floors = false
tasks = ["captioning"]
[base]
objective = "prefix-lm"
data = "digits"
[data.digits]
train = 30
val = 9
test = 8
[data.more]
kind = "digits"
seed = 1
train = 12
val = 4
test = 4
[budget]
samples = 48
batch = 8
looks = 1
[text]
vocabulary = 400
length = 24
[protocol.captioning]
data = "more"
"""
ON = "text.rewrites=true"


@pytest.fixture
def bench(tmp_path: Path) -> Made:
    (tmp_path / "grid.toml").write_text(GRID)

    def make(*overrides: str) -> Workbench:
        read, registry = open_grid(str(tmp_path / "grid.toml"), overrides)
        return Workbench(cells(read, registry, opened_here)[0], registry, Device("cpu"))

    return make


def heard(bench: Workbench, steps: int = 6) -> set[str]:
    """What pretraining reads in some steps."""
    (given,) = pretraining_loader(bench).loaders
    return {bench.tokenizer.decode(row) for step in range(steps) for row in given.host(step).views["prefix-lm"].tokens}


def rewrites(bench: Workbench, data: str, split: str = "train") -> set[str]:
    purpose: Any = "train" if split == "train" else "select"
    return {text.lower() for one in bench.split(data, split, purpose).samples for text in one.fields["rewrites"]}


def test_pretraining_draws_them_where_asked(bench: Made) -> None:
    plain, more = bench(), bench(ON)
    again = rewrites(more, "digits")
    share = len(heard(more) & again) / len(heard(more))
    assert heard(plain).isdisjoint(again) and 0.1 < share < 0.6, "two of seven texts"
    for step in (0, 5):
        ours, theirs = (pretraining_loader(one).loaders[0].host(step) for one in (more, plain))
        assert np.array_equal(ours.pixels, theirs.pixels), "the same pictures in the same order"


def test_a_fine_tune_and_a_look_at_validation_have_captions_alone(bench: Made) -> None:
    """Rows with and without them are looked at and scored alike."""
    more = bench(ON)
    (looked,) = validation_loader(more).loaders
    assert {text.lower() for text in looked.examples.texts}.isdisjoint(rewrites(more, "digits", "val"))
    trial, task = trial_of(more, "captioning"), task_named("captioning")
    taught = readout_loader(task, task.readout(trial, task.facts(trial)), trial)
    assert {text.lower() for text in taught.examples.texts}.isdisjoint(rewrites(more, "more"))


def test_the_tokenizer_is_trained_on_what_is_drawn(bench: Made) -> None:
    plain, more = bench(), bench(ON)
    said, again = list(plain._training_texts()), list(more._training_texts())
    drawn = Counter(text for one in more.split("digits", "train", "train").samples for text in one.fields["rewrites"])
    assert Counter(again) - Counter(said) == drawn and not Counter(said) - Counter(again), "none of another set's"
    assert plain.tokenizer.digest != more.tokenizer.digest
    assert bench("text.rewrites=false").tokenizer.digest == plain.tokenizer.digest


def test_rows_that_share_a_tokenizer_share_it_with_rewrites_too(bench: Made) -> None:
    named = "text.trained_on=digits"
    one, two = bench(named), bench(named, ON)
    assert one.tokenizer.digest == two.tokenizer.digest
    assert list(one._training_texts()) == list(two._training_texts())
    assert heard(two) & rewrites(two, "digits")


def test_cells_without_the_setting_are_what_they_were(bench: Made, tmp_path: Path) -> None:
    plain, said = bench().cell, bench("text.rewrites=false").cell
    assert plain.id == said.id != bench(ON).cell.id
    folders = {stage_of(one, tmp_path) for one in (plain, said, bench(ON).cell)}
    assert len(folders) == 2
    assert bench()._text_key == [400, True, bench().settings.on_bad_sample, bench().stored]
