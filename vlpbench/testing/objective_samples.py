"""Checks of what samples have to do with each other and with their padding.

Axes: B samples, T tokens.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from vlpbench.contract.objective import compares_all
from vlpbench.testing.findings import CheckFailed
from vlpbench.testing.rounds import Round, corrupted, crossed, far, mean_loss, play
from vlpbench.testing.rows import first_of
from vlpbench.testing.subject import Subject
from vlpbench.testing.tiny import ROOM
from vlpbench.types import Batch

__all__ = ["check_order_of_samples", "check_padding", "check_samples_apart"]


def check_padding(subject: Subject) -> None:
    """More padding behind texts (and arrays of `corrupt`), or other ids in it, changes no loss."""
    for kind, host in subject.hosts().items():
        host = corrupted(subject, host)
        base = _played(subject, crossed(host))
        longer = _padded(subject, host)
        if longer is not None:
            _compare(base, _played(subject, crossed(longer)), f"texts of {kind} were padded with {_MORE} more places")
        for name in subject.cls.wants:
            if f"{name}_mask" in host.extras:
                other = replace(host, extras={**host.extras, **_field(host, name)})
                _compare(base, _played(subject, crossed(other)), f"texts of the field {name!r} were padded otherwise")
        tokens = np.where(host.mask, host.tokens, host.tokens[:, :1])
        other = replace(host, tokens=tokens)
        _compare(base, _played(subject, crossed(other)), f"other ids were written under the padding of {kind}")


_MORE = 3


def _padded(subject: Subject, host: Batch) -> Batch | None:
    """The batch with `_MORE` more places; arrays of `corrupt` grow to what it gives for so long a text, by zeros."""
    length = host.tokens.shape[1]
    if subject.given is None and length + _MORE > ROOM:
        return None
    grow = ((0, 0), (0, _MORE))
    wanted = {*subject.cls.wants, *(f"{name}_mask" for name in subject.cls.wants)}
    bare = {name: array for name, array in host.extras.items() if name in wanted}
    pads = np.pad(host.tokens, grow, constant_values=host.vocabulary.pad)
    longer = replace(host, tokens=pads, mask=np.pad(host.mask, grow), extras=bare)
    aims = {name: array.shape for name, array in corrupted(subject, longer).extras.items()}
    extras = {}
    for name, array in host.extras.items():
        more = [(0, max(0, aim - size)) for aim, size in zip(aims[name], array.shape, strict=True)]
        pad = host.vocabulary.pad if array.dtype.kind == "i" else 0
        extras[name] = np.pad(array, more, constant_values=pad)
    return replace(longer, extras=extras)


def _field(host: Batch, name: str) -> dict[str, np.ndarray]:
    """A field of texts with more padding, and other ids in it."""
    grow = [(0, 0)] * (host.extras[name].ndim - 1) + [(0, _MORE)]
    mask = np.pad(host.extras[f"{name}_mask"], grow)
    tokens = np.pad(host.extras[name], grow, constant_values=host.vocabulary.pad)
    return {name: np.where(mask, tokens, tokens[..., :1]), f"{name}_mask": mask}


def _compare(base: Round, other: Round, what: str) -> None:
    for name, rows in base.rows.items():
        apart = far(other.rows[name], rows)
        if apart is not None:
            cause = f"{what}, and {name!r} changed by {apart:.2g}; a loss must not depend on padding"
            raise CheckFailed(cause, "weigh by the mask, divide by its sum and not by T, and hand it to read()")


def _played(subject: Subject, batch: Batch) -> Round:
    backbone = subject.backbone()
    with torch.no_grad():
        return play(subject.objective(backbone), backbone, batch)


def check_order_of_samples(subject: Subject) -> None:
    """Samples in another order have the same losses, each its own; where they are coupled, groups stay together."""
    for kind, host in subject.hosts().items():
        batch = crossed(corrupted(subject, host))
        base = _played(subject, batch)
        for seed in range(2):
            order = _order(len(batch), subject.group, seed)
            other = _played(subject, batch.rows(order))
            for name, rows in base.rows.items():
                if far(other.rows[name], rows[order]) is not None:
                    who = f" within groups of {subject.group}" if subject.group > 1 else ""
                    cause = f"samples of {kind} were put in another order{who}, and {name!r} did not follow them"
                    raise CheckFailed(cause, "let nothing depend on a sample's place; arrays of corrupt() move too")
            apart = far(mean_loss(other), mean_loss(base))
            if apart is not None:
                raise CheckFailed(f"the order of samples changes the loss by {apart:.2g}", "sum over samples")


def _order(samples: int, group: int, seed: int) -> Tensor:
    """B: whole groups in another order, and within each its samples in another order."""
    rng = np.random.default_rng(seed)
    if group == 1:
        return torch.from_numpy(rng.permutation(samples))
    starts = rng.permutation(samples // group) * group
    rest = np.arange(samples // group * group, samples)  # a last group that is not whole stays the last
    return torch.from_numpy(np.concatenate([*(start + rng.permutation(group) for start in starts), rest]))


def check_samples_apart(subject: Subject) -> None:
    """Another first sample (or group) leaves the losses of the others alone, and their features in any case."""
    for kind, host in subject.hosts().items():
        batch = crossed(corrupted(subject, host))
        other = crossed(corrupted(subject, subject.hosts(seed=7)[kind], 7))
        if subject.given is not None:
            other = batch.rows(torch.arange(len(batch)).roll(subject.group))
        mixed = first_of(other, batch, subject.group)
        base, made = _played(subject, batch), _played(subject, mixed)
        kept = slice(subject.group, None)
        values = dict(base.features) if compares_all(subject.coupled) else {**base.features, **base.rows}
        others = {**made.features, **made.rows}
        for name, value in values.items():
            if value.shape[:1] != (len(batch),):
                raise CheckFailed(f"encode() returned {name!r} of shape {tuple(value.shape)}", "samples come first")
            if far(others[name][kept], value[kept]) is not None:
                cause = f"another first sample of {kind} changed {name!r} of the others; coupled is {subject.coupled!r}"
                remedy = 'declare it: coupled = n for groups in encode(), "all" where loss() looks, (n, "all") for both'
                raise CheckFailed(cause, remedy)
