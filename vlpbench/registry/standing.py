"""One plugin as the registry knows it: where it comes from, and what became of it (loaded, failed, left out)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from vlpbench.errors import UserError
from vlpbench.registry.switches import is_named

__all__ = [
    "FILE_KINDS", "KINDS", "Failure", "LeftOut", "Origin", "Plugin", "PluginError", "Unfit", "who",
]

KINDS: Mapping[str, str] = {
    "vlpbench_objectives": "objective", "vlpbench_stems": "stem", "vlpbench_trunks": "trunk",
    "vlpbench_datasets": "data set", "vlpbench_grids": "grid", "vlpbench_recipes": "recipe",
    "vlpbench_launchers": "launcher", "vlpbench_metrics": "metric", "vlpbench_tables": "table",
}
"""What each collecting hook brings, in a user's words."""

FILE_KINDS = frozenset({"grid", "recipe"})
"""Kinds that are TOML files by name; the others are classes."""


class PluginError(UserError):
    """A plugin is needed and cannot be used."""

    exit_code = 3


class Unfit(Exception):
    """A plugin does not keep the contract; the message says where, `remedy` what to write instead."""

    def __init__(self, cause: str, remedy: str = "") -> None:
        super().__init__(cause)
        self.remedy = remedy


def who(plugin: str, distribution: str, version: str) -> str:
    """How a plugin is called in print: its distribution with version; of a single file, the file."""
    return f"{distribution} {version}".strip() or plugin


@dataclass(frozen=True)
class Origin:
    """Where a component comes from; goes into records."""

    plugin: str
    """Name of the entry point, built-in module or file."""
    distribution: str
    """Installed distribution, or "" for a single file."""
    version: str
    """Its version; "" for a single file."""
    file: str = ""
    """The module's file name (no folder)."""
    sha256: str = ""
    """Of a class, the hash of its code, helpers included (`registry.code`); else of the file, "" if there is none."""

    def __str__(self) -> str:
        return who(self.plugin, self.distribution, self.version)


@dataclass(frozen=True)
class Plugin:
    """One source that was loaded."""

    name: str
    """Name of the entry point, built-in module or file."""
    origin: Origin
    """Its distribution and version."""
    hooks: tuple[str, ...]
    """The hooks it implements."""
    api_version: int = 1
    """The contract it was written for."""
    is_ours: bool = False
    """Whether it is part of this package."""
    path: str = ""
    """Its module's file."""
    remarks: tuple[str, ...] = ()
    """What it did while it was loaded that a plugin should not do, and what was put back."""


@dataclass(frozen=True)
class Failure:
    """One plugin, or one component of it, that cannot be used."""

    name: str
    """Name of the entry point, built-in module or file."""
    distribution: str
    """Installed distribution; "" for a single file."""
    version: str
    """Its version."""
    cause: str
    """What is wrong."""
    remedy: str
    """What to do about it."""
    traceback: str = ""
    """Where it went wrong, for the plugin's author."""
    frames: str = ""
    """The same, cut to the plugin's own lines."""
    place: str = ""
    """File and line of the component that is refused, where it has one."""
    component: str = ""
    """The component that is refused, as "objective 'x'"; empty if the whole plugin is."""
    provides: tuple[str, ...] = ()
    """Names that it would have brought, as far as can be told."""
    kind: str = ""
    """Kind of the component that is refused; empty if the whole plugin is."""
    status: Literal["failed", "conflict"] = "failed"
    """Whether it is broken, or has a name that another plugin has, too."""
    asked: bool = False
    """Whether the user named this file himself."""

    @property
    def who(self) -> str:
        """Its distribution with version; of a single file, the file."""
        return who(self.name, self.distribution, self.version)

    def sentence(self) -> str:
        """Cause with the plugin that it befell."""
        what = f"{self.component} of " if self.component else ""
        return f"{what}plugin {self.name!r} ({self.who}) cannot be used: {self.cause}"

    def concerns(self, kind: str, name: str) -> bool:
        """Whether a component is not there because of this."""
        return name in self.provides and self.kind in ("", kind)

    def answers_to(self, name: str) -> bool:
        """Whether a name is the plugin's, its distribution's, or that of something it would have brought."""
        return name in self.provides or is_named([name], self.name, self.distribution)


@dataclass(frozen=True)
class LeftOut:
    """An installed plugin that is left alone because the user says so."""

    name: str
    """Name of the entry point."""
    distribution: str
    """Installed distribution."""
    version: str
    """Its version."""
    by: str
    """What says so: `--no-plugin`, or the variable VLPBENCH_PLUGINS."""
    provides: tuple[str, ...] = ()
    """Names that it seems to bring."""

    @property
    def who(self) -> str:
        """Its distribution with version."""
        return who(self.name, self.distribution, self.version)

    def answers_to(self, name: str) -> bool:
        """Whether a name is the plugin's, its distribution's, or that of something it seems to bring."""
        return name in self.provides or is_named([name], self.name, self.distribution)

    def sentence(self) -> str:
        """That it is left out, and by what."""
        return f"plugin {self.name!r} ({self.who}) is left out by {self.by}"

    @property
    def remedy(self) -> str:
        """How to have it again."""
        if self.by.startswith("-"):
            return f"drop {self.by} {self.name}"
        return f"add {self.name!r} to {self.by} (names by commas), or unset it to have all plugins"
