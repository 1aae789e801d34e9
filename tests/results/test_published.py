"""Published numbers: those asked for, as precise as the paper."""

from __future__ import annotations

from vlpbench.results.grid_order import GridOrder
from vlpbench.results.published import decimals_of, published_by_column

ROWS = {"a": {"vqa.accuracy": 67.43, "captioning@zero-shot.CIDEr": 32.2}, "b": {"vqa.accuracy": 49.7}}


def test_by_column() -> None:
    order = GridOrder("g", tasks=("vqa",), published=ROWS)
    assert published_by_column([order], None) == {("vqa", "accuracy"): {("g", "a"): 67.43, ("g", "b"): 49.7}}
    assert published_by_column([order], ["CIDEr"]) == {}
    of_any_task = published_by_column([GridOrder("g", published=ROWS)], ["CIDEr"])
    assert of_any_task == {("captioning@zero-shot", "CIDEr"): {("g", "a"): 32.2}}


def test_records_fill_in_what_the_grids_file_does_not_say() -> None:
    records = [{"row": "a", "published": {"vqa.accuracy": 1.0}}, {"row": "c", "published": {"vqa.accuracy": 2.0}}]
    order = GridOrder("g", published=ROWS).with_published([*records, {"row": "d", "published": {}}])
    assert order.published == {**ROWS, "c": {"vqa.accuracy": 2.0}}


def test_as_many_decimals_as_the_most_precise() -> None:
    assert decimals_of([67.43, 49.7]) == 2
    assert decimals_of([60.0]) == decimals_of([]) == 0
