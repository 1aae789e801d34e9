"""What a protocol's `metrics` ask for: metrics of the suite, which decide a cell's id, and plugins', which do not.

An extra metric changes no other number, so a grid that names one more keeps its cells.
"""

from __future__ import annotations

from dataclasses import replace

from vlpbench.config.settings import CellSettings, Protocol
from vlpbench.metrics.names import extras_among, is_suite

__all__ = ["extra_metrics", "suite_metrics", "without_extras"]


def extra_metrics(protocol: Protocol) -> tuple[str, ...]:
    """The named metrics that are none of the suite's."""
    return extras_among(protocol.metrics)


def suite_metrics(protocol: Protocol) -> tuple[str, ...]:
    """The named metrics of the suite; all of them where others alone are named."""
    if not extra_metrics(protocol):
        return protocol.metrics
    return tuple(name for name in protocol.metrics if is_suite(name)) or Protocol().metrics


def without_extras(settings: CellSettings) -> CellSettings:
    """The same settings as if no extra metric were named: what decides numbers of the suite."""
    protocols = {task: replace(one, metrics=suite_metrics(one)) for task, one in settings.protocol.items()}
    return replace(settings, protocol=protocols)
