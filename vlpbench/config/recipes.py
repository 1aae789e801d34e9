"""A recipe is a published system as settings: one name says them all, and its layer's own keys stand over them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vlpbench.config.gridfile import parse_file
from vlpbench.config.keys import Layer, checked, flatten
from vlpbench.config.known import Known
from vlpbench.config.lines import find_lines
from vlpbench.config.problems import Report, guess
from vlpbench.config.typed import WrongValue

__all__ = ["Recipe", "expanded", "read_recipe"]

_KEYS = ("description", "paper", "settings")
_NOT_ITS_BUSINESS = ("data", "texts", "recipe", "seed", "seeds")


@dataclass(frozen=True)
class Recipe:
    """A system as settings."""

    description: str
    """One sentence for `recipes list`."""
    paper: str
    """Where it was published: "arXiv 2108.10904"."""
    settings: Layer
    """What it says, by dotted key."""


def read_recipe(path: Path, known: Known | None = None) -> Recipe:
    """The recipe in a TOML file; GridError with all its mistakes. `known` None checks what can be told without plugins.

    A recipe says how a system learns and not from what, since data sets are named by the grid.
    """
    raw, text = parse_file(path)
    report = Report(str(path), find_lines(text))
    for key, value in raw.items():
        if key not in _KEYS:
            report.add((key,), f"unknown key {key!r}", guess(key, _KEYS))
        elif not isinstance(value, dict if key == "settings" else str):
            report.add((key,), "must be a table of settings" if key == "settings" else "must be a text in quotes")
    report.raise_any()
    settings = {key: _value(key, value, known, report) for key, value in flatten(raw.get("settings", {}))}
    report.raise_any()
    return Recipe(raw.get("description", ""), raw.get("paper", ""), settings)


def _value(key: str, value: Any, known: Known | None, report: Report) -> Any:
    if key.split(".")[0] in _NOT_ITS_BUSINESS:
        report.add(("settings", *key.split(".")), "is no business of a recipe", "say it in the grid file")
        return value
    try:
        return checked(key, value, known, {})
    except WrongValue as wrong:
        report.add(("settings", *key.split(".")), str(wrong), wrong.remedy)
        return value


def expanded(layer: Layer, known: Known) -> tuple[Layer, ...]:
    """A layer as it is, or, if it names a recipe, what the recipe says and over it what else the layer says."""
    if "recipe" not in layer:
        return (layer,)
    own: Mapping[str, Any] = {key: value for key, value in layer.items() if key != "recipe"}
    return read_recipe(known.recipes[layer["recipe"]], known).settings, own
