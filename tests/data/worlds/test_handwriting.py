"""The bundled digits: the very ones that scikit-learn gives, in pools that share no sample."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from vlpbench.data.worlds import handwriting as room
from vlpbench.data.worlds.handwriting import BRIGHTEST, POOLS, handwriting, pools
from vlpbench.errors import UserError


def test_the_same_digits_as_scikit_learn_gives() -> None:
    datasets = pytest.importorskip("sklearn.datasets")
    given = datasets.load_digits()
    digits = handwriting()
    assert (digits.pictures == given.images).all()
    assert (digits.labels == given.target).all()
    assert digits.pictures.max() == BRIGHTEST


def test_pools_are_disjoint_and_complete_for_every_seed() -> None:
    labels = handwriting().labels
    for seed in range(3):
        found = pools(labels, seed)
        everything = [i for split in found.values() for pool in split for i in pool]
        assert sorted(everything) == list(range(len(labels)))
        for split, share in POOLS.items():
            for kind, pool in enumerate(found[split]):
                assert (labels[pool] == kind).all()
                assert abs(len(pool) - share * (labels == kind).sum()) <= 1
    assert pools(labels, 0) != pools(labels, 1)


def test_no_picture_is_in_two_pools() -> None:
    digits = handwriting()
    found = pools(digits.labels, 0)
    seen = {
        split: {digits.pictures[i].tobytes() for pool in found[split] for i in pool} for split in found
    }
    assert not seen["train"] & seen["test"]
    assert not seen["train"] & seen["val"]
    assert not seen["val"] & seen["test"]


def test_fingerprint_depends_on_pixels_and_labels() -> None:
    digits = handwriting()
    changed = digits.pictures.copy()
    changed[5, 0, 0] ^= 1
    same = room.Handwriting(digits.pictures.copy(), digits.labels.copy())
    assert same.fingerprint == digits.fingerprint
    assert room.Handwriting(changed, digits.labels).fingerprint != digits.fingerprint
    assert room.Handwriting(digits.pictures, np.roll(digits.labels, 1)).fingerprint != digits.fingerprint


@pytest.mark.parametrize("found", [None, "empty"])
def test_scikit_learn_missing_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, found: str | None) -> None:
    spec = SimpleNamespace(submodule_search_locations=[str(tmp_path)]) if found else None
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: spec)
    with pytest.raises(UserError, match="scikit-learn") as caught:
        room._bundled()
    assert "install" in caught.value.remedy
