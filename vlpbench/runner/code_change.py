"""Code that was changed under the same version: said by name, before what it left is used again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["changed", "sentence", "sentences"]

_SHOWN = 3
"""Cells that a sentence names; of more it gives the number."""


def changed(recorded: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """The components whose code is other than when it was recorded, or was not recorded; sorted.

    A record without any code is from before it was kept: nothing is known, and nothing is said.
    """
    if not recorded:
        return []
    return sorted(name for name in now if recorded.get(name) != now[name])


def sentence(component: str, what: Sequence[str], versions: Mapping[str, Any]) -> str:
    """One warning for a component whose code was changed under all that it lists.

    `component` is a name that `changed` gave, `what` those cells or stages, as a person would name them ("cell
    'prefix-lm' seed 0"), `versions` what the code says of itself (`Cell.versions`).
    """
    shown = list(dict.fromkeys(what))
    listed = ", ".join(shown[:_SHOWN]) + (f" and {len(shown) - _SHOWN} more" if len(shown) > _SHOWN else "")
    verb = "was" if len(shown) == 1 else "were"
    turned, its = ("were", "their") if ", " in component else ("was", "its")
    return (
        f"{_named(component)} {turned} changed since {listed} {verb} run, but {_version(component, versions)}: "
        f"{its} numbers may be others (--on-code-change rerun runs it again, ignore is silent; raise `version` when "
        "numbers change)"
    )


def sentences(found: Mapping[str, Sequence[str]], versions: Mapping[str, Any]) -> list[str]:
    """The warnings for all components, by name: for each the cells or stages it was changed under.

    Components of ours that were changed under the same cells share one: an upgrade or an edit touches several.
    """
    groups: dict[tuple[str, ...], list[str]] = {}
    for component, what in sorted(found.items()):
        ours = component.startswith("vlpbench/")
        groups.setdefault((*dict.fromkeys(what), "" if ours else component), []).append(component)
    return [sentence(", ".join(names), key[:-1], versions) for key, names in groups.items()]


def _named(component: str) -> str:
    """ "objective 'x'" for "objective x"; a room of ours as it is."""
    kind, _, name = component.partition(" ")
    return component if component.startswith("vlpbench/") else f"{kind} {name!r}"


def _version(component: str, versions: Mapping[str, Any]) -> str:
    """What the code says of its version, which was not raised."""
    if component.startswith("vlpbench/"):
        return "the versions of what it holds are the same"
    version = versions.get(component, versions.get(component.partition(" ")[0]))
    return "its version is the same" if version is None else f"still says version {version}"
