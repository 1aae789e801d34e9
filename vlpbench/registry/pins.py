"""Whether the distribution of a plugin was made for this vlpbench, as its own metadata say it."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, requires

from vlpbench import __version__
from vlpbench.registry.switches import normal

__all__ = ["unsatisfied"]


def unsatisfied(distributions: Iterable[str], version: str = __version__) -> dict[str, str]:
    """Distribution -> what it asks of vlpbench ("vlpbench>=2"), for each that this `version` does not satisfy.

    What cannot be read is no complaint: pip has read it, too.
    """
    found = {}
    for name in dict.fromkeys(distributions):
        asked = [one for one in _requirements(name) if not _is_satisfied(one, version)]
        if asked:
            found[name] = asked[0]
    return found


def _requirements(name: str) -> list[str]:
    """What a distribution requires of vlpbench itself, each as it is written."""
    try:
        return [one for one in requires(name) or () if normal(one).startswith("vlpbench")]
    except PackageNotFoundError:
        return []


def _is_satisfied(requirement: str, version: str) -> bool:
    from packaging.requirements import InvalidRequirement, Requirement

    try:
        asked = Requirement(requirement)
    except InvalidRequirement:
        return True
    applies = normal(asked.name) == "vlpbench" and (asked.marker is None or asked.marker.evaluate({"extra": ""}))
    return not applies or asked.specifier.contains(version, prereleases=True)
