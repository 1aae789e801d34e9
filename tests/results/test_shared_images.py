"""Images that were trained on and are tested on: how many, which kind, which rows."""

from __future__ import annotations

from typing import Any

from vlpbench.results import load
from vlpbench.results.notes import gap_notes

FOUND = {"exact": 10, "near": 2, "of": 500, "first": [["coco: a.jpg", "web: b.jpg"], ["coco: c.jpg", "web: d.jpg"]]}
NONE = {"exact": 0, "near": 0, "of": 50, "first": []}


def told(grid: Any) -> list[str]:
    return [line for line in gap_notes(load(grid.folder)) if "what was trained on" in line]


def done(grid: Any, row: str, **sets: Any) -> None:
    grid.done(row, 0, {"accuracy": 1.0}, scores={"overlap": sets})


def test_what_was_found_is_counted_and_named(grid: Any) -> None:
    for row in "ab":
        done(grid, row, coco=FOUND)
    (line,) = told(grid)
    assert line == (
        "12 of 500 test images of coco are also in what was trained on "
        "(10 the same file, 2 near copies; first: coco: a.jpg = web: b.jpg)"
    )


def test_one_image_is_one_image(grid: Any) -> None:
    done(grid, "a", coco={"exact": 0, "near": 1, "of": 500, "first": []})
    assert told(grid) == [
        "1 of 500 test images of coco is also in what was trained on (0 the same file, 1 near copy)"
    ]


def test_sets_without_any_share_a_line(grid: Any) -> None:
    for row in "ab":
        done(grid, row, coco=NONE, flickr=NONE)
    assert told(grid) == ["no test image of coco or flickr was found in what was trained on"]


def test_rows_are_named_where_they_differ(grid: Any) -> None:
    done(grid, "a", coco=FOUND)
    done(grid, "b", coco={**FOUND, "near": 3})
    done(grid, "c", coco=NONE)
    first, second, third = told(grid)
    assert first.endswith("(rows: a)") and second.endswith("(rows: b)") and third.startswith("no test image of coco")
    assert third.endswith("(rows: c)")


def test_what_is_found_in_some_rows_and_not_in_others_names_both(grid: Any) -> None:
    done(grid, "a", coco=FOUND)
    done(grid, "b", coco=NONE)
    first, second = told(grid)
    assert first.endswith("(rows: a)") and second.endswith("(rows: b)")


def test_the_split_is_that_of_the_cell_and_nothing_compared_is_nothing_said(grid: Any) -> None:
    grid.done("a", 0, {"accuracy": 1.0}, scores={"overlap": {"coco": NONE}}, settings={"split": "val"})
    assert told(grid) == ["no val image of coco was found in what was trained on"]
    grid.done("b", 0, {"accuracy": 1.0})
    assert len(told(grid)) == 1
