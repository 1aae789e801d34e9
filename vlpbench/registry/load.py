"""Our own loop over plugins on pluggy: each is loaded alone, so that a broken one is a report and not a crash."""

from __future__ import annotations

import contextlib
import sys
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import pluggy

from vlpbench import hookspecs
from vlpbench.files import digest_file
from vlpbench.plugin import API_VERSION
from vlpbench.registry.catalogue import Component, Registry
from vlpbench.registry.checks import check_component, check_file
from vlpbench.registry.code import code_of_class
from vlpbench.registry.explain import explain_import, said
from vlpbench.registry.find import Source, built_in, chosen, installed, single_files
from vlpbench.registry.frames import own_frames, place_of, whole
from vlpbench.registry.hooks import call_hook, check_hooks
from vlpbench.registry.settle import settled
from vlpbench.registry.standing import FILE_KINDS, KINDS, Failure, Origin, Plugin, PluginError, Unfit
from vlpbench.registry.switches import STRICT, allowed, is_strict, trace
from vlpbench.registry.undisturbed import kept_apart

__all__ = ["load_registry"]

_TELL = "tell its author; `vlpbench plugins doctor` shows where it fails"


def load_registry(files: Sequence[Path] = (), blocked: Collection[str] = ()) -> Registry:
    """Load our own plugins, the installed ones and single `files`; what fails is in `.failures`.

    `blocked` names entry points or distributions that are left alone, as are those that the variable VLPBENCH_PLUGINS,
    where it is set, does not name. Raises nothing, but where VLPBENCH_STRICT_PLUGINS is set: PluginError if any failed.
    """
    kept, left_out = chosen(installed(), blocked, allowed())
    sources = [*built_in(), *kept, *single_files(files)]
    loader = _Loader()
    for source, rivals in _with_rivals(sources):
        if rivals:
            listed = " and ".join(one.who for one in sorted([source, *rivals], key=lambda one: one.who))
            cause = f"the entry point name {source.name!r} is taken by {listed}: neither is loaded"
            remedy = f"pip uninstall {source.distribution}, or leave it out: --no-plugin {source.distribution}"
            loader.fail(source, Unfit(cause, remedy), status="conflict")
        else:
            loader.load(source)
    components = loader.settle()
    registry = Registry(
        components, tuple(loader.plugins), tuple(loader.failures), tuple(loader.observers),
        tuple(one.file for one in sources if one.file), tuple(blocked), tuple(left_out),
    )
    if is_strict():
        _refuse_any(registry.failures)
    return registry


def _refuse_any(failures: Sequence[Failure]) -> None:
    if failures:
        more = f" (and {len(failures) - 1} more: vlpbench plugins doctor)" if len(failures) > 1 else ""
        raise PluginError(failures[0].sentence() + more, f"--strict-plugins, or {STRICT}", failures[0].remedy)


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
        trace(f"import {source.name!r} ({source.who})")
        remarks: list[str] = []
        try:
            with kept_apart(remarks.append):
                plugin = source.load()
        except KeyboardInterrupt:
            raise
        except BaseException as wrong:  # noqa: BLE001 (a stranger's code may raise anything, or call sys.exit)
            self.fail(source, explain_import(wrong, source.file, source.distribution), wrong)
            return
        try:
            with kept_apart(remarks.append):
                hooks = check_hooks(self.manager, plugin, key)
                brought = [(hook.name, _told(hook, plugin, source)) for hook in hooks if hook.name in KINDS]
        except KeyboardInterrupt:
            raise
        except BaseException as wrong:  # noqa: BLE001
            with contextlib.suppress(ValueError, AssertionError):
                self.manager.unregister(name=key)
            self.fail(source, wrong, wrong.__cause__ or wrong)
            return
        names = tuple(sorted(one.name for one in hooks))
        path, told = str(source.path() or ""), tuple(dict.fromkeys(remarks))
        self.plugins.append(Plugin(source.name, source.origin(), names, API_VERSION, source.is_ours, path, told))
        for name, items in brought:
            self._take(KINDS[name], items, source)
        self._watch(hooks, plugin, source)

    def _watch(self, hooks: Iterable[Any], plugin: Any, source: Source) -> None:
        for hook in hooks:
            if hook.name == "vlpbench_cell_finished":
                self.observers.append((
                    source.name, lambda record, hook=hook: call_hook(hook, plugin, source.who, record=record)
                ))

    def _take(self, kind: str, items: Any, source: Source) -> None:
        """Keep the components of one hook that are fit; report each of the others."""
        pairs = items.items() if kind in FILE_KINDS else [(_name_of(cls), cls) for cls in items]
        for name, value in pairs:
            try:
                component = _file(kind, name, value, source) if kind in FILE_KINDS else _class(kind, value, source)
            except (Exception, SystemExit) as wrong:  # noqa: BLE001 (class attributes of a stranger)
                self.fail(source, wrong, wrong.__cause__ or wrong, (kind, str(name)), place=place_of(value))
            else:
                self.found.append((component, source))

    def fail(
        self, source: Source, wrong: BaseException, raised: BaseException | None = None,
        component: tuple[str, str] | None = None, status: Literal["failed", "conflict"] = "failed", place: str = "",
    ) -> None:
        """Remember that a source, or one component of it (kind and name), cannot be used."""
        kind, name = component or ("", "")
        self.failures.append(Failure(
            source.name, source.distribution, source.version,
            cause=str(wrong) if isinstance(wrong, Unfit) else said(wrong),
            remedy=getattr(wrong, "remedy", "") if isinstance(wrong, Unfit) else _TELL,
            traceback=whole(raised) if raised is not None else "",
            frames=own_frames(raised, source.home()) if raised is not None else "",
            component=f"{kind} {name!r}" if component else "", provides=(name,) if component else source.provides(),
            place=place, kind=kind, status=status, asked=source.file is not None,
        ))

    def settle(self) -> Mapping[tuple[str, str], Component]:
        """What was found, with collisions of names taken out."""
        named: dict[tuple[str, str], list[tuple[Component, Source]]] = defaultdict(list)
        for component, source in self.found:
            named[component.kind, component.name].append((component, source))
        kept = {}
        for key, rivals in named.items():
            winner, refused = settled(rivals)
            if winner is not None:
                kept[key] = winner
            for source, wrong in refused:
                self.fail(source, wrong, component=key, status="conflict")
        return kept


def _told(hook: pluggy.HookCaller, plugin: Any, source: Source) -> Any:
    """What a collecting hook returns; Unfit if it raises."""
    try:
        return call_hook(hook, plugin, source.who)
    except Unfit:
        raise
    except (Exception, SystemExit) as wrong:
        raise Unfit(f"{hook.name} raised {said(wrong)}", _TELL) from wrong


def _class(kind: str, cls: Any, source: Source) -> Component:
    check_component(kind, cls)
    file = getattr(sys.modules.get(cls.__module__), "__file__", None)  # need not be the module with the hook
    sha256 = code_of_class(cls, source.distribution)
    origin = Origin(source.name, source.distribution, source.version, Path(file).name if file else "", sha256)
    return Component(kind, cls.name, cls, origin)


def _file(kind: str, name: Any, path: Any, source: Source) -> Component:
    check_file(kind, name, path)
    origin = Origin(source.name, source.distribution, source.version, Path(path).name, digest_file(Path(path)))
    return Component(kind, name, Path(path), origin)


def _name_of(cls: Any) -> str:
    try:
        name = getattr(cls, "name", None)
    except Exception:  # noqa: BLE001 (a stranger's metaclass)
        name = None
    return name if isinstance(name, str) else getattr(cls, "__name__", type(cls).__name__)
