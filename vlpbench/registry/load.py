"""Our own loop over plugins on pluggy: each is loaded alone, so that a broken one is a report and not a crash."""

from __future__ import annotations

import contextlib
import dataclasses
import sys
import traceback
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pluggy

from vlpbench import hookspecs
from vlpbench.contract.sealed import sealed
from vlpbench.files import digest_file
from vlpbench.registry.catalogue import FILE_KINDS, KINDS, Component, Failure, Origin, Plugin, Registry
from vlpbench.registry.checks import Unfit, check_component
from vlpbench.registry.code import code_of_class
from vlpbench.registry.explain import explain_import
from vlpbench.registry.find import Source, built_in, installed, single_files
from vlpbench.registry.hooks import call_hook, check_hooks

__all__ = ["load_registry"]


def load_registry(files: Sequence[Path] = (), blocked: Collection[str] = ()) -> Registry:
    """Load our own plugins, the installed ones and single `files`; what fails is in `.failures`, never raised.

    `blocked` names entry points or distributions that are left alone.
    """
    sources = [*built_in(), *installed(blocked), *single_files(files)]
    loader = _Loader()
    for source, rivals in _with_rivals(sources):
        if rivals:
            listed = " and ".join(f"{one.distribution} {one.version}" for one in [source, *rivals])
            cause = f"the entry point name {source.name!r} is taken by {listed}: neither is loaded"
            loader.fail(source, Unfit(cause, f"uninstall one: pip uninstall {source.distribution}"))
        else:
            loader.load(source)
    named = tuple(one.file for one in sources if one.file)
    return dataclasses.replace(loader.registry(), files=named, blocked=tuple(blocked))


def _with_rivals(sources: Iterable[Source]) -> list[tuple[Source, list[Source]]]:
    """Each source with the others that have its entry point name."""
    sources = list(sources)
    named: dict[str, list[Source]] = defaultdict(list)
    for source in sources:
        if not source.is_ours and source.file is None:
            named[source.name].append(source)
    return [(source, [one for one in named.get(source.name, []) if one is not source]) for source in sources]


