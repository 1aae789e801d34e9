"""Several sources by weight: shares exact over time, each source in whole epochs, ids of one never those of another."""

from __future__ import annotations

import dataclasses
import math
from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from vlpbench.config.settings import ImageSettings, TextSettings
from vlpbench.data.errors import DataError
from vlpbench.data.examples import Examples, caption_examples
from vlpbench.data.host_batch import HostBatch
from vlpbench.data.loader import Loader, Surgery
from vlpbench.data.mixture import Mixture, mixed
from vlpbench.data.splits import Split
from vlpbench.data.tokenizer import Tokenizer
from vlpbench.types import Batch, Sample

TOKENIZER = Tokenizer.train(["dog 1 2 3 4 5 6 7 8 9 0 cat"], TextSettings(vocabulary=320))
S = 4


def source(number: int, texts: list[tuple[str, ...]], size: int = S, wants: tuple[str, ...] = ()) -> Examples:
    """Pictures whose first pixel says the source, the second the row; ids are the same in all sources."""
    pixels = np.full((len(texts), size, size, 3), number, np.uint8)
    pixels[:, 0, 0, 1] = np.arange(len(texts))
    samples = tuple(
        Sample(10 + row, f"{row}.png", said, fields={"place": [number, row], "odd": [row] * (number + 1)})
        for row, said in enumerate(texts)
    )
    return caption_examples(Split("coco", "train", samples, pixels, ()), TOKENIZER, 60, wants)


def many(number: int, size: int) -> Examples:
    return source(number, [(f"dog {row}", f"cat {number}") for row in range(size)], wants=("place",))


def noise(batch: Batch, rng: np.random.Generator, config: Any) -> Mapping[str, Any]:
    return {"noise": rng.random(len(batch)), "seen": np.full(len(batch), batch.has_image)}


def loader(examples: Examples | Mixture, **changes: Any) -> Loader:
    whole = Loader(
        examples, [Surgery("noisy", noise, None, tuple(examples.fields))], TOKENIZER.vocabulary,
        ImageSettings(size=S), seed=3, batch=8, steps=1000,
    )
    return dataclasses.replace(whole, **changes)


def sources_of(host: HostBatch) -> np.ndarray:
    """B: which source each picture comes from."""
    assert host.pixels is not None
    return host.pixels[:, 0, 0, 0].astype(np.int64)


@pytest.mark.parametrize("weights", [(1.0, 2.0), (0.29, 0.71), (0.1, 0.6, 0.3), (1 / 3, 1 / 3, 1 / 3), (1.0, 1e-3)])
def test_shares_are_exact_over_time(weights: tuple[float, ...]) -> None:
    parts = [many(number, 5 + number) for number in range(len(weights))]
    whole, given = loader(Mixture(tuple(parts), weights), batch=7), Counter()
    shares = np.array(weights) / sum(weights)
    for step in range(1000):
        given.update(sources_of(whole.host(step)).tolist())
        for number, share in enumerate(shares):
            if number != shares.argmax():
                assert given[number] == math.floor((step + 1) * 7 * share + 1e-9)
    assert sum(given.values()) == 7000


def test_every_example_of_a_source_comes_once_before_any_comes_twice() -> None:
    seen: Counter[tuple[int, int]] = Counter()
    for host in loader(Mixture((many(0, 11), many(1, 5)), (3, 1)), steps=110):
        seen.update(map(tuple, host.views["noisy"]["place"].tolist()))
        for number, size in ((0, 11), (1, 5)):
            times = [seen[number, row] for row in range(size)]
            assert max(times) - min(times) <= 1
    assert seen[0, 0] == 110 * 6 / 11 and seen[1, 0] == 110 * 2 / 5


def test_epochs_are_whole_where_batches_end_with_them() -> None:
    """Of batches of 8 by 3 to 1 a source of 6 is through in one batch, another of 2 likewise."""
    whole = loader(Mixture((many(0, 6), many(1, 2)), (3, 1)), steps=20)
    rows = [sorted(map(tuple, host.views["noisy"]["place"].tolist())) for host in whole]
    assert all(row == [*((0, at) for at in range(6)), (1, 0), (1, 1)] for row in rows)
    orders = {tuple(sources_of(host).tolist()) for host in whole}
    assert len(orders) > 10


def test_sources_follow_orders_of_their_own() -> None:
    whole = loader(Mixture((many(0, 40), many(1, 40)), (1, 1)), batch=80, steps=1)
    place = whole.host(0).views["noisy"]["place"]
    zero, one = (place[place[:, 0] == number, 1].tolist() for number in (0, 1))
    assert sorted(zero) == sorted(one) == list(range(40))
    assert zero != one


