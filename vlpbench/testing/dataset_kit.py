"""All checks of data sets by name, and how to run them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from vlpbench.contract.dataset import Dataset
from vlpbench.testing.dataset_grid import check_dataset_smoke_grid
from vlpbench.testing.dataset_samples import (
    check_fields,
    check_fingerprint,
    check_ids,
    check_metadata,
    check_order,
    check_pictures,
    check_splits,
    check_splits_apart,
    check_texts,
)
from vlpbench.testing.findings import Check, Finding, ask, find
from vlpbench.testing.foundations import standing_on
from vlpbench.testing.pytest_support import parametrized

if TYPE_CHECKING:
    import pytest

__all__ = ["check_dataset", "dataset_checks", "parametrize_dataset_checks"]

_FOUNDATIONS = ("metadata", "splits")

_CHECKS: Mapping[str, Check] = MappingProxyType(standing_on(_FOUNDATIONS, {
    "metadata": check_metadata,
    "splits": check_splits,
    "ids": check_ids,
    "pictures": check_pictures,
    "texts": check_texts,
    "order": check_order,
    "fingerprint": check_fingerprint,
    "fields": check_fields,
    "splits-apart": check_splits_apart,
    "smoke-grid": check_dataset_smoke_grid,
}))


def dataset_checks() -> dict[str, Check]:
    """name -> a function that takes a data set (an instance) and raises CheckFailed."""
    return {name: partial(ask, name, check) for name, check in _CHECKS.items()}


def check_dataset(dataset: Dataset, *, only: Iterable[str] = ()) -> list[Finding]:
    """The findings of all checks (or of those named in `only`) on a data set; worlds are written to its cache first."""
    return find(_CHECKS, dataset, only)


def parametrize_dataset_checks(
    datasets: Sequence[tuple[str, Any]], expected_failures: Mapping[str, str] | None = None, only: Iterable[str] = ()
) -> pytest.MarkDecorator:
    """A decorator that gives `test(dataset, check)` each named data set with each check; call check(dataset).

    `datasets` are pairs of a name and what the test makes a data set of (an instance, or settings and a class);
    `expected_failures` and `only` as for objectives.
    """
    return parametrized("dataset", datasets, dataset_checks(), expected_failures or {}, only)
