"""The hooks of one plugin: registered with pluggy, and the mistakes that pluggy lets pass."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping, Sequence
from typing import Any

import pluggy

from vlpbench import hookspecs
from vlpbench.config.problems import guess
from vlpbench.plugin import API_VERSION
from vlpbench.registry.checks import check_api
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
    check_api(getattr(plugin, "api_version", API_VERSION), "it")
    _check_marked(plugin)
    try:
        manager.register(plugin, name=key)
    except pluggy.PluginValidationError as wrong:
        raise Unfit(*_bad_signature(str(wrong))) from wrong
    except ValueError as wrong:
        raise Unfit(f"it is loaded twice: {wrong}", "give it one entry point") from wrong
    hooks = []
    for hook in manager.get_hookcallers(plugin) or []:
        mine = [one for one in hook.get_hookimpls() if one.plugin is plugin]
        if hook.has_spec():
            _check_implementation(hook.name, mine)
            hooks.append(hook)
        elif not all(one.optionalhook for one in mine):
            raise Unfit(f"there is no hook {hook.name!r}", guess(hook.name, HOOKS))
    if not hooks:
        raise Unfit("it implements no hook of vlpbench", f"put @hookimpl over one of: {', '.join(sorted(HOOKS))}")
    return hooks


def _check_marked(plugin: Any) -> None:
    """Functions that look like hooks but carry no @hookimpl (or that of another project)."""
    for name in dir(plugin):
        if name.startswith("vlpbench_"):
            found = inspect.getattr_static(plugin, name)
            if inspect.isroutine(found) and not hasattr(found, f"{hookspecs.PROJECT}_impl"):
                raise Unfit(f"{name} is not marked as a hook", "put @hookimpl (from vlpbench.plugin) over it")


def _check_implementation(name: str, mine: Sequence[pluggy.HookImpl]) -> None:
    """A hook is one plain function, whose arguments are given by name."""
    function, *more = [one.function for one in mine]
    if more:
        raise Unfit(f"{name} is implemented {len(mine)} times", "write one function that returns all")
    if mine[0].hookwrapper or mine[0].wrapper:
        raise Unfit(f"{name} is a hook wrapper, which would never be called", "write @hookimpl without arguments")
    if inspect.iscoroutinefunction(function):
        raise Unfit(f"{name} is an async function, which nobody awaits", "write def instead of async def")
    for one in inspect.signature(function).parameters.values():
        if one.default is not inspect.Parameter.empty:
            cause = f"{name}: argument {one.name!r} has a default, so it would never be given"
            raise Unfit(cause, "drop the default")
        if one.kind in (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD):
            remedy = f"name those it uses: {', '.join(HOOKS[name]) or 'it has none'}"
            raise Unfit(f"{name}: what {str(one)!r} stands for would never be given", remedy)


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
        nothing = ": does it lack its return?" if brought is None else ""
        raise Unfit(f"{hook.name} returned {_shown(brought)}{nothing}", "return a list of classes")
    return brought


def _shown(value: Any) -> str:
    if inspect.isgenerator(value):
        return "a generator (it has a yield in it)"
    return f"the class {value.__name__}, not in a list" if isinstance(value, type) else repr(value)[:80]
