"""A cell's settings with some of them changed, everything that depends on them filled in anew."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from vlpbench.config.known import Known
from vlpbench.config.layers import layer_of
from vlpbench.config.merge import merge, settings_of
from vlpbench.config.settings import CellSettings

__all__ = ["with_changes"]


def with_changes(settings: CellSettings, changes: Mapping[str, Any], known: Known) -> CellSettings:
    """The settings with other values under some dotted keys; a key of what the cell does not use changes nothing."""
    told = {key: value for key, value in layer_of(settings).items() if key != "seed" and not key.startswith("tune.")}
    return replace(settings_of(merge([told, changes]), settings.seed, known), tune=settings.tune)
