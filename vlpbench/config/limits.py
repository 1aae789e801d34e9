"""What a setting may be beyond its type: the range in which it means something."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from vlpbench.config.typed import WrongValue

__all__ = ["LIMITS", "Limit", "within"]


@dataclass(frozen=True)
class Limit:
    """A range; None leaves a side open."""

    least: float | None = None
    """The smallest value allowed."""
    above: float | None = None
    """The value must be larger than this."""
    most: float | None = None
    """The largest value allowed."""
    below: float | None = None
    """The value must be smaller than this."""

    def complaint(self, value: float) -> str:
        """What is wrong with `value`; empty if nothing is."""
        if self.least is not None and value < self.least:
            return f"must be at least {self.least:g}, not {value}"
        if self.above is not None and value <= self.above:
            return f"must be above {self.above:g}, not {value}"
        if self.most is not None and value > self.most:
            return f"must be at most {self.most:g}, not {value}"
        if self.below is not None and value >= self.below:
            return f"must be below {self.below:g}, not {value}"
        return ""


_COUNT, _RATE, _SHARE, _DECAY = Limit(least=1), Limit(above=0), Limit(least=0, most=1), Limit(least=0, below=1)
_NONE_OR_MORE = Limit(least=0)

LIMITS: Mapping[str, Limit] = {
    "budget.samples": _COUNT,
    "budget.batch": _COUNT,
    "budget.texts": _NONE_OR_MORE,
    "budget.micro_batch": _NONE_OR_MORE,
    "budget.captions": _COUNT,
    "budget.looks": _NONE_OR_MORE,
    "optim.lr": _RATE,
    "optim.warmup": _SHARE,
    "optim.weight_decay": Limit(least=0),
    "optim.beta1": _DECAY,
    "optim.beta2": _DECAY,
    "optim.clip": Limit(least=0),
    "image.size": Limit(least=8),
    "image.crop": Limit(above=0, most=1),
    "text.length": Limit(least=2),
    "text.vocabulary": Limit(least=300),
    "data.share": Limit(above=0, most=1),
    "data.text_noise.swapped": _SHARE,
    "data.text_noise.dropped": _SHARE,
    "data.text_noise.boilerplate": _SHARE,
    "tune.samples": _NONE_OR_MORE,
    "protocol.samples": _COUNT,
    "protocol.batch": _COUNT,
    "protocol.lr": _RATE,
    "protocol.warmup": _SHARE,
    "protocol.size": _NONE_OR_MORE,
    "protocol.answers": Limit(least=2),
    "protocol.beams": _COUNT,
    "protocol.length_penalty": _NONE_OR_MORE,
    "protocol.no_repeat": _NONE_OR_MORE,
    "protocol.top_p": _SHARE,
    "protocol.shortlist": _NONE_OR_MORE,
    "protocol.folds": _COUNT,
}
"""Ranges by setting; `protocol.x` holds for each task, `data.x` for each data set.

Byte-pair pieces need 256 bytes and a few special ids.
"""


def within(setting: str, value: Any) -> None:
    """Raise WrongValue if `value` is outside the range of `setting`."""
    if isinstance(value, Mapping):
        for key, one in value.items():
            within(f"{setting}.{key}", one)
        return
    limit = LIMITS.get(setting)
    complaint = limit.complaint(value) if limit and isinstance(value, int | float) else ""
    if complaint:
        raise WrongValue(complaint)
