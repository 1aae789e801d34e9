"""Batches are a function of (seed, step): no worker, no order and no neighbour changes what is in one."""

from __future__ import annotations

import dataclasses
import hashlib
import threading
from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
import torch

from vlpbench.config.settings import ImageSettings
from vlpbench.data.errors import DataError
from vlpbench.data.examples import Examples
from vlpbench.data.host_batch import Augmentation, HostBatch
from vlpbench.data.images import prepare_images
from vlpbench.data.loader import Loader, Surgery
from vlpbench.types import Batch, Vocabulary

VOCABULARY = Vocabulary(size=200, pad=0, bos=1, eos=2, unk=3, mask=4)
MANY = np.array([1, 5, 3, 2, 1, 4, 2], np.int64)
N, M, T, S = len(MANY), int(MANY.sum()), 5, 8


def noise(batch: Batch, rng: np.random.Generator, config: Any) -> Mapping[str, Any]:
    """One number a sample, and how many words there are."""
    return {"noise": rng.random(len(batch)), "count": batch.mask.sum(1)}


@pytest.fixture(scope="module")
def examples() -> Examples:
    rng = np.random.default_rng(0)
    tokens = rng.integers(40, 200, (M, T))
    tokens[:, 0] = 100 + np.arange(M)  # the first word says which text it is
    mask = np.arange(T)[None] < rng.integers(2, T + 1, M)[:, None]
    return Examples(
        pixels=rng.integers(0, 256, (N + 2, S, S, 3), dtype=np.uint8),
        image_rows=np.arange(N)[::-1].copy() + 1,
        image_ids=1000 + np.arange(N),
        tokens=np.where(mask, tokens, 0),
        mask=mask,
        caption_ids=np.arange(M) % 9,
        first=np.cumsum(MANY) - MANY,
        many=MANY,
        fields={"weight": rng.random((N, 2))},
    )


def loader(examples: Examples, **changes: Any) -> Loader:
    surgery = Surgery("noisy", noise, None, ("weight",))
    whole = Loader(examples, [surgery], VOCABULARY, ImageSettings(size=S), seed=3, batch=4, steps=14)
    return dataclasses.replace(whole, **changes)


def same(one: HostBatch, two: HostBatch) -> bool:
    """Whether two batches are equal to the last bit."""
    if one.views.keys() != two.views.keys():
        return False
    pairs = [(one.pixels, two.pixels)]
    for how, other in zip(one.augmented, two.augmented, strict=True):
        pairs += [(how.boxes, other.boxes), (how.flips, other.flips)]
    for name, view in one.views.items():
        other = two.views[name]
        fields = ("tokens", "mask", "image_ids", "caption_ids", "progress")
        pairs += [(getattr(view, field), getattr(other, field)) for field in fields]
        if view.extras.keys() != other.extras.keys():
            return False
        pairs += [(view.extras[key], other.extras[key]) for key in view.extras]
    return all(a is b or np.array_equal(a, b) for a, b in pairs)


def test_a_batch_is_a_function_of_seed_and_step(examples: Examples) -> None:
    image = ImageSettings(size=S, crop=0.5, flip=True)
    whole = list(loader(examples, image=image))
    backwards = [loader(examples, image=image).host(step) for step in reversed(range(14))][::-1]
    assert all(map(same, whole, backwards))
    assert not same(whole[0], loader(examples, image=image, seed=4).host(0))
    assert not any(same(whole[0], other) for other in whole[1:])


@pytest.mark.parametrize(
    ("pictures", "known"),
    [
        (N, ["05d76989dc63ed86", "0fc837d8a5e0b8f8", "157f6e1cfd7def34", "d096c2b633fb1181"]),
        (0, ["46b2b2c559efc96d", "a08883f4dee7ec9e", "936f4fb536757ffa", "05292b9da6659b00"]),
    ],
)
def test_batches_of_one_source_are_those_of_the_first_release(pictures: int, known: list[str]) -> None:
    """Hashes of batches recorded when a Loader knew one source only: records made since then stay comparable."""
    many = np.arange(N) % 3 + 1
    words = np.arange(many.sum())[:, None] * T + np.arange(T)
    given = Examples(
        pixels=(np.arange(pictures * S * S * 3) % 251).astype(np.uint8).reshape(pictures, S, S, 3),
        image_rows=np.arange(N)[::-1].copy(), image_ids=1000 + np.arange(N), tokens=words, mask=words % 4 < 3,
        caption_ids=np.arange(len(words)) % 9, first=np.cumsum(many) - many, many=many,
        fields={"weight": np.arange(N * 2).reshape(N, 2) / 7},
    )
    whole = loader(given, image=ImageSettings(size=S, crop=0.5, flip=True))
    assert [_hash(whole.host(step)) for step in (0, 1, 7, 13)] == known


