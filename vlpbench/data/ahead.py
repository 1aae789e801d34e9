"""A step's batches cross to a GPU while the step before is computed, so that nobody waits for a copy."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import ExitStack, closing

import torch

from vlpbench.data.joint_loader import Crossing
from vlpbench.device import Beside, Device
from vlpbench.types import Batch

__all__ = ["OnDevice", "crossed", "threads"]

OnDevice = dict[str, dict[str, Batch]]
""""pairs" and "texts", as far as there are such -> each objective's view, as tensors on the device."""


_THREADS = 2
"""Threads that make batches for a GPU where nothing else is asked for: one that works while the other waits."""


def threads(asked: int, device: Device) -> int:
    """Threads that make batches ahead: as many as asked for, else two for a GPU and none on a CPU."""
    return asked or (0 if device.kind == "cpu" else _THREADS)


def crossed(
    batches: Iterator[Crossing], device: Device
) -> Generator[tuple[Crossing, OnDevice], None, None]:
    """Each step's batches with what they are on the device, in order.

    On a GPU the next step's are on their way already when a step's are handed out. On a CPU there is nothing to cross:
    each is made when it is asked for. Closing this closes `batches`.
    """
    with ExitStack() as stack:
        if hasattr(batches, "close"):
            stack.enter_context(closing(batches))  # type: ignore[type-var]
        beside = device.beside()
        if beside is None:
            yield from ((host, host.to(device.torch)) for host in batches)
            return
        coming = _sent(batches, device, beside)
        while coming is not None:
            now = coming
            beside.hand_over(_tensors(now[1]))
            coming = _sent(batches, device, beside)
            yield now


def _sent(batches: Iterator[Crossing], device: Device, beside: Beside) -> tuple[Crossing, OnDevice] | None:
    """The next step's batches, their copies queued; None after the last step."""
    host = next(batches, None)
    if host is None:
        return None
    with beside.working():
        return host, host.to(device.torch)


def _tensors(views: OnDevice) -> Iterator[torch.Tensor]:
    """All that lies on the device, each once a view that holds it."""
    for some in views.values():
        for batch in some.values():
            held = (batch.images, batch.tokens, batch.mask, batch.image_ids, batch.caption_ids, batch.progress)
            yield from (one for one in (*held, *batch.others, *batch.extras.values()) if isinstance(one, torch.Tensor))
