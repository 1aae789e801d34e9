"""The hooks of one plugin: registered with pluggy, and the mistakes that pluggy lets pass."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping
from typing import Any

import pluggy

from vlpbench import hookspecs
from vlpbench.config.problems import guess
from vlpbench.registry.standing import FILE_KINDS, KINDS, Unfit
from vlpbench.registry.switches import trace

__all__ = ["HOOKS", "call_hook", "check_hooks"]

HOOKS: Mapping[str, tuple[str, ...]] = {
    name: tuple(inspect.signature(spec).parameters)
    for name, spec in vars(hookspecs).items() if name.startswith("vlpbench_")
}
"""Every hook with its arguments."""


def check_hooks(manager: pluggy.PluginManager, plugin: Any, key: str) -> list[pluggy.HookCaller]:
    """Register a plugin and return the hooks it implements; Unfit for what would otherwise be ignored in silence."""
    if inspect.isclass(plugin):
        remedy = "point it at a module, or at an instance of the class"
        raise Unfit(f"its entry point is the class {plugin.__name__}", remedy)
    _check_marked(plugin)
    try:
        manager.register(plugin, name=key)
    except pluggy.PluginValidationError as wrong:
        raise Unfit(*_bad_signature(str(wrong))) from wrong
    except ValueError as wrong:
        raise Unfit(f"it is loaded twice: {wrong}", "give it one entry point") from wrong
    hooks = manager.get_hookcallers(plugin) or []
    for hook in hooks:
        if not hook.has_spec():
            raise Unfit(f"there is no hook {hook.name!r}", guess(hook.name, HOOKS))
        _check_defaults(hook, plugin)
    if not hooks:
        raise Unfit("it implements no hook of vlpbench", f"put @hookimpl over one of: {', '.join(sorted(HOOKS))}")
    return hooks


def _check_marked(plugin: Any) -> None:
    """Functions that look like hooks but carry no @hookimpl (or that of another project)."""
    for name in dir(plugin):
        if name.startswith("vlpbench_"):
            found = getattr(plugin, name)
            if inspect.isroutine(found) and not hasattr(found, f"{hookspecs.PROJECT}_impl"):
                raise Unfit(f"{name} is not marked as a hook", "put @hookimpl (from vlpbench.plugin) over it")


def _check_defaults(hook: pluggy.HookCaller, plugin: Any) -> None:
    for one in inspect.signature(_implementation(hook, plugin).function).parameters.values():
        if one.default is not inspect.Parameter.empty:
            cause = f"{hook.name}: argument {one.name!r} has a default, so it would never be given"
            raise Unfit(cause, "drop the default")


def _bad_signature(said: str) -> tuple[str, str]:
    """Pluggy's complaint about arguments that no hook has, with those it has."""
    hook = re.search(r"vlpbench_\w+", said)
    names = HOOKS.get(hook[0], ()) if hook else ()
    cause = " ".join(line.strip() for line in said.splitlines()[1:] if line.strip()) or said
    allowed = ", ".join(names) if names else "none"
    return f"{hook[0] if hook else 'a hook'} has a wrong signature: {cause}", f"arguments it may take: {allowed}"


def _implementation(hook: pluggy.HookCaller, plugin: Any) -> Any:
    return next(one for one in hook.get_hookimpls() if one.plugin is plugin)


def call_hook(hook: pluggy.HookCaller, plugin: Any, who: str, **arguments: Any) -> Any:
    """Call the hook of this one plugin alone, and check the shape of what a collecting hook returns."""
    one = _implementation(hook, plugin)
    trace(f"call {hook.name} of {who}")
    brought = one.function(*(arguments[name] for name in one.argnames))
    kind = KINDS.get(hook.name)  # an observer's hook brings nothing
    if kind in FILE_KINDS and not isinstance(brought, Mapping):
        raise Unfit(f"{hook.name} returned {_shown(brought)}", "return {name: path of a TOML file}")
    if kind is not None and kind not in FILE_KINDS and not isinstance(brought, list | tuple):
        raise Unfit(f"{hook.name} returned {_shown(brought)}", "return a list of classes")
    return brought


def _shown(value: Any) -> str:
    return f"the class {value.__name__}, not in a list" if isinstance(value, type) else repr(value)[:80]
