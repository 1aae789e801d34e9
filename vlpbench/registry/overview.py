"""Every plugin there is as one line of a list: loaded, failed, left out, or seen from outside without an import."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from vlpbench.registry.find import Source, built_in, chosen, installed, single_files
from vlpbench.registry.standing import Failure, LeftOut, Plugin
from vlpbench.registry.switches import allowed

if TYPE_CHECKING:
    from vlpbench.registry.catalogue import Registry

__all__ = ["Row", "opened", "unopened"]

Named = tuple[str, str]
"""Kind and name of a component."""


@dataclass(frozen=True)
class Row:
    """One plugin."""

    name: str
    """Name of the entry point, built-in module or file."""
    distribution: str
    """Installed distribution; "" for a single file."""
    version: str
    """Its version; "" for a single file."""
    status: str
    """ "loaded", "failed", "conflict" (its name is another's, too), "left out" or "not imported"."""
    api_version: int | None = None
    """The contract it was written for; None where that is not known."""
    brings: tuple[Named, ...] = ()
    """Kind and name of each component; where it was not imported, guesses from its files, some without a kind."""
    sha256: str = ""
    """The hash of its module's file, where it was loaded."""
    path: str = ""
    """Its module's file, where it was loaded."""
    hooks: tuple[str, ...] = ()
    """The hooks it implements, where it was imported."""
    is_ours: bool = False
    """Whether it is part of this package."""
    remarks: tuple[str, ...] = ()
    """What it did while it was loaded that it should not; who left it out."""
    failures: tuple[Failure, ...] = ()
    """Why it, or what it brings, cannot be used."""


def opened(registry: Registry) -> list[Row]:
    """All plugins after they were imported, strangers' first."""
    loaded = [_loaded(one, registry) for one in registry.plugins]
    whole = [one for one in registry.failures if not one.component]
    failed = [_failed(one) for one in whole]
    return _strangers_first([*loaded, *failed, *map(_left_out, registry.left_out)])


def _loaded(one: Plugin, registry: Registry) -> Row:
    mine = one.origin
    brings = tuple(
        key for key, component in registry.components.items()
        if (component.origin.plugin, component.origin.distribution) == (mine.plugin, mine.distribution)
    )
    failures = tuple(
        each for each in registry.failures
        if each.component and (each.name, each.distribution) == (mine.plugin, mine.distribution)
    )
    return Row(one.name, mine.distribution, mine.version, "loaded", one.api_version, brings, mine.sha256, one.path,
               one.hooks, one.is_ours, one.remarks, failures)


def _failed(one: Failure) -> Row:
    return Row(one.name, one.distribution, one.version, one.status, failures=(one,))


def _left_out(one: LeftOut) -> Row:
    return Row(one.name, one.distribution, one.version, "left out", remarks=(f"by {one.by}: {one.remedy}",))


def unopened(files: Sequence[Path], blocked: Collection[str]) -> list[Row]:
    """All plugins as metadata and files tell of them: nothing is imported, so nothing of theirs can go wrong."""
    kept, left_out = chosen(installed(), blocked, allowed())
    rows = [*map(_seen, [*built_in(), *kept, *single_files(files)]), *map(_left_out, left_out)]
    return _strangers_first(rows)


def _seen(one: Source) -> Row:
    if one.is_ours:
        return Row(one.name, one.distribution, one.version, "not imported", is_ours=True)
    found = one.guesses()
    apis = {guess.api_version for guess in found} - {None}
    brings = tuple((guess.kind, guess.name) for guess in found)
    return Row(one.name, one.distribution, one.version, "not imported", apis.pop() if len(apis) == 1 else None, brings)


def _strangers_first(rows: Sequence[Row]) -> list[Row]:
    """Strangers' in the order of distribution and name, then ours as they are."""
    theirs = sorted((one for one in rows if not one.is_ours), key=lambda one: (one.distribution, one.name))
    return [*theirs, *(one for one in rows if one.is_ours)]
