"""All checks of extra metrics by name, and how to run them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from vlpbench.contract.metric import Metric
from vlpbench.testing.findings import Check, Finding, ask, find
from vlpbench.testing.metric_values import (
    MetricSubject,
    check_another_process,
    check_metadata,
    check_one_row,
    check_order_of_rows,
    check_pure,
    check_silence,
    check_values,
)
from vlpbench.testing.pytest_support import parametrized

if TYPE_CHECKING:
    import pytest

__all__ = ["check_metric", "metric_checks", "parametrize_metric_checks"]

_CHECKS: Mapping[str, Check] = MappingProxyType({
    "metadata": check_metadata,
    "values": check_values,
    "pure": check_pure,
    "order-of-rows": check_order_of_rows,
    "one-row": check_one_row,
    "silence": check_silence,
    "another-process": check_another_process,
})


def metric_checks() -> dict[str, Check]:
    """name -> a function that takes a metric (a class, or a MetricSubject) and raises CheckFailed."""
    return {name: partial(ask, name, check) for name, check in _CHECKS.items()}


def check_metric(
    cls: type[Metric], rows: Mapping[str, Sequence[Mapping[str, Any]]] | None = None, *, only: Iterable[str] = ()
) -> list[Finding]:
    """The findings of all checks (or of those named in `only`) on a metric.

    `rows`: task -> predictions of your own; by default those that a small grid leaves, which is run first (seconds).
    """
    return find(_CHECKS, MetricSubject(cls, rows), only)


def parametrize_metric_checks(
    metrics: Sequence[type[Metric]], expected_failures: Mapping[str, str] | None = None
) -> pytest.MarkDecorator:
    """A decorator that gives `test(metric, check)` each metric with each check; call check(metric).

    `expected_failures` as for objectives.
    """
    return parametrized("metric", [(one.name, one) for one in metrics], metric_checks(), expected_failures or {})
