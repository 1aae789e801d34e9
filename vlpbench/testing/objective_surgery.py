"""Checks of `corrupt` and of chance: a pure function of its arguments, static shapes, no shared generator."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from vlpbench.streams import generator
from vlpbench.testing.chance import moved, no_own_generators, seeded_anew, shared_states, without_dropout
from vlpbench.testing.findings import CheckFailed, CheckSkipped
from vlpbench.testing.rounds import corrupted, crossed, far, full, rows_of, stated
from vlpbench.testing.rows import SHARED
from vlpbench.testing.subject import Subject
from vlpbench.types import Batch

__all__ = ["check_chance_by_seed", "check_count", "check_no_global_randomness", "check_pure_corruption",
           "check_static_shapes"]


def check_pure_corruption(subject: Subject) -> None:
    """The batch stays as it was, the same generator gives the same arrays, and so does a copy of the batch."""
    for kind, host in subject.hosts().items():
        before = _frozen(host)
        first = corrupted(subject, host, 1)
        for name, array in before.items():
            if not np.array_equal(array, _frozen(host)[name]):
                raise CheckFailed(f"corrupt() changed {name!r} of the batch of {kind}", "work on a copy: x.copy()")
        again = corrupted(subject, _copied(host), 1)
        if set(first.extras) != set(again.extras):
            raise CheckFailed(f"corrupt() gave {sorted(first.extras)}, then {sorted(again.extras)}", _PURE)
        for name, array in first.extras.items():
            if not _same(array, again.extras[name]):
                raise CheckFailed(f"equal generators gave different {name!r} on {kind}", _PURE)


_PURE = "draw from `rng` alone, and keep nothing between calls"


def check_chance_by_seed(subject: Subject) -> None:
    """Where `corrupt` draws at all, other seeds give other arrays."""
    drew = False
    for kind, host in subject.hosts().items():
        rng = generator(0, "corrupt")
        before = repr(rng.bit_generator.state)
        with seeded_anew(0):
            made = subject.cls.corrupt(replace(host, images=None, others=()), rng, subject.config)
        if repr(rng.bit_generator.state) == before:
            continue
        drew = True
        views = [corrupted(subject, host, seed).extras for seed in range(6)]
        if all(_same(view[name], views[0][name]) for view in views for name in made):
            cause = f"corrupt() draws from its generator, but six seeds gave the same arrays on {kind}"
            raise CheckFailed(cause, "use what is drawn, and do not seed a generator of its own")
    if not drew:
        raise CheckSkipped("no-chance")


def check_static_shapes(subject: Subject) -> None:
    """Shapes and types depend on B, T and the settings alone, never on lengths, words or chance; samples come first."""
    empty = True
    for kind in subject.kinds:
        seen: dict[str, tuple[Any, ...]] = {}
        for seed, words in ((0, None), (1, None), (2, [1] * subject.samples), (3, [2] * subject.samples)):
            host = subject.hosts(seed, words=words)[kind]
            for name, array in corrupted(subject, host, seed).extras.items():
                empty = False
                if seen.setdefault(name, (array.shape, array.dtype.kind)) != (array.shape, array.dtype.kind):
                    cause = f"{name!r} on {kind} has shape {seen[name][0]} in one batch and {array.shape} in another"
                    raise CheckFailed(cause, "pad to a length that T and the settings decide")
    if empty:
        raise CheckSkipped("no-corruption")


def check_count(subject: Subject) -> None:
    """`count`, where it is given, is a number of terms for each sample: B, not negative, above 0 on ordinary texts."""
    for kind, host in subject.hosts().items():
        count = corrupted(subject, host).extras.get("count")
        if count is None:
            continue
        if count.shape != (len(host),):
            raise CheckFailed(f"count on {kind} has shape {count.shape}, not ({len(host)},)", "one number a sample")
        if not np.isfinite(count).all() or (count < 0).any() or count.sum() <= 0:
            raise CheckFailed(f"count on {kind} is {count.tolist()}", "count the terms that enter each loss")


def check_no_global_randomness(subject: Subject) -> None:
    """Neither corrupt, encode nor loss draws from, seeds or depends on a shared generator (or an unseeded one)."""
    def refuse(name: str) -> CheckFailed:
        return CheckFailed(f"corrupt() makes a generator of its own, {name}", _OWN)

    for kind, host in subject.hosts().items():
        rng = generator(5, "corrupt")
        with no_own_generators(subject.cls.__module__, refuse):
            subject.cls.corrupt(_copied(replace(host, images=None, others=())), rng, subject.config)
        surgery = [_watched(partial(_surgery, subject, host), seed, f"corrupt() on {kind}") for seed in (1, 2)]
        for name, array in surgery[0].items():
            if not _same(array, surgery[1][name]):
                raise CheckFailed(f"corrupt() gives other {name!r} on {kind} from call to call", _OWN)
        batch = crossed(corrupted(subject, host))
        for training in (False, True):
            _check_round(subject, batch, kind, training)


_OWN = "draw from the generator that corrupt() is given; chance on the device comes as arrays of uniforms made there"


def _surgery(subject: Subject, host: Batch) -> dict[str, np.ndarray]:
    made = subject.cls.corrupt(_copied(replace(host, images=None, others=())), generator(5, "corrupt"), subject.config)
    return {name: np.asarray(array) for name, array in made.items()}


def _check_round(subject: Subject, batch: Batch, kind: str, training: bool) -> None:
    """Encode and loss give the same after different shared seeds, and leave the shared generators alone."""
    first, again = (_values(subject, batch, kind, training, seed) for seed in (1, 2))
    for name, value in first.items():
        if far(value, again[name]) is not None:
            raise CheckFailed(f"{name!r} on {kind} differs from call to call with the same weights", _OWN)


def _values(subject: Subject, batch: Batch, kind: str, training: bool, seed: int) -> dict[str, Tensor]:
    """Features and losses with fresh weights, after a shared seed."""
    backbone = subject.backbone().train(training)
    objective = subject.objective(backbone).train(training)

    batch = stated(backbone, batch)
    with torch.no_grad(), without_dropout():
        features = full(_watched(lambda: objective.encode(backbone, batch), seed, f"encode() on {kind}"))
        step = _watched(lambda: objective.loss(features, batch), seed, f"loss() on {kind}")
    return {**features, **{f"loss {name}": rows for name, rows in rows_of(step).items()}}


def _watched(call: Callable[[], Any], seed: int, where: str) -> Any:
    with seeded_anew(seed):
        before = shared_states()
        result = call()
        touched = moved(before)
    if touched:
        raise CheckFailed(f"{where} touches the shared generator of {', '.join(touched)}", _OWN)
    return result


def _frozen(host: Batch) -> dict[str, np.ndarray]:
    found = {name: np.array(getattr(host, name)) for name in (*SHARED, "progress")}
    return found | {name: np.array(array) for name, array in host.extras.items()}


def _copied(host: Batch) -> Batch:
    arrays: dict[str, Any] = {name: np.array(getattr(host, name)) for name in SHARED}
    return replace(host, extras={name: np.array(array) for name, array in host.extras.items()}, **arrays)


def _same(a: np.ndarray, b: np.ndarray) -> bool:
    return a.shape == b.shape and bool(np.array_equal(a, b, equal_nan=a.dtype.kind == "f"))
