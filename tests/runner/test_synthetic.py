"""Made-up inputs: shapes as the settings say, through real surgery, and what cannot be made up."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from vlpbench.config.problems import GridError
from vlpbench.device import Device
from vlpbench.errors import UserError
from vlpbench.registry import Registry, load_registry
from vlpbench.runner.synthetic import made_up_tokenizer, synthetic_bench, synthetic_examples, synthetic_loader
from vlpbench.runner.synthetic_cell import synthetic_cell

CPU = Device("cpu")

WANTING = '''
"""An objective that wants boxes."""
from vlpbench.plugin import Objective, Step, hookimpl

class Boxed(Objective):
    name, needs, wants = "boxed", frozenset({"image_tokens"}), ("boxes",)
    def encode(self, backbone, batch):
        return {"x": backbone.image_tokens(batch.image)}
    def loss(self, features, batch):
        return Step(features["x"].mean((1, 2)))

@hookimpl
def vlpbench_objectives():
    return [Boxed]
'''


@pytest.fixture(scope="module")
def registry() -> Registry:
    return load_registry()


def test_nothing_named_is_the_demos_cell(registry: Registry) -> None:
    settings = synthetic_cell("", "", registry, CPU).settings
    assert (settings.objective, settings.backbone) == ("prefix-lm", "conv3/encoder-decoder/nano")
    assert (settings.image.size, settings.text.length, settings.budget.batch) == (32, 24, 64)


@pytest.mark.parametrize(("kind", "batch"), [("cpu", 4), ("cuda", 512)])
def test_a_real_size_has_real_pictures_words_and_the_devices_batch(registry: Registry, kind: str, batch: int) -> None:
    settings = synthetic_cell("contrastive", "conv3/dual/base", registry, Device(kind)).settings
    assert (settings.image.size, settings.text.length, settings.text.vocabulary) == (224, 32, 32_000)
    assert settings.budget.batch == batch


def test_overrides_win_over_the_sizes_defaults(registry: Registry) -> None:
    said = ["budget.batch=2", "text.length=9", "image.size=64", "objective=masked-lm"]
    settings = synthetic_cell("prefix-lm", "conv3/encoder-decoder/small", registry, CPU, said).settings
    assert (settings.budget.batch, settings.text.length, settings.image.size) == (2, 9, 64)
    assert settings.objective == "masked-lm"


def test_a_batch_is_what_the_settings_say(registry: Registry) -> None:
    cell = synthetic_cell("prefix-lm", "", registry, CPU, ["budget.batch=6", "text.vocabulary=500"])
    bench = synthetic_bench(cell, registry, CPU)
    step = synthetic_loader(bench, steps=3).host(2)
    (batch,) = step.batches
    view = batch.views["prefix-lm"]
    assert batch.pixels is not None and batch.pixels.shape == (6, 32, 32, 3) and batch.pixels.dtype == np.uint8
    assert view.tokens.shape == (6, 24) and view.tokens.max() < 500
    assert set(view.extras) >= {"known", "inputs", "targets", "said", "count"}, "the objective's own surgery was done"
    assert bench.blueprint.vocabulary.size == 500


def test_batches_are_a_function_of_the_step(registry: Registry) -> None:
    bench = synthetic_bench(synthetic_cell("", "", registry, CPU, ["budget.batch=4"]), registry, CPU)
    one, other = synthetic_loader(bench).host(5).batches[0], synthetic_loader(bench).host(5).batches[0]
    assert one.pixels is not None and other.pixels is not None
    assert np.array_equal(one.pixels, other.pixels)


def test_texts_come_where_they_are_named(registry: Registry) -> None:
    cell = synthetic_cell("prefix-lm", "", registry, CPU, ["texts=digits-texts", "budget.texts=3", "budget.batch=5"])
    step = synthetic_loader(synthetic_bench(cell, registry, CPU)).host(0)
    assert [batch.samples for batch in step.batches] == [5, 3]
    assert step.batches[1].pixels is None


def test_texts_are_realistic_and_end() -> None:
    vocabulary = made_up_tokenizer(400).vocabulary
    made = synthetic_examples(2_000, vocabulary, 24, 0)
    lengths = made.mask.sum(1)
    assert lengths[0] == lengths.max() == 24
    assert 10 < np.median(lengths) < 14
    ends = made.tokens[np.arange(2_000), lengths - 1]
    assert (ends == vocabulary.eos).all() and (made.tokens[~made.mask] == vocabulary.pad).all()
    inner = made.tokens[made.mask]
    assert set(inner.tolist()) & vocabulary.special == {vocabulary.eos}


def test_what_wants_fields_is_sent_to_a_grid(tmp_path: Path) -> None:
    file = tmp_path / "boxed.py"
    file.write_text(WANTING, encoding="utf-8")
    registry = load_registry([file])
    bench = synthetic_bench(synthetic_cell("boxed", "", registry, CPU), registry, CPU)
    with pytest.raises(UserError, match=r"boxes \(boxed\)") as caught:
        synthetic_loader(bench)
    assert "GRID ID" in caught.value.remedy


@pytest.mark.parametrize(
    ("objective", "backbone", "said", "cause", "remedy"),
    [
        ("prefixlm", "", [], "unknown objective 'prefixlm'", "prefix-lm"),
        ("", "conv3/encoder-decodr/nano", [], "unknown trunk", "encoder-decoder"),
        ("", "conv3", [], "must be stem/trunk/size", "write for example"),
        ("none", "", [], "trains nothing", "name one"),
        ("prefix-lm", "conv3/dual/nano", [], "needs context, decode", "another trunk"),
        ("", "", ["budget.batch=0"], "must be at least 1", ""),
        ("", "", ["budget.bath=3"], "unknown", "batch"),
    ],
)
def test_bad_input_is_told_with_what_to_do(
    registry: Registry, objective: str, backbone: str, said: list[str], cause: str, remedy: str
) -> None:
    with pytest.raises(UserError, match=cause) as caught:
        synthetic_cell(objective, backbone, registry, CPU, said)
    assert remedy in caught.value.remedy
    assert isinstance(caught.value, GridError | UserError)
