"""Scenes: within their layout, distinct while that is possible, and the same for the same seed."""

from __future__ import annotations

import itertools
from collections import Counter

import pytest

from vlpbench.data.worlds.scene import Layout, draw_scenes, numbers_of_things, stands
from vlpbench.data.worlds.words import Sorting


def layout(size: int = 32, grid: int = 2, fewest: int = 1, most: int = 2, **choices: int) -> Layout:
    return Layout(size, grid, fewest, most, choices or {"kind": 2, "colour": 2})


def test_capacity_counts_what_can_be_listed() -> None:
    two = layout()
    listed = {
        frozenset([(place, kind, colour), (other, kind_2, colour_2)])
        for place, other in itertools.permutations(range(4), 2)
        for kind, colour, kind_2, colour_2 in itertools.product(range(2), repeat=4)
    }
    assert two.capacity(2) == len(listed)
    assert two.capacity(1) == 4 * 2 * 2


@pytest.mark.parametrize(("size", "grid", "most"), [(32, 2, 2), (32, 3, 4), (128, 3, 9), (77, 3, 9), (45, 2, 4)])
def test_things_stay_in_their_cells_and_apart(size: int, grid: int, most: int) -> None:
    for scene in draw_scenes(layout(size, grid, 1, most, kind=10, colour=8), 60, seed=1, stream="x", distinct=True):
        places = [thing.attributes["place"] for thing in scene.things]
        assert len(set(places)) == len(places)
        for thing in scene.things:
            x, y, width, height = thing.box
            row, column = divmod(thing.attributes["place"], grid)
            assert size * column // grid <= x
            assert x + width <= size * (column + 1) // grid
            assert size * row // grid <= y
            assert y + height <= size * (row + 1) // grid
            assert width == height >= 8


def test_default_sides_are_13_to_16_pixels() -> None:
    scenes = draw_scenes(layout(kind=5, colour=5), 300, seed=0, stream="x", distinct=True)
    assert {thing.box[2] for scene in scenes for thing in scene.things} == {13, 14, 15, 16}


def test_scenes_are_distinct_as_long_as_descriptions_last() -> None:
    small = layout()
    all_of_them = small.capacity(1) + small.capacity(2)
    scenes = draw_scenes(small, all_of_them, seed=3, stream="x", distinct=True)
    assert len({scene.description for scene in scenes}) == all_of_them
    assert len(draw_scenes(small, all_of_them + 1, seed=3, stream="x", distinct=True)) == all_of_them + 1


def test_free_scenes_repeat_and_have_equal_numbers() -> None:
    scenes = draw_scenes(layout(), 100, seed=3, stream="x", distinct=False)
    assert Counter(len(scene.things) for scene in scenes) == {1: 50, 2: 50}
    assert len({scene.description for scene in scenes if len(scene.things) == 1}) <= 16


def test_numbers_of_things_are_equal_parts_as_far_as_they_last() -> None:
    assert numbers_of_things(layout(), 20, distinct=True) == {1: 10, 2: 10}
    assert numbers_of_things(layout(), 100, distinct=True) == {1: 16, 2: 84}, "16 scenes of one thing are different"
    assert numbers_of_things(layout(), 101, distinct=False) == {1: 50, 2: 51}
    assert numbers_of_things(layout(fewest=2, most=2), 7, distinct=True) == {2: 7}
    assert sum(numbers_of_things(layout(grid=3, most=9), 1001, distinct=True).values()) == 1001


def test_attributes_are_drawn_uniformly() -> None:
    scenes = draw_scenes(layout(kind=5, colour=5), 2000, seed=0, stream="x", distinct=True)
    for name, number in (("kind", 5), ("colour", 5), ("place", 4)):
        seen = Counter(thing.attributes[name] for scene in scenes for thing in scene.things)
        expected = sum(seen.values()) / number
        assert len(seen) == number
        assert all(abs(count - expected) < 0.15 * expected for count in seen.values())


def test_variants_come_from_the_pool_of_their_kind() -> None:
    pools = [[10, 11], [20, 21, 22]]
    made = Layout(32, 2, 1, 2, {"kind": 2, "colour": 3}, variants=pools)
    things = [thing for scene in draw_scenes(made, 80, seed=0, stream="x", distinct=True) for thing in scene.things]
    assert all(thing.variant in pools[thing.attributes["kind"]] for thing in things)
    assert {thing.variant for thing in things} == {10, 11, 20, 21, 22}


def test_seed_and_stream_decide_all() -> None:
    first = draw_scenes(layout(kind=5, colour=5), 50, seed=1, stream="x", distinct=True)
    assert first == draw_scenes(layout(kind=5, colour=5), 50, seed=1, stream="x", distinct=True)
    assert first != draw_scenes(layout(kind=5, colour=5), 50, seed=2, stream="x", distinct=True)
    assert first != draw_scenes(layout(kind=5, colour=5), 50, seed=1, stream="y", distinct=True)


def test_a_world_may_have_attributes_of_its_own() -> None:
    scenes = draw_scenes(layout(kind=3, colour=2, material=4), 100, seed=0, stream="x", distinct=True)
    assert {thing.attributes["material"] for scene in scenes for thing in scene.things} == {0, 1, 2, 3}


def test_what_follows_is_known_but_not_drawn() -> None:
    plain = layout(kind=3, colour=2)
    sorted_out = Layout(32, 2, 1, 2, {"kind": 3, "colour": 2}, sortings={"parity": Sorting("kind", (0, 1, 0), ())})
    assert sorted_out.capacity(2) == plain.capacity(2), "there are not more scenes"
    found = draw_scenes(sorted_out, 80, seed=0, stream="x", distinct=True)
    for one, other in zip(found, draw_scenes(plain, 80, seed=0, stream="x", distinct=True), strict=True):
        for thing, same in zip(one.things, other.things, strict=True):
            assert thing.attributes == {**same.attributes, "parity": (0, 1, 0)[same.attributes["kind"]]}
            assert thing.box == same.box


def test_a_size_decides_the_side() -> None:
    made = Layout(96, 3, 2, 4, {"kind": 2, "size": 2}, sides=((0.75, 1.0), (0.25, 0.5)))
    sides: dict[int, set[int]] = {0: set(), 1: set()}
    for scene in draw_scenes(made, 200, seed=0, stream="x", distinct=True):
        for thing in scene.things:
            sides[thing.attributes["size"]].add(thing.box[2])
    assert sides == {0: set(range(24, 33)), 1: set(range(8, 17))}


@pytest.mark.parametrize("grid", [2, 3])
def test_relations_are_about_columns_and_rows(grid: int) -> None:
    for one, other in itertools.product(range(grid**2), repeat=2):
        holds = [stands({"place": one}, n, {"place": other}, grid) for n in range(4)]
        x, y, u, v = one % grid, one // grid, other % grid, other // grid
        assert holds == [x < u, x > u, y < v, y > v]
        assert any(holds) == (one != other)
        back = [stands({"place": other}, n, {"place": one}, grid) for n in range(4)]
        assert back == [holds[1], holds[0], holds[3], holds[2]]
