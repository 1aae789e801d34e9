"""Batches whose pictures lie on the device are those of the memory map, to the last bit; arrays are copied up once."""

from __future__ import annotations

import gc
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from vlpbench.config.settings import ImageSettings
from vlpbench.data.examples import Examples
from vlpbench.data.loader import Loader, Surgery
from vlpbench.data.mixture import Mixture
from vlpbench.data.resident import Wish, resident
from vlpbench.device import Device
from vlpbench.types import Batch, Vocabulary

VOCABULARY = Vocabulary(size=200, pad=0, bos=1, eos=2, unk=3, mask=4)
S, T = 8, 5
CPU = Device("cpu")


def noise(batch: Batch, rng: np.random.Generator, config: Any) -> Mapping[str, Any]:
    return {"noise": rng.random(len(batch)), "count": batch.mask.sum(1)}


def made(pictures: int, seed: int = 0) -> Examples:
    """As many examples, with two texts each; their pictures are in another order than they."""
    rng = np.random.default_rng(seed)
    mask = np.arange(T)[None] < rng.integers(2, T + 1, 2 * pictures)[:, None]
    return Examples(
        pixels=rng.integers(0, 256, (pictures + 2, S, S, 3), dtype=np.uint8), image_rows=rng.permutation(pictures) + 1,
        image_ids=np.arange(pictures), tokens=np.where(mask, rng.integers(40, 200, mask.shape), 0), mask=mask,
        caption_ids=np.arange(2 * pictures), first=2 * np.arange(pictures), many=np.full(pictures, 2),
        texts=[f"text {seed} {number}" for number in range(2 * pictures)],
    )


def loader(given: Examples | Mixture, **changes: Any) -> Loader:
    surgeries = [Surgery("a", noise, None), Surgery("b", noise, None, (), 3)]
    image = ImageSettings(size=6, crop=0.4, flip=True)
    return replace(Loader(given, surgeries, VOCABULARY, image, seed=3, batch=4, steps=7), **changes)


def blank(given: Examples) -> Examples:
    """The same without anything to see, as a blind cell's split has it."""
    return replace(given, pixels=np.broadcast_to(np.uint8(128), given.pixels.shape))


GIVEN: dict[str, Examples | Mixture] = {
    "one": made(7),
    "mixture": Mixture((made(7), made(5, 1), made(3, 2)), (2.0, 1.0, 1.0)),
    "blank": blank(made(7)),
    "half blank": Mixture((made(7), blank(made(5, 1))), (1.0, 1.0)),
}


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("given", GIVEN)
def test_resident_pictures_give_the_batches_of_the_memory_map(given: str, workers: int) -> None:
    plain = loader(GIVEN[given])
    there = loader(GIVEN[given], device=CPU, resident="always", workers=workers)
    for one, two in zip(plain, there, strict=True):
        assert one.pixels is not None and two.pixels is None and two.shown is not None
        assert (one.samples, one.images, one.targets) == (two.samples, two.images, two.targets)
        first, second = (host.to(CPU.torch)["pairs"] for host in (one, two))
        for name, view in first.items():
            other = second[name]
            assert view.images is not None and other.images is not None and torch.equal(view.images, other.images)
            assert len(view.others) == len(other.others) == 2
            assert all(torch.equal(a, b) for a, b in zip(view.others, other.others, strict=True))
            assert torch.equal(view.tokens, other.tokens) and torch.equal(view["noise"], other["noise"])
            assert view.images.is_contiguous(memory_format=torch.channels_last)


def test_several_captions_of_resident_pictures_of_several_sources_are_the_same() -> None:
    plain = loader(GIVEN["mixture"], captions=2, batch=8)
    there = replace(plain, device=CPU, resident="always")
    for one, two in zip(plain, there, strict=True):
        assert one.images == two.images == 4 and two.pixels is None
        first, second = (host.to(CPU.torch)["pairs"]["b"] for host in (one, two))
        assert torch.equal(torch.stack([first.images, *first.others]), torch.stack([second.images, *second.others]))
        assert torch.equal(first.image_ids, second.image_ids)


def test_a_batch_that_is_asked_for_alone_has_its_pictures() -> None:
    host = loader(GIVEN["one"], device=CPU, resident="always").host(2)
    assert host.pixels is not None and host.shown is None


