"""A cell's settings with some of them changed, everything that depends on them filled in anew."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from vlpbench.config.identity import settings_to_plain
from vlpbench.config.keys import SECTIONS, Layer
from vlpbench.config.known import Known, backbone_parts
from vlpbench.config.merge import merge, settings_of
from vlpbench.config.settings import CellSettings, Tune

__all__ = ["layer_of", "with_changes"]


def with_changes(settings: CellSettings, changes: Mapping[str, Any], known: Known) -> CellSettings:
    """The settings with other values under some dotted keys; a key of what the cell does not use changes nothing."""
    whole = merge([layer_of(replace(settings, tune=Tune())), changes])
    return replace(settings_of(whole, settings.seed, known), tune=settings.tune)


def layer_of(settings: CellSettings) -> Layer:
    """All settings but the seed and the tuning by dotted key, as a grid file says them."""
    plain = settings_to_plain(settings)
    _, trunk, _ = backbone_parts(settings.backbone)
    tables = {
        **{name: plain.pop(name) for name in SECTIONS if name != "tune"},
        **{f"protocol.{task}": one for task, one in plain.pop("protocol").items()},
        **{f"objective.{name}": one for name, one in plain.pop("objectives").items()},
        **{f"data.{name}": one for name, one in plain.pop("sources").items()},
        f"trunk.{trunk}": plain.pop("wiring"),
    }
    top = {key: value for key, value in plain.items() if key not in ("seed", "tune")}
    return {**top, **{f"{table}.{key}": value for table, one in tables.items() for key, value in one.items()}}
