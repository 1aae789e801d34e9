"""A cell without a grid: an objective and a backbone by name, and for all else what suits the backbone's size."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from vlpbench.config.identity import cell_id
from vlpbench.config.known import SIZES, Known
from vlpbench.config.reader import said_grid
from vlpbench.config.settings import CellSettings
from vlpbench.config.sums import names_of
from vlpbench.device import Device
from vlpbench.errors import UserError
from vlpbench.grid import Cell
from vlpbench.grid.cells import versions_of
from vlpbench.grid.drafts import drafts
from vlpbench.grid.reasons import untrainable
from vlpbench.registry import Registry

__all__ = ["BACKBONE", "OBJECTIVE", "cell_of", "synthetic_cell"]

OBJECTIVE, BACKBONE = "prefix-lm", "conv3/encoder-decoder/nano"
"""What is measured where nothing is named: the demo's."""

_TOY = ("nano", "tiny")
"""Sizes for pictures and texts such as the demo's, which are the defaults of all settings."""

_BATCH = {"cpu": 4, "cuda": 512}
"""Samples of a step of the larger sizes, by the kind of device."""


def synthetic_cell(
    objective: str, backbone: str, registry: Registry, device: Device, overrides: Sequence[str] = ()
) -> Cell:
    """One cell of made-up inputs; `overrides` are KEY=VALUE in the words of a grid file, "" names the demo's.

    Sizes from small on see 224 pixels, 32 tokens a text (prefix-lm has so many on each side) and 32,000 words, 512
    samples a step on a GPU and 4 on a CPU. GridError for names and settings that do not exist, UserError for what
    cannot be trained.
    """
    said = [f"{key}={value}" for key, value in (("objective", objective), ("backbone", backbone)) if value]
    known = registry.known()
    base: dict[str, Any] = {"objective": OBJECTIVE, "backbone": BACKBONE}
    raw: dict[str, Any] = {"name": "bench", "floors": False, "base": base}
    settings = _settings(raw, [*said, *overrides], known)
    raw |= _of_size(settings, device)
    terms = [registry.objective(name) for name in names_of(settings.objective)]
    if any(term.views > 1 for term in terms):  # pictures that are seen more than once must differ
        raw["image"] = {"crop": 0.5, **raw.get("image", {})}
    if terms and not any("pairs" in term.uses for term in terms):
        base["texts"] = "digits-texts"
        raw["budget"] = {**raw.get("budget", {}), "texts": raw.get("budget", {}).get("batch", settings.budget.batch)}
    return cell_of(_settings(raw, [*said, *overrides], known), registry)


def cell_of(settings: CellSettings, registry: Registry) -> Cell:
    """Settings as a cell whose data nobody opens; UserError where nothing can be trained by them."""
    if settings.objective == "none":
        raise UserError("objective 'none' trains nothing, so it has no step", "--objective", "name one that trains")
    reason = untrainable(settings, registry)
    if reason is not None:
        raise UserError(reason.removeprefix("n/a: "), settings.backbone, "take another trunk or objective")
    versions = versions_of(settings, registry)
    made = cell_id(settings, versions, {})
    return Cell("bench", settings.objective, settings.seed, settings, made, versions=versions)


def _settings(raw: dict[str, Any], said: Sequence[str], known: Known) -> CellSettings:
    grid = said_grid(raw, said, known, "the defaults of a bench")
    report = grid.report()
    found = list(drafts(grid, known, report))
    report.raise_any()
    return found[0].settings


def _of_size(settings: CellSettings, device: Device) -> dict[str, Any]:
    """Pictures, texts and batch of a size."""
    size = settings.backbone.rpartition("/")[2]
    if size not in SIZES or size in _TOY:
        return {}
    text = {"length": 32, "vocabulary": 32_000}
    return {"image": {"size": 224}, "text": text, "budget": {"batch": _BATCH[device.kind]}}
