"""All that one component says of itself: what it declares, with the meaning of each word, and its settings."""

from __future__ import annotations

import dataclasses
import inspect
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vlpbench.config.field_schema import docs_in_source, field_docs
from vlpbench.config.recipes import read_recipe
from vlpbench.config.typed import described, fields_of, plain
from vlpbench.plugin import API_VERSION
from vlpbench.registry.catalogue import Component
from vlpbench.registry.checks import BASES
from vlpbench.registry.frames import place_of
from vlpbench.registry.standing import FILE_KINDS

__all__ = ["Declared", "Facts", "Setting", "facts_of"]

_ELSEWHERE = ("name", "version", "config_class", "cites")
"""What every component declares; it is told in places of its own."""


_ARGUMENTS = {"timm": ":resnet18"}
"""What a stem's name needs behind it, for example."""


@dataclass(frozen=True)
class Declared:
    """One fact that a class declares."""

    name: str
    """What it is called in the class."""
    value: Any
    """As JSON has it."""
    meaning: str
    """The sentence under it in the contract."""


@dataclass(frozen=True)
class Setting:
    """One key that a grid file can set."""

    name: str
    """The key."""
    kind: str
    """Its type in words."""
    default: Any
    """As JSON has it; `...` where it must be set."""
    meaning: str
    """The sentence under it in the config class."""


@dataclass(frozen=True)
class Facts:
    """What is known of a component."""

    about: str
    """One sentence of its own."""
    path: str
    """Its file."""
    version: int | None
    """Its version; None for a file."""
    api_version: int | None
    """The contract it was written for; None for a file."""
    declared: tuple[Declared, ...] = ()
    """What its class declares."""
    settings: tuple[Setting, ...] = ()
    """What it can be set to."""
    cites: tuple[str, ...] = ()
    """What a paper cites that uses it."""
    said: tuple[str, ...] = ()
    """How it is named: lines of a grid file, or a command."""


def facts_of(component: Component) -> Facts:
    """Everything about one component."""
    if component.kind in FILE_KINDS:
        recipe = component.kind == "recipe"
        about = read_recipe(component.value).description if recipe else _description(component.value)
        return Facts(about, str(component.value), None, None, said=_said(component, ()))
    cls = component.value
    settings = _settings(getattr(cls, "config_class", None))
    return Facts(
        _about(cls), place_of(cls), getattr(cls, "version", 1), getattr(cls, "api_version", API_VERSION),
        _declared(component.kind, cls), settings, tuple(getattr(cls, "cites", ())), _said(component, settings),
    )


def _about(cls: type) -> str:
    """The first sentence of the class, or of its module."""
    text = vars(cls).get("__doc__") or getattr(sys.modules.get(cls.__module__), "__doc__", None) or ""
    if dataclasses.is_dataclass(cls) and text.startswith(f"{cls.__name__}("):
        text = ""
    return " ".join(inspect.cleandoc(text).partition("\n\n")[0].split())


def _description(path: Path) -> str:
    """What a grid file says of itself in its `description`."""
    return str(tomllib.loads(path.read_text(encoding="utf-8")).get("description", ""))


def _declared(kind: str, cls: type) -> tuple[Declared, ...]:
    """The facts of the contract, as far as a class of this kind has them, in the contract's order."""
    found = {}
    for base in BASES[kind]:
        meanings = docs_in_source(base)
        for name, type_ in inspect.get_annotations(base).items():
            if str(type_).startswith("ClassVar") and name not in _ELSEWHERE and hasattr(cls, name):
                found[name] = Declared(name, plain(getattr(cls, name)), meanings.get(name, ""))
    return tuple(found.values())


def _settings(config: type | None) -> tuple[Setting, ...]:
    if config is None:
        return ()
    kinds, meanings = fields_of(config), field_docs(config)
    by_name = {one.name: one for one in dataclasses.fields(config)}
    return tuple(
        Setting(name, described(kind), _default(by_name[name]), meanings.get(name, "")) for name, kind in kinds.items()
    )


def _default(one: dataclasses.Field[Any]) -> Any:
    if one.default is not dataclasses.MISSING:
        return plain(one.default)
    return plain(one.default_factory()) if one.default_factory is not dataclasses.MISSING else ...


def _said(component: Component, settings: tuple[Setting, ...]) -> tuple[str, ...]:
    """How a grid file or a command names it."""
    name = component.name
    ways: Mapping[str, tuple[str, ...]] = {
        "objective": ("[base]", f'objective = "{name}"', *_table("objective", name, settings)),
        "stem": ("[base]", f'backbone = "{name}{_ARGUMENTS.get(name, "")}/encoder-decoder/nano"'),
        "trunk": ("[base]", f'backbone = "linear/{name}/nano"', *_table("trunk", name, settings)),
        "data set": ("[base]", 'data = "mine"', "", "[data.mine]", f'kind = "{name}"'),
        "grid": (f"vlpbench run grid {name}", f"vlpbench grid show {name}"),
        "recipe": ("[base]", f'recipe = "{name}"'),
        "launcher": (f"vlpbench run grid demo --launcher {name}",),
        "metric": (f"[protocol.{_task(component)}]", f'metrics = ["{name}"]'),
        "table": (f"vlpbench report table RESULTS --what {name}",),
    }
    brought = component.origin
    is_command = component.kind in ("grid", "launcher", "table")
    if brought.distribution or is_command:
        return ways[component.kind]
    return (f'plugins = ["{brought.plugin}"]', "", *ways[component.kind])


def _table(kind: str, name: str, settings: tuple[Setting, ...]) -> tuple[str, ...]:
    return ("", f"[{kind}.{name}]  # its settings, where they are not the defaults") if settings else ()


def _task(component: Component) -> str:
    return str(min(getattr(component.value, "tasks", ()), default="vqa"))