@pytest.mark.parametrize("wish", ["auto", "never"])
def test_a_cpu_reads_its_memory_map_unless_it_must_not(wish: Wish) -> None:
    assert resident(GIVEN["one"], wish, CPU) is None
    assert next(iter(loader(GIVEN["one"], device=CPU, resident=wish))).pixels is not None


def test_texts_alone_have_nothing_to_hold() -> None:
    texts = replace(made(7), pixels=np.zeros((0, S, S, 3), np.uint8))
    assert resident(texts, "always", CPU) is None
    (views,) = next(iter(loader(texts, device=CPU, resident="always"))).to(CPU.torch).values()
    assert views["a"].images is None


def test_blank_pictures_stay_one_number() -> None:
    there = resident(GIVEN["blank"], "always", CPU)
    assert there is not None
    (held,) = there.shown(np.arange(3)).held
    assert held.shape == (9, S, S, 3) and held.untyped_storage().nbytes() == 1


def test_all_that_read_one_array_share_it_and_the_last_lets_it_go() -> None:
    given = made(7, 9)
    one, two = (resident(given, "always", CPU) for _ in range(2))
    other = resident(Mixture((replace(given), made(5, 1)), (1.0, 1.0)), "always", CPU)
    assert one is not None and two is not None and other is not None
    where = [each.shown(np.arange(2)).held[0].data_ptr() for each in (one, two, other)]
    assert len(set(where)) == 1
    given.pixels[:] = 0  # what is held is a copy
    assert one.shown(np.arange(2)).held[0].any()
    del one, two, other
    gc.collect()
    again = resident(given, "always", CPU)
    assert again is not None and not again.shown(np.arange(2)).held[0].any()


def test_a_file_opened_twice_is_held_once(tmp_path: Path) -> None:
    given = made(7)
    np.save(tmp_path / "store.npy", given.pixels)
    opened = [np.load(tmp_path / "store.npy", mmap_mode="r") for _ in range(2)]
    one, two = (resident(replace(given, pixels=pixels), "always", CPU) for pixels in opened)
    assert one is not None and two is not None
    (first,), (second,) = (each.shown(np.arange(2)).held for each in (one, two))
    assert first.data_ptr() == second.data_ptr()
    part = resident(replace(given, pixels=opened[0][1:], image_rows=given.image_rows - 1), "always", CPU)
    assert part is not None and torch.equal(part.shown(np.arange(2)).held[0], first[1:])


def test_more_than_a_piece_is_copied_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vlpbench.data.resident._CHUNK", 2 * S * S * 3)
    given = made(9, 5)
    there = resident(given, "always", CPU)
    assert there is not None
    assert np.array_equal(there.shown(np.arange(1)).held[0].numpy(), given.pixels)


class Roomy(Device):
    """A CPU that says how much memory it has left."""

    free = 0

    def room(self) -> tuple[int, int] | None:
        return self.free, 10_000


@pytest.mark.parametrize(("wish", "times", "fits"), [("auto", 2, True), ("auto", 1.9, False), ("always", 1, True),
                                                      ("always", 0.9, False), ("never", 99, False)])
def test_pictures_are_held_where_there_is_room(
    monkeypatch: pytest.MonkeyPatch, wish: Wish, times: float, fits: bool
) -> None:
    given = made(7, 11)
    monkeypatch.setattr(Roomy, "free", int(times * given.pixels.nbytes))
    there = resident(given, wish, Roomy("cpu"))
    assert (there is not None) == fits
    host = next(iter(loader(given, device=Roomy("cpu"), resident=wish)))
    assert (host.shown is not None) == fits
    assert host.to(CPU.torch)["pairs"]["a"].images is not None


@pytest.mark.gpu
@pytest.mark.parametrize("wish", ["always", "never"])
def test_on_a_gpu_batches_are_those_of_a_cpu(wish: Wish) -> None:
    gpu = Device("cuda")
    here = loader(GIVEN["mixture"])
    there = loader(GIVEN["mixture"], device=gpu, resident=wish, workers=2)
    for one, two in zip(here, there, strict=True):
        first, second = one.to(CPU.torch)["pairs"]["b"], two.to(gpu.torch)["pairs"]["b"]
        assert second.images is not None and second.images.is_cuda
        torch.testing.assert_close(second.images.cpu(), first.images, rtol=1e-5, atol=1e-5)
        assert torch.equal(second.tokens.cpu(), first.tokens) and torch.equal(second["noise"].cpu(), first["noise"])
