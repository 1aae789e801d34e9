"""What was found and what failed, by name. Asking for what a failed plugin would have brought tells why it failed."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vlpbench.config.known import Known
from vlpbench.contract.dataset import Dataset
from vlpbench.contract.launcher import Launcher
from vlpbench.contract.metric import Metric
from vlpbench.contract.objective import Objective
from vlpbench.contract.report_table import ReportTable
from vlpbench.contract.wiring import Stem, Trunk
from vlpbench.errors import UserError, unknown

__all__ = ["FILE_KINDS", "KINDS", "Component", "Failure", "Origin", "Plugin", "PluginError", "Registry"]

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
        return f"{self.distribution} {self.version}" if self.distribution else self.plugin


@dataclass(frozen=True)
class Component:
    """One named thing that a plugin brought."""

    kind: str
    """ "objective", "stem", "trunk", "data set", "grid", "recipe", "launcher", "metric" or "table"."""
    name: str
    """What a grid file says."""
    value: Any
    """The class; of a grid or a recipe, its path."""
    origin: Origin
    """Who brought it."""


@dataclass(frozen=True)
class Plugin:
    """One source that was loaded."""

    name: str
    """Name of the entry point, built-in module or file."""
    origin: Origin
    """Its distribution and version."""
    hooks: tuple[str, ...]
    """The hooks it implements."""


@dataclass(frozen=True)
class Failure:
    """One plugin, or one component of it, that cannot be used."""

    name: str
    """Name of the entry point, built-in module or file."""
    distribution: str
    """Installed distribution (several, with versions, where names collide); "" for a single file."""
    version: str
    """Its version."""
    cause: str
    """What is wrong."""
    remedy: str
    """What to do about it."""
    traceback: str = ""
    """Where it went wrong, for the plugin's author."""
    component: str = ""
    """The component that is refused, as "objective 'x'"; empty if the whole plugin is."""
    provides: tuple[str, ...] = ()
    """Names that it would have brought, as far as can be told."""
    asked: bool = False
    """Whether the user named this file himself."""

    def sentence(self) -> str:
        """Cause with the plugin that it befell."""
        who = f"{self.distribution} {self.version}".strip() or self.name
        what = f"{self.component} of " if self.component else ""
        return f"{what}plugin {self.name!r} ({who}) cannot be used: {self.cause}"


@dataclass(frozen=True)
class Registry:
    """All components by kind and name, and all failures."""

    components: Mapping[tuple[str, str], Component]
    """What can be used, by (kind, name)."""
    plugins: Sequence[Plugin] = ()
    """What was loaded."""
    failures: Sequence[Failure] = ()
    """What was not."""
    observers: Sequence[tuple[str, Callable[..., None]]] = field(default=(), repr=False)
    """Plugin name and `vlpbench_cell_finished` of each that watches."""

    files: Sequence[Path] = ()
    """Single files that were asked for: what another process must load to have the same registry."""
    blocked: Sequence[str] = ()
    """Entry points or distributions that were left alone."""

    def objective(self, name: str) -> type[Objective]:
        """The class of one objective."""
        found: type[Objective] = self._find("objective", name)
        return found

    def stem(self, name: str) -> type[Stem]:
        """The class of a stem; what stands behind a colon (`timm:resnet18`) is its argument, not its name."""
        found: type[Stem] = self._find("stem", name.partition(":")[0])
        return found

    def trunk(self, name: str) -> type[Trunk]:
        """The class of a trunk."""
        found: type[Trunk] = self._find("trunk", name)
        return found

    def dataset(self, kind: str) -> type[Dataset]:
        """The class that reads a kind of data set."""
        found: type[Dataset] = self._find("data set", kind)
        return found

    def launcher(self, name: str) -> type[Launcher]:
        """The class that starts cells somewhere."""
        found: type[Launcher] = self._find("launcher", name)
        return found

    def metric(self, name: str) -> type[Metric]:
        """The class of an extra metric."""
        found: type[Metric] = self._find("metric", name)
        return found

    def table(self, name: str) -> type[ReportTable]:
        """The class of a report table."""
        found: type[ReportTable] = self._find("table", name)
        return found

    def grid(self, name: str) -> Path:
        """The file of a grid that a plugin or this package brings."""
        return Path(self._find("grid", name))

    def recipe(self, name: str) -> Path:
        """The file of a named system's settings."""
        return Path(self._find("recipe", name))

    def names(self, kind: str) -> list[str]:
        """All names of a kind, sorted."""
        return sorted(name for one, name in self.components if one == kind)

    def origin(self, kind: str, name: str) -> Origin:
        """Who brought a component: distribution, version and the hash of its module."""
        self._find(kind, name)
        return self.components[kind, name].origin

    def _find(self, kind: str, name: str) -> Any:
        if (kind, name) in self.components:
            return self.components[kind, name].value
        for failure in self.failures:
            if name in failure.provides:
                raise PluginError(f"{kind} {name!r} is not there: {failure.sentence()}", "", failure.remedy)
        wrong = unknown(kind, name, self.names(kind))
        if any(not one.component for one in self.failures):
            broken = ", ".join(sorted({one.name for one in self.failures}))
            wrong.remedy += f" (not loaded: {broken}; see vlpbench plugins list)"
        raise wrong

    def known(self) -> Known:
        """The names and config classes, as the reader of grid files wants them."""
        classes = {
            kind: {name: self.components[kind, name].value.config_class for name in self.names(kind)}
            for kind in ("objective", "trunk", "data set")
        }
        broken = {
            (kind, name): (f"{kind} {name!r} is not there: {failure.sentence()}", failure.remedy)
            for failure in self.failures for name in failure.provides for kind in KINDS.values()
        }
        return Known(
            objectives=classes["objective"], kinds=classes["data set"], stems=self.names("stem"),
            trunks=classes["trunk"], recipes={name: self.recipe(name) for name in self.names("recipe")},
            metrics={name: self.metric(name).tasks for name in self.names("metric")}, broken=broken,
        )

    def tell(self, record: Mapping[str, Any], warn: Callable[[str], None]) -> None:
        """Show a finished cell's record to every observer; one that raises is reported to `warn`, the others go on."""
        for name, observer in self.observers:
            try:
                observer(record=copy.deepcopy(dict(record)))
            except (Exception, SystemExit) as wrong:  # noqa: BLE001 (a stranger's code)
                warn(f"plugin {name!r}: vlpbench_cell_finished raised {type(wrong).__name__}: {wrong}")
