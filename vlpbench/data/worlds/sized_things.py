"""How things with a kind, a colour, a size and a place are described: what the worlds `shapes` and `signs` share."""

from __future__ import annotations

from collections.abc import Mapping

from vlpbench.data.worlds.words import Link, Words

__all__ = ["LINKS", "PHRASES", "SHAPE_SYNONYMS", "SIDES", "SIZES"]

SHAPE_SYNONYMS: Mapping[str, tuple[str, ...]] = {"circle": ("disc",), "cross": ("plus",), "ring": ("hoop",)}
"""Other words for shapes, where there are any."""

SIZES: Words = (("large", "big"), ("small", "little"))

SIDES = ((0.85, 1.0), (0.55, 0.65))
"""Least and largest side of a large and of a small thing, as shares of a cell's side."""

PHRASES = (
    "a {size} {colour} {kind} at the {place}",
    "at the {place} a {size} {colour} {kind}",
    "a {size} {kind} in {colour} at the {place}",
    "at the {place} a {size} {kind} in {colour}",
    "the {place} has a {size} {colour} {kind}",
)
"""Ways to describe one thing in full."""

LINKS = (
    Link("the {size} {colour} {kind} at the {place}", "{subject} is {others}"),
    Link("a {size} {colour} {kind} at the {place}", "{others} is {subject}"),
)
"""Ways to describe all things by their relations."""