@pytest.mark.parametrize("workers", [1, 3])
def test_workers_change_nothing(examples: Examples, workers: int) -> None:
    image = ImageSettings(size=S, crop=0.5, flip=True)
    alone = list(loader(examples, image=image))
    helped = list(loader(examples, image=image, workers=workers))
    assert len(helped) == len(alone) == 14
    assert all(map(same, alone, helped))


def test_workers_end_with_the_loop(examples: Examples) -> None:
    before = threading.active_count()
    batches = iter(loader(examples, workers=3))
    next(batches)
    batches.close()  # type: ignore[attr-defined]
    assert threading.active_count() == before


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("first", [0, 1, 9, 13, 14])
def test_the_steps_from_one_on_are_those_of_the_whole(examples: Examples, workers: int, first: int) -> None:
    whole = list(loader(examples))
    rest = list(loader(examples, workers=workers).from_step(first))
    assert len(rest) == 14 - first and all(map(same, rest, whole[first:]))


def test_every_example_comes_once_an_epoch(examples: Examples) -> None:
    """14 batches of 4 are 8 epochs of 7; no batch boundary falls together with the end of an epoch."""
    drawn = np.concatenate([host.views["noisy"].image_ids for host in loader(examples)])
    epochs = drawn.reshape(8, N)
    assert all(sorted(epoch) == sorted(examples.image_ids) for epoch in epochs.tolist())
    assert len({tuple(epoch) for epoch in epochs.tolist()}) > 1


def test_a_batch_may_be_larger_than_the_set(examples: Examples) -> None:
    drawn = loader(examples, batch=3 * N + 2, steps=1).host(0).views["noisy"].image_ids
    assert set(Counter(drawn.tolist()).values()) <= {3, 4}
    assert len(drawn) == 3 * N + 2


def test_pictures_texts_and_fields_belong_together(examples: Examples) -> None:
    for host in loader(examples):
        view = host.views["noisy"]
        which = view.image_ids - 1000
        assert host.pixels is not None
        assert np.array_equal(host.pixels, examples.pixels[examples.image_rows[which]])
        assert np.array_equal(view["weight"], examples.fields["weight"][which])
        text = view.tokens[:, 0] - 100
        assert (examples.first[which] <= text).all() and (text < examples.first[which] + MANY[which]).all()
        assert np.array_equal(view.tokens, examples.tokens[text])
        assert np.array_equal(view.mask, examples.mask[text])
        assert np.array_equal(view.caption_ids, examples.caption_ids[text])
        assert view.images is None and view.has_image


def test_texts_are_drawn_evenly_among_an_examples_own(examples: Examples) -> None:
    drawn = Counter(
        int(word) - 100 for host in loader(examples, batch=70, steps=100) for word in host.views["noisy"].tokens[:, 0]
    )
    for first, many in zip(examples.first, MANY, strict=True):
        counts = np.array([drawn[text] for text in range(first, first + many)])
        assert counts.sum() == 1000  # each example once an epoch, 1,000 epochs
        expected = 1000 / many
        assert (abs(counts - expected) < 5 * np.sqrt(expected)).all()


