"""What was found and what failed, by name. Asking for what a failed plugin would have brought tells why it failed."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vlpbench.config.known import Known
from vlpbench.errors import nearest, unknown
from vlpbench.registry.explain import said
from vlpbench.registry.standing import KINDS, Failure, LeftOut, Origin, Plugin, PluginError
from vlpbench.registry.switches import is_named

if TYPE_CHECKING:
    from vlpbench.contract.dataset import Dataset
    from vlpbench.contract.launcher import Launcher
    from vlpbench.contract.metric import Metric
    from vlpbench.contract.objective import Objective
    from vlpbench.contract.report_table import ReportTable
    from vlpbench.contract.wiring import Stem, Trunk

__all__ = ["Component", "Registry"]


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
    """What `--no-plugin` said: entry points or distributions; another process must be told, too."""
    left_out: Sequence[LeftOut] = ()
    """Installed plugins that were left alone, by `--no-plugin` or by VLPBENCH_PLUGINS."""

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

    def require(self, named: Sequence[str], place: str = "") -> None:
        """PluginError unless each plugin is loaded; `named` are entry points or distributions. `place` names them."""
        for name in named:
            for failure in self.failures:
                if is_named([name], failure.name, failure.distribution):
                    raise PluginError(failure.sentence(), place, failure.remedy)
            for left in self.left_out:
                if is_named([name], left.name, left.distribution):
                    raise PluginError(left.sentence(), place, left.remedy)
            if not any(is_named([name], one.name, one.origin.distribution) for one in self.plugins):
                theirs = [one for one in self.plugins if not one.is_ours]
                near = nearest(name, {one.name for one in theirs} | {one.origin.distribution for one in theirs} - {""})
                remedy = (f"did you mean {near!r}? else " if near else "") + f"pip install {name}"
                raise PluginError(f"the plugin {name!r} is not installed", place, remedy)

    def _find(self, kind: str, name: str) -> Any:
        if (kind, name) in self.components:
            return self.components[kind, name].value
        for cause, remedy in self._missing(kind, name):
            raise PluginError(cause, "", remedy)
        wrong = unknown(kind, name, self.names(kind))
        if any(not one.component for one in self.failures):
            broken = ", ".join(sorted({one.name for one in self.failures}))
            wrong.remedy += f" (not loaded: {broken}; see vlpbench plugins doctor)"
        raise wrong

    def _missing(self, kind: str, name: str) -> Iterator[tuple[str, str]]:
        """Why a component is not there although a plugin would bring it, and the remedy; what is said first counts."""
        for failure in self.failures:
            if failure.concerns(kind, name):
                yield f"{kind} {name!r} is not there: {failure.sentence()}", failure.remedy
        for left in self.left_out:
            if name in left.provides:
                yield f"{kind} {name!r} is not there: {left.sentence()}", left.remedy

    def known(self) -> Known:
        """The names and config classes, as the reader of grid files wants them."""
        classes = {
            kind: {name: self.components[kind, name].value.config_class for name in self.names(kind)}
            for kind in ("objective", "trunk", "data set")
        }
        absent: list[Failure | LeftOut] = [*self.failures, *self.left_out]
        seeming = {name for one in absent for name in one.provides}
        broken = {
            (kind, name): why for name in seeming for kind in KINDS.values()
            for why in [next(self._missing(kind, name), None)] if why is not None
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
                warn(f"plugin {name!r}: vlpbench_cell_finished raised {said(wrong)}")