class _Loader:
    """Collects what loads and what does not."""

    def __init__(self) -> None:
        self.manager = pluggy.PluginManager(hookspecs.PROJECT)
        self.manager.add_hookspecs(hookspecs)
        self.found: list[tuple[Component, Source]] = []
        self.plugins: list[Plugin] = []
        self.failures: list[Failure] = []
        self.observers: list[tuple[str, Callable[..., None]]] = []

    def load(self, source: Source) -> None:
        """Import one plugin, check its hooks, take what they return."""
        key = f"{source.distribution}/{source.name}"
        try:
            with contextlib.redirect_stdout(sys.stderr), sealed("loading a plugin"):
                plugin = source.load()
        except KeyboardInterrupt:
            raise
        except BaseException as wrong:  # noqa: BLE001 (a stranger's code may raise anything, or call sys.exit)
            self.fail(source, explain_import(wrong, source.file, source.distribution), wrong)
            return
        try:
            with contextlib.redirect_stdout(sys.stderr):
                hooks = check_hooks(self.manager, plugin, key)
                brought = [(hook.name, call_hook(hook, plugin)) for hook in hooks if hook.name in KINDS]
        except KeyboardInterrupt:
            raise
        except BaseException as wrong:  # noqa: BLE001
            with contextlib.suppress(ValueError, AssertionError):
                self.manager.unregister(name=key)
            self.fail(source, wrong, wrong)
            return
        self.plugins.append(Plugin(source.name, source.origin(), tuple(sorted(one.name for one in hooks))))
        for name, items in brought:
            self._take(KINDS[name], items, source)
        self._watch(hooks, plugin, source)

    def _watch(self, hooks: Iterable[Any], plugin: Any, source: Source) -> None:
        for hook in hooks:
            if hook.name == "vlpbench_cell_finished":
                self.observers.append((source.name, lambda record, hook=hook: call_hook(hook, plugin, record=record)))

    def _take(self, kind: str, items: Any, source: Source) -> None:
        """Keep the components of one hook that are fit; report each of the others."""
        if kind in FILE_KINDS:
            self._take_files(kind, items, source)
            return
        for cls in items:
            try:
                check_component(kind, cls)
            except Exception as wrong:  # noqa: BLE001 (class attributes of a stranger)
                self.fail(source, wrong, wrong, f"{kind} {_name_of(cls)!r}", _name_of(cls))
            else:
                self.found.append((Component(kind, cls.name, cls, _origin(source, cls)), source))

    def _take_files(self, kind: str, items: Mapping[Any, Any], source: Source) -> None:
        for name, path in items.items():
            if not (isinstance(name, str) and isinstance(path, str | Path) and Path(path).is_file()):
                wrong = Unfit(f"{kind} {name!r}: there is no file {path}", "return {name: path of a TOML file}")
                self.fail(source, wrong, component=f"{kind} {name!r}", name=str(name))
            else:
                component = Component(kind, name, Path(path), _from_file(source, Path(path)))
                self.found.append((component, source))

    def fail(
        self, source: Source, wrong: BaseException, raised: BaseException | None = None,
        component: str = "", name: str = "",
    ) -> None:
        """Remember that a source, or one component of it, cannot be used."""
        is_known = isinstance(wrong, Unfit)
        cause = str(wrong) if is_known else f"{type(wrong).__name__}: {wrong}"
        remedy = getattr(wrong, "remedy", "") or "tell its author; `vlpbench -v plugins list` shows where it fails"
        text = "".join(traceback.format_exception(raised)) if raised is not None else ""
        provides = (name,) if component else source.provides()
        self.failures.append(Failure(
            source.name, source.distribution, source.version, cause, remedy, text, component, provides,
            asked=source.file is not None,
        ))

    def registry(self) -> Registry:
        """What was found, with collisions of names taken out."""
        named: dict[tuple[str, str], list[tuple[Component, Source]]] = defaultdict(list)
        for component, source in self.found:
            named[component.kind, component.name].append((component, source))
        kept = {}
        for key, rivals in named.items():
            winner = self._settle(rivals)
            if winner is not None:
                kept[key] = winner
        return Registry(kept, tuple(self.plugins), tuple(self.failures), tuple(self.observers))

    def _settle(self, rivals: Sequence[tuple[Component, Source]]) -> Component | None:
        """The one component of a name; a built-in one stays, of strangers with one name none does."""
        first = rivals[0][0]
        if all(one.value is first.value for one, _ in rivals):
            return first
        ours = [one for one, source in rivals if source.is_ours]
        listed = " and ".join(str(one.origin) for one, _ in rivals)
        what = f"{first.kind} {first.name!r}"
        for _component, source in rivals:
            if not (source.is_ours and len(ours) == 1):
                kept = "the built-in one is kept" if ours else "none is used"
                wrong = Unfit(f"the name {what} is taken by {listed}: {kept}", "rename it, or uninstall one of the two")
                self.fail(source, wrong, component=what, name=first.name)
        return ours[0] if len(ours) == 1 else None


def _name_of(cls: Any) -> str:
    name = getattr(cls, "name", None)
    return name if isinstance(name, str) else getattr(cls, "__name__", type(cls).__name__)


def _origin(source: Source, cls: type) -> Origin:
    """Where a class comes from: its own module, which need not be the one with the hook, and the hash of its code."""
    file = getattr(sys.modules.get(cls.__module__), "__file__", None)
    name = Path(file).name if file else ""
    return Origin(source.name, source.distribution, source.version, name, code_of_class(cls, source.distribution))


def _from_file(source: Source, path: Path) -> Origin:
    return Origin(source.name, source.distribution, source.version, path.name, digest_file(path))