@pytest.mark.parametrize("captions", [2, 4])
def test_several_captions_of_a_picture_are_neighbours(examples: Examples, captions: int) -> None:
    image = ImageSettings(size=S, crop=0.5, flip=True)
    given = loader(examples, image=image, captions=captions, steps=7, batch=8)
    seen: list[int] = []
    for host in given:
        view, pictures = host.views["noisy"], 8 // captions
        assert (host.samples, host.images, len(view)) == (8, pictures, 8)
        assert host.pixels is not None and len(host.pixels) == pictures
        how = host.augmented[0]
        assert how.boxes is not None and how.flips is not None and len(how.boxes) == len(how.flips) == pictures
        ids = view.image_ids.reshape(pictures, captions)
        assert (ids == ids[:, :1]).all()
        which = ids[:, 0] - 1000
        seen += which.tolist()
        assert np.array_equal(host.pixels, examples.pixels[examples.image_rows[which]])
        assert np.array_equal(view["weight"], examples.fields["weight"][view.image_ids - 1000])
        texts = (view.tokens[:, 0] - 100).reshape(pictures, captions)
        assert (examples.first[which] <= texts.min(1)).all()
        assert (texts.max(1) < examples.first[which] + MANY[which]).all()
        assert [len(set(row)) for row in texts.tolist()] == np.minimum(MANY[which], captions).tolist()
        crossed = host.to(torch.device("cpu"))["pairs"]["noisy"]
        assert crossed.captions == captions
        assert crossed.images is not None and crossed.images.shape == (8, 3, S, S)
        assert torch.equal(crossed.images[::captions].repeat_interleave(captions, 0), crossed.images)
    assert set(Counter(seen[: len(seen) // N * N]).values()) == {len(seen) // N}  # whole epochs of pictures


def test_captions_of_one_picture_fill_whole_batches(examples: Examples) -> None:
    with pytest.raises(DataError, match="a batch of 4 pairs does not hold whole pictures of 3 captions"):
        loader(examples, captions=3)


def test_rows_of_a_batch_know_whether_they_are_whole_pictures(examples: Examples) -> None:
    batch = loader(examples, captions=2).host(0).to(torch.device("cpu"))["pairs"]["noisy"]
    assert batch.rows(slice(2)).captions == batch.rows(slice(2, 4)).captions == batch.rows(slice(None)).captions == 2
    for index in (slice(3), slice(1, 3), slice(0, 4, 2), torch.tensor([0, 1])):
        assert batch.rows(index).captions == 1


def test_few_lengths_cut_padding_alone(examples: Examples) -> None:
    long = dataclasses.replace(
        examples, tokens=np.pad(examples.tokens, ((0, 0), (0, 25))), mask=np.pad(examples.mask, ((0, 0), (0, 25)))
    )
    for whole, cut in zip(loader(long), loader(long, lengths="few"), strict=True):
        one, two = whole.views["noisy"], cut.views["noisy"]
        assert one.tokens.shape == (4, 30) and two.tokens.shape == (4, 8)
        assert np.array_equal(one.tokens[:, :8], two.tokens) and np.array_equal(one.mask[:, :8], two.mask)
        assert np.array_equal(one["count"], two["count"]) and np.array_equal(one["noise"], two["noise"])
        empty = 4 * 30 - int(one.mask.sum())
        assert whole.padding == (empty, empty) and cut.padding == (empty - 4 * 22, empty)


def test_streams_keep_stages_apart(examples: Examples) -> None:
    pretrain, finetune = loader(examples), loader(examples, stream="finetune/vqa")
    orders = [[view.image_ids.tolist() for view in _views(one)] for one in (pretrain, finetune)]
    assert orders[0] != orders[1]
    noises = [[view["noise"].tolist() for view in _views(one)] for one in (pretrain, finetune)]
    assert all(a != b for a, b in zip(*noises, strict=True))


def test_objectives_share_a_batch_but_not_their_chance(examples: Examples) -> None:
    two = loader(examples, surgeries=[Surgery("noisy", noise, None), Surgery("loud", noise, None)]).host(5)
    noisy, loud = two.views["noisy"], two.views["loud"]
    assert np.array_equal(noisy.tokens, loud.tokens)
    assert not np.array_equal(noisy["noise"], loud["noise"])
    assert np.array_equal(noisy["noise"], loader(examples).host(5).views["noisy"]["noise"])
    assert "weight" not in noisy.extras
    assert two.samples == 4
    assert two.targets == 2 * int(noisy.mask.sum())


def test_without_a_count_each_sample_counts_once(examples: Examples) -> None:
    plain = loader(examples, surgeries=[Surgery("plain", lambda batch, rng, config: {}, None)]).host(0)
    assert plain.targets == 4


def test_progress_runs_from_nought_to_one(examples: Examples) -> None:
    told = [float(view.progress) for view in _views(loader(examples))]
    assert told[0] == 0 and told[-1] == 1
    assert np.allclose(np.diff(told), 1 / 13)
    assert float(_views(loader(examples, steps=1))[0].progress) == 0


@pytest.mark.parametrize(
    ("returned", "said"),
    [
        ({"known": np.ones((3, 5))}, r"'known' of shape \(3, 5\)"),
        ({"known": np.float32(1)}, r"'known' of shape \(\)"),
        ({"known": np.array(["a", "b", "c", "d"])}, "'known' of type <U1"),
        ({"known": [None] * 4}, "'known' of type object"),
        ({"known": [[1], [1, 2], [1], [1]]}, "'known', which is no array"),
        (np.ones(4), "ndarray"),
        (None, "NoneType"),
    ],
)
def test_surgery_that_returns_something_else_is_told(examples: Examples, returned: Any, said: str) -> None:
    bad = loader(examples, surgeries=[Surgery("bad", lambda batch, rng, config: returned, None)])
    with pytest.raises(DataError, match=r"corrupt\(\) of 'bad' returned " + said) as caught:
        bad.host(0)
    assert "(4, ...)" in caught.value.remedy


def test_an_error_in_a_worker_is_raised_where_the_batch_is_wanted(examples: Examples) -> None:
    def fails(batch: Batch, rng: np.random.Generator, config: Any) -> Mapping[str, Any]:
        raise ZeroDivisionError("from corrupt")

    with pytest.raises(ZeroDivisionError, match="from corrupt"):
        list(loader(examples, surgeries=[Surgery("fails", fails, None)], workers=2))


def test_one_crossing_gives_every_objective_its_view(examples: Examples) -> None:
    image = ImageSettings(size=6, crop=0.5, flip=True)
    host = loader(examples, image=image, surgeries=[Surgery("a", noise, None), Surgery("b", noise, None)]).host(2)
    crossed = host.to(torch.device("cpu"))
    assert list(crossed) == ["pairs"]
    a, b = crossed["pairs"]["a"], crossed["pairs"]["b"]
    assert a.images is b.images and a.tokens is b.tokens
    assert host.pixels is not None and len(host.augmented) == 1
    pixels, boxes, flips = map(torch.from_numpy, (host.pixels, host.augmented[0].boxes, host.augmented[0].flips))
    assert torch.equal(a.images, prepare_images(pixels, 6, boxes, flips))
    assert a.images.shape == (4, 3, 6, 6)
    assert a["noise"].dtype == torch.float32 and a.tokens.dtype == torch.int64 and a.mask.dtype == torch.bool
    assert torch.equal(a["count"], torch.from_numpy(host.views["a"]["count"]))


def test_nothing_is_cropped_or_mirrored_unless_asked(examples: Examples) -> None:
    host = loader(examples).host(0)
    assert host.augmented == (Augmentation(None, None),)
    assert host.pixels is not None
    seen = host.to(torch.device("cpu"))["pairs"]["noisy"].images
    assert torch.equal(seen, prepare_images(torch.from_numpy(host.pixels), S))


def test_texts_alone_are_a_batch_of_texts(examples: Examples) -> None:
    texts = dataclasses.replace(examples, pixels=np.zeros((0, S, S, 3), np.uint8))
    host = loader(texts).host(0)
    assert host.pixels is None and not host.views["noisy"].has_image
    crossed = host.to(torch.device("cpu"))
    assert list(crossed) == ["texts"] and crossed["texts"]["noisy"].images is None


def _views(of: Loader) -> list[Batch]:
    return [host.views["noisy"] for host in of]


def _hash(host: HostBatch) -> str:
    """Types, shapes and bytes of all arrays of a batch."""
    view, held = host.views["noisy"], hashlib.sha256()
    shared = (view.tokens, view.mask, view.image_ids, view.caption_ids, view.progress)
    how = host.augmented[0]
    for array in (host.pixels, how.boxes, how.flips, *shared, *(view.extras[key] for key in sorted(view.extras))):
        if array is not None:
            held.update(f"{array.dtype}{array.shape}".encode() + np.ascontiguousarray(array).tobytes())
    return held.hexdigest()[:16]


def test_a_further_view_crops_anew_and_leaves_the_first_as_it_was(examples: Examples) -> None:
    image = ImageSettings(size=6, crop=0.3, flip=True)
    once = loader(examples, image=image, surgeries=[Surgery("a", noise, None)]).host(2)
    surgeries = [Surgery("a", noise, None), Surgery("b", noise, None, (), 2)]
    twice = loader(examples, image=image, surgeries=surgeries).host(2)
    assert len(once.augmented) == 1 and len(twice.augmented) == 2
    first, second = twice.augmented
    assert np.array_equal(first.boxes, once.augmented[0].boxes) and np.array_equal(first.flips, once.augmented[0].flips)
    assert not np.array_equal(first.boxes, second.boxes)
    seen = twice.to(torch.device("cpu"))["pairs"]
    assert torch.equal(seen["a"].images, once.to(torch.device("cpu"))["pairs"]["a"].images)
    (other,) = seen["b"].others
    boxes, flips = torch.from_numpy(second.boxes), torch.from_numpy(second.flips)
    assert torch.equal(other, prepare_images(torch.from_numpy(twice.pixels), 6, boxes, flips))
    assert torch.equal(seen["b"].rows(slice(1, 3)).others[0], other[1:3])
