"""Batches that cross ahead of time are the loader's own, in order, and close their source."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest
import torch

from vlpbench.data.ahead import crossed, threads
from vlpbench.data.joint_loader import Crossing
from vlpbench.device import Device
from vlpbench.types import Batch, Vocabulary

VOCABULARY = Vocabulary(size=60, pad=0, bos=1, eos=2, unk=3, mask=4)


class Numbered:
    """A step whose tokens say which it is."""

    samples, targets = 2, 2

    def __init__(self, step: int) -> None:
        self.step = step

    def to(self, device: torch.device) -> dict[str, dict[str, Batch]]:
        """One view of pictures and one extra."""
        tokens = torch.full((2, 3), self.step)
        batch = Batch(
            images=torch.full((2, 3, 64, 64), float(self.step)), tokens=tokens, mask=tokens > 0, image_ids=tokens[:, 0],
            caption_ids=tokens[:, 0], progress=torch.zeros(()), vocabulary=VOCABULARY, extras={"count": tokens[:, 0]},
        )
        crossed = {name: getattr(batch, name).to(device) for name in ("images", "tokens", "mask")}
        return {"pairs": {"one": batch.__class__(**{**vars(batch), **crossed})}}


def test_on_a_cpu_each_step_is_made_when_it_is_asked_for() -> None:
    asked: list[int] = []

    def source() -> Iterator[Crossing]:
        for step in range(5):
            asked.append(step)
            yield Numbered(step)

    found = crossed(source(), Device("cpu"))
    host, views = next(found)
    assert asked == [0]
    assert isinstance(host, Numbered)
    assert views["pairs"]["one"].tokens.unique().tolist() == [0]
    rest = [int(views["pairs"]["one"].tokens[0, 0]) for _, views in found]
    assert rest == [1, 2, 3, 4]


def test_closing_it_closes_its_source() -> None:
    closed = []

    def source() -> Iterator[Crossing]:
        try:
            yield from map(Numbered, itertools.count())
        finally:
            closed.append(True)

    found = crossed(source(), Device("cpu"))
    next(found)
    assert not closed
    found.close()
    assert closed == [True]


def test_a_source_that_cannot_be_closed_is_good_enough() -> None:
    found = list(crossed(iter([Numbered(0), Numbered(1)]), Device("cpu")))
    assert [host.step for host, _ in found if isinstance(host, Numbered)] == [0, 1]


def test_what_goes_wrong_in_the_source_comes_through() -> None:
    def source() -> Iterator[Crossing]:
        yield Numbered(0)
        raise ValueError("a broken batch")

    with pytest.raises(ValueError, match="a broken batch"):
        list(crossed(source(), Device("cpu")))


def test_a_gpu_has_threads_of_its_own_accord_and_a_cpu_has_not() -> None:
    assert [threads(asked, Device("cpu")) for asked in (0, 1, 5)] == [0, 1, 5]
    assert [threads(asked, Device("cuda")) for asked in (0, 1, 5)] == [2, 1, 5]


def test_a_cpu_has_no_queue_beside() -> None:
    assert Device("cpu").beside() is None


@pytest.mark.gpu
def test_on_a_gpu_the_next_step_crosses_before_a_step_is_handed_out() -> None:
    asked: list[int] = []

    def source() -> Iterator[Crossing]:
        for step in range(6):
            asked.append(step)
            yield Numbered(step)

    seen: list[float] = []
    for host, views in crossed(source(), Device("cuda")):
        assert isinstance(host, Numbered)
        assert asked == list(range(min(6, host.step + 2)))
        images = views["pairs"]["one"].images
        assert images is not None
        seen.append(float(images.mean()))
    assert seen == [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]
