"""A scene graph: things with attributes at places, drawn at random, distinct where that is possible."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from vlpbench.data.worlds.words import Sorting
from vlpbench.streams import generator

if TYPE_CHECKING:
    import numpy as np

__all__ = ["Description", "Layout", "Scene", "Thing", "draw_scenes", "numbers_of_things", "stands"]

Description = frozenset[tuple[tuple[str, int], ...]]
"""What tells scenes apart in words: the attributes of each thing; boxes and handwriting are not part of it."""


@dataclass(frozen=True, slots=True)
class Thing:
    """One object of a scene."""

    attributes: Mapping[str, int]
    """Attribute name -> number of its value: "kind", "colour", "place" (the cell, row by row), and a world's own; a
    "size" decides the side of the box."""
    box: tuple[int, int, int, int]
    """x, y, width, height in pixels; the origin is the upper left corner (COCO's order)."""
    variant: int = 0
    """Which of the pictures of its kind is drawn: for digits, the number of the handwritten sample."""


@dataclass(frozen=True, slots=True)
class Scene:
    """One or more things, no two in the same place."""

    things: tuple[Thing, ...]
    """In no particular order."""

    @property
    def description(self) -> Description:
        """The attributes of all things, without order."""
        return frozenset(tuple(sorted(thing.attributes.items())) for thing in self.things)


def stands(one: Mapping[str, int], relation: int, other: Mapping[str, int], grid: int) -> bool:
    """Whether a thing of attributes `one` stands in `RELATIONS[relation]` to `other`, by the cells they stand in."""
    (row, column), (other_row, other_column) = divmod(one["place"], grid), divmod(other["place"], grid)
    return (column < other_column, column > other_column, row < other_row, row > other_row)[relation]


@dataclass(frozen=True)
class Layout:
    """What scenes of a world may look like."""

    size: int
    """Pixels a side of the picture."""
    grid: int
    """Cells a side; a thing stands in one cell."""
    fewest: int
    """Least number of things."""
    most: int
    """Largest number of things, at most grid * grid."""
    choices: Mapping[str, int]
    """Attribute name -> number of values, for every attribute but the place; drawn uniformly."""
    sides: Sequence[tuple[float, float]] = ((0.8, 1.0),)
    """Smallest and largest side of a thing, as shares of a cell's side; one pair for each value of "size"."""
    variants: Sequence[Sequence[int]] = field(default=())
    """For each value of "kind" the variants to draw from; empty where kinds have none."""
    sortings: Mapping[str, Sorting] = field(default_factory=dict)
    """Attributes that are not drawn but follow from those that are, by name."""

    def capacity(self, things: int) -> int:
        """How many scenes of that many things have different descriptions."""
        one: int = math.prod(self.choices.values())
        return math.comb(self.grid**2, things) * int(one**things)

    def drawn(self, things: int, rng: np.random.Generator) -> list[dict[str, int]]:
        """The attributes of that many things in different places."""
        places = rng.permutation(self.grid**2)[:things]
        values = {name: rng.integers(0, number, things) for name, number in self.choices.items()}
        return [
            self._with_sorts({**{name: int(column[i]) for name, column in values.items()}, "place": int(places[i])})
            for i in range(things)
        ]

    def _with_sorts(self, drawn: dict[str, int]) -> dict[str, int]:
        """The attributes of a thing with those that follow from them."""
        return drawn | {name: one.values[drawn[one.of]] for name, one in self.sortings.items()}

    def placed(self, attributes: Mapping[str, int], rng: np.random.Generator) -> Thing:
        """A thing of these attributes somewhere in its cell, of a random size and variant."""
        cell = self.size // self.grid
        shortest, longest = self.sides[attributes.get("size", 0)]
        least, largest = math.ceil(shortest * cell), math.floor(longest * cell)
        side = int(rng.integers(least, largest + 1))
        row, column = divmod(attributes["place"], self.grid)
        x = self.size * column // self.grid + int(rng.integers(0, cell - side + 1))
        y = self.size * row // self.grid + int(rng.integers(0, cell - side + 1))
        variant = 0
        if self.variants:
            pool = self.variants[attributes["kind"]]
            variant = pool[int(rng.integers(0, len(pool)))]
        return Thing(attributes, (x, y, side, side), variant)


def numbers_of_things(layout: Layout, scenes: int, distinct: bool) -> dict[int, int]:
    """How many of `scenes` have how many things: equal parts; if `distinct`, as far as distinct descriptions last."""
    numbers = range(layout.fewest, layout.most + 1)
    parts, left = {}, scenes
    for rank, n in enumerate(sorted(numbers, key=layout.capacity)):
        equal = left // (len(numbers) - rank)
        parts[n] = min(equal, layout.capacity(n)) if distinct else equal
        left -= parts[n]
    return parts


def draw_scenes(layout: Layout, scenes: int, seed: int, stream: str, distinct: bool) -> list[Scene]:
    """`scenes` scenes; if `distinct`, no two have the same description, unless there are not enough descriptions.

    Scene i is drawn from `generator(seed, stream, i)`, where need be again and again until it is a new one.
    """
    distinct = distinct and scenes <= sum(layout.capacity(n) for n in range(layout.fewest, layout.most + 1))
    parts = numbers_of_things(layout, scenes, distinct)
    numbers = [n for n in sorted(parts) for _ in range(parts[n])]
    order = generator(seed, f"{stream}/order").permutation(scenes)
    seen: set[Description] = set()
    result = []
    for i in range(scenes):
        rng = generator(seed, stream, i)
        while True:
            drawn = layout.drawn(numbers[order[i]], rng)
            description = frozenset(tuple(sorted(attributes.items())) for attributes in drawn)
            if not (distinct and description in seen):
                break
        seen.add(description)
        result.append(Scene(tuple(layout.placed(attributes, rng) for attributes in drawn)))
    return result
