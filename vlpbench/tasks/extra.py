"""An extra metric as a task meets it: its class and who brought it, or why it is not there."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from vlpbench.contract.metric import Metric
from vlpbench.errors import UserError
from vlpbench.registry import Origin, Registry

__all__ = ["Extra", "extras_of"]


@dataclass(frozen=True)
class Extra:
    """One extra metric that a task is to be measured by."""

    name: str
    """What tables call it."""
    metric: type[Metric] | None = None
    """Its class; None where it is not there."""
    origin: Origin | None = None
    """Who brought it."""
    why_not: str = ""
    """Why it is not there."""

    def told(self, values: Sequence[float | None]) -> dict[str, Any]:
        """What a record says of it beside its value: version, who brought it, which way is better, rows left out."""
        assert self.metric is not None and self.origin is not None
        return {
            "version": self.metric.version,
            "better": "higher" if self.metric.higher_is_better else "lower",
            "left_out": sum(value is None for value in values),
            "plugin": self.origin.plugin,
            "distribution": self.origin.distribution,
            "release": self.origin.version,
            "sha256": self.origin.sha256,
        }


def extras_of(names: Iterable[str], registry: Registry) -> tuple[Extra, ...]:
    """These metrics as the plugins bring them; one that is not there knows why."""
    found = []
    for name in names:
        try:
            found.append(Extra(name, registry.metric(name), registry.origin("metric", name)))
        except UserError as wrong:
            found.append(Extra(name, why_not=wrong.cause))
    return tuple(found)
