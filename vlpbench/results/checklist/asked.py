"""The lists of venues, by name."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

from vlpbench.errors import unknown
from vlpbench.registry import Registry
from vlpbench.results.checklist.acl import acl
from vlpbench.results.checklist.item import Item
from vlpbench.results.checklist.neurips import neurips
from vlpbench.results.checklist.study import Study, study_of

if TYPE_CHECKING:
    from vlpbench.results.frame import Results

__all__ = ["VENUES", "checklist"]

VENUES: Mapping[str, Callable[[Study], Iterator[Item]]] = {"neurips": neurips, "acl": acl}
"""Name -> the items of a venue's list."""


def checklist(results: Results, registry: Registry, venue: str = "all") -> list[Item]:
    """The items of one venue, or of "all"; each with what these records say, and what the author must."""
    if venue not in (*VENUES, "all"):
        raise unknown("venue", venue, [*VENUES, "all"])
    study = study_of(results, registry)
    return [item for name, items in VENUES.items() if venue in (name, "all") for item in items(study)]