def test_pictures_texts_ids_and_fields_belong_together() -> None:
    parts = (many(0, 5), source(1, [("a dog that is much longer than cat 1",), ("cat 0",)], wants=("place",)))
    whole = Mixture(parts, (1, 1))
    assert whole.tokens.shape[1] == parts[1].tokens.shape[1] > parts[0].tokens.shape[1]
    said: dict[int, str] = {}
    shown: dict[int, tuple[int, int]] = {}
    for host in loader(whole, steps=60):
        view, number = host.views["noisy"], sources_of(host)
        assert host.pixels is not None
        assert np.array_equal(view["place"], np.stack([number, host.pixels[:, 0, 0, 1]], 1))
        for at in range(8):
            text = TOKENIZER.decode(view.tokens[at])
            row = int(view["place"][at, 1])
            part = parts[number[at]]
            assert text in part.texts[part.first[row] : part.first[row] + part.many[row]]
            assert view.mask[at].sum() == TOKENIZER.lengths([text])[0]
            assert said.setdefault(int(view.caption_ids[at]), text) == text
            place = (int(number[at]), row)
            assert shown.setdefault(int(view.image_ids[at]), place) == place
    assert len(set(said.values())) == len(said)  # "cat 0" is said in both and has one number
    assert sorted(shown) == list(range(7)) and len(set(shown.values())) == 7


def test_examples_of_one_picture_share_its_number() -> None:
    asked = dataclasses.replace(many(0, 4), image_ids=np.array([90, 80, 90, 70]))
    ids = Mixture((many(1, 3), asked), (1, 1)).image_ids
    assert ids.tolist() == [0, 1, 2, 5, 4, 5, 3]
    assert ids.dtype == np.int64


def test_a_batch_is_a_function_of_seed_and_step() -> None:
    whole = loader(Mixture((many(0, 9), many(1, 4)), (2, 1)), steps=30)
    forward = [host.views["noisy"] for host in dataclasses.replace(whole, workers=2)]
    backward = [whole.host(step).views["noisy"] for step in reversed(range(30))][::-1]
    for one, two in zip(forward, backward, strict=True):
        for name in ("tokens", "mask", "image_ids", "caption_ids"):
            assert np.array_equal(getattr(one, name), getattr(two, name))
        assert np.array_equal(one["noise"], two["noise"])
    other = dataclasses.replace(whole, seed=4).host(0).views["noisy"]
    assert not np.array_equal(other.image_ids, forward[0].image_ids)


def test_one_source_is_drawn_as_it_always_was() -> None:
    alone = many(0, 9)
    assert mixed([alone], [0.3]) is alone
    both = mixed([alone, many(1, 3)], [1, 2])
    assert isinstance(both, Mixture) and len(both) == 12 and both.weights == (1, 2)


def test_texts_alone_mix() -> None:
    parts = [dataclasses.replace(many(number, 6), pixels=np.zeros((0, S, S, 3), np.uint8)) for number in (0, 1)]
    host = loader(Mixture(tuple(parts), (1, 1))).host(0)
    assert host.pixels is None
    assert not host.views["noisy"].has_image and not host.views["noisy"]["seen"].any()
    assert sorted(host.views["noisy"]["place"][:, 0].tolist()) == [0] * 4 + [1] * 4


def test_pictures_and_texts_alone_do_not_mix() -> None:
    texts = dataclasses.replace(many(1, 6), pixels=np.zeros((0, S, S, 3), np.uint8))
    with pytest.raises(DataError, match="cannot share a batch") as caught:
        Mixture((many(0, 6), texts), (1, 1))
    assert "`texts`" in caught.value.remedy


def test_sources_that_do_not_fit_are_told() -> None:
    with pytest.raises(DataError, match="not of 4, 6 pixels a side"):
        Mixture((source(0, [("dog",)]), source(1, [("cat",)], size=6)), (1, 1))
    with pytest.raises(DataError, match=r"'place' .* shapes: \(2,\), none"):
        Mixture((many(0, 3), source(1, [("cat",)])), (1, 1))
    with pytest.raises(DataError, match=r"'odd' .* shapes: \(1,\), \(2,\)"):
        Mixture((source(0, [("dog",)], wants=("odd",)), source(1, [("cat",)], wants=("odd",))), (1, 1))
    with pytest.raises(ValueError, match="need their texts"):
        Mixture((many(0, 3), dataclasses.replace(many(1, 3), texts=())), (1, 1))
    with pytest.raises(ValueError, match="2 sources have 1 weights"):
        Mixture((many(0, 3), many(1, 3)), (1,))


@pytest.mark.parametrize("weight", [0.0, -1.0, math.inf, math.nan])
def test_weights_are_above_zero(weight: float) -> None:
    with pytest.raises(DataError, match="above zero"):
        Mixture((many(0, 3), many(1, 3)), (1, weight))


@pytest.mark.parametrize("weights", [(1, 1, 1), (5, 1, 1, 1), (0.36, 0.16, 0.16, 0.16, 0.16)])
def test_a_batch_that_is_too_small_to_share_is_refused_and_the_named_one_is_not(weights: tuple[float, ...]) -> None:
    whole = Mixture(tuple(many(number, 3) for number in range(len(weights))), weights)
    with pytest.raises(DataError, match=f"{len(weights)} sources cannot share a batch of 1") as caught:
        loader(whole, batch=1)
    enough = int(caught.value.remedy.split("at least ")[1].split(",")[0])
    made = loader(whole, batch=enough, steps=300)
    assert all(made.host(step).samples == enough for step in range(300))
