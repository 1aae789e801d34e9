"""One batch on the host, and its one crossing to the device.

Axes: B samples of a batch, P pictures of it (B, or fewer where neighbours share one), S pixels a side as stored.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch

from vlpbench.config.settings import ImageSettings
from vlpbench.data.carried import carried
from vlpbench.data.images import prepare_images
from vlpbench.data.resident import Shown
from vlpbench.types import Batch

__all__ = ["Augmentation", "HostBatch"]

_SHARED = ("tokens", "mask", "image_ids", "caption_ids", "progress")


@dataclass(frozen=True)
class Augmentation:
    """How the pictures of a batch are changed for one view."""

    boxes: np.ndarray | None
    """P, 4: crops; None where nothing is cropped."""
    flips: np.ndarray | None
    """P: bool; None where nothing is mirrored."""


@dataclass(frozen=True)
class HostBatch:
    """One batch in numpy, before it crosses."""

    pixels: np.ndarray | None
    """P, S, S, 3: uint8, or one process's part of them; None for texts, and where the pictures lie on the device."""
    augmented: Sequence[Augmentation]
    """What is done to the pictures, for each view of them."""
    views: Mapping[str, Batch]
    """Each objective's view: shared tokens, its own extras."""
    image: ImageSettings
    """How they are seen: size, mean, standard deviation."""
    shown: Shown | None = None
    """Which of the pictures on the device are seen; None where they come from the host, and for texts."""
    padding: tuple[int, int] = (0, 0)
    """Places of the texts that hold no token: how many cross, and how many would at the full T."""

    @property
    def samples(self) -> int:
        """B."""
        return len(next(iter(self.views.values())))

    @property
    def images(self) -> int:
        """P, 0 for texts."""
        first = next(iter(self.views.values()))
        return len(first) // first.captions if first.has_image else 0

    @property
    def targets(self) -> int:
        """Terms that the losses will be means of, over all objectives."""
        return sum(int(np.sum(view.extras.get("count", len(view)))) for view in self.views.values())

    def to(self, device: torch.device) -> dict[str, dict[str, Batch]]:
        """The one crossing: "pairs" or "texts" -> each objective's view, as tensors on the device."""
        first = next(iter(self.views.values()))
        there = carried(self._arrays(first), device)
        seen = self._pictures(there, device, first.captions)
        shared: dict[str, Any] = {name: there[name] for name in _SHARED}
        views = {}
        for name, view in self.views.items():
            extras = {key: there["extras", name, key] for key in view.extras}
            views[name] = replace(view, images=seen[0] if seen else None, others=seen[1:], extras=extras, **shared)
        return {"pairs" if seen else "texts": views}

    def _arrays(self, first: Batch) -> dict[Any, np.ndarray]:
        """All that crosses but pictures."""
        arrays: dict[Any, np.ndarray] = {name: getattr(first, name) for name in _SHARED}
        arrays |= {
            ("extras", name, key): array for name, view in self.views.items() for key, array in view.extras.items()
        }
        for number, one in enumerate(self.augmented if first.has_image else ()):
            named = {"boxes": one.boxes, "flips": one.flips}
            arrays |= {(name, number): array for name, array in named.items() if array is not None}
        return arrays | dict(self.shown.arrays if self.shown else {})

    def _pictures(
        self, there: Mapping[Any, torch.Tensor], device: torch.device, captions: int
    ) -> tuple[torch.Tensor, ...]:
        """The pictures, which cross once if at all, in each view: B, 3, H, W."""
        if self.shown is not None:
            pixels = self.shown.pixels(there, device)
        elif self.pixels is not None:
            pixels = torch.from_numpy(self.pixels).to(device, non_blocking=True)
        else:
            return ()
        how, made = self.image, []
        for number in range(len(self.augmented)):
            boxes, flips = there.get(("boxes", number)), there.get(("flips", number))
            images = prepare_images(pixels, how.size, boxes, flips, how.mean, how.std)
            made.append(images if captions == 1 else _repeated(images, captions))
        return tuple(made)


def _repeated(images: torch.Tensor, times: int) -> torch.Tensor:
    """Each picture so many times, neighbours equal; still channels last."""
    return images.repeat_interleave(times, 0).contiguous(memory_format=torch.channels_last)
