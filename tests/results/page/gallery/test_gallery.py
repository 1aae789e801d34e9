"""What a gallery holds: the examples drawn, and what each row and seed said of them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from vlpbench.records.compact import write_compact
from vlpbench.registry import Registry, load_registry
from vlpbench.results import load
from vlpbench.results.page.gallery import gallery


@pytest.fixture(scope="module")
def registry() -> Registry:
    return load_registry()


def sections(mini: Any, registry: Registry, most: int = 60) -> dict[str, Any]:
    """Task -> section; all of it is JSON."""
    found = gallery(load(mini.results), most, lambda: registry)
    json.dumps(found, allow_nan=False)
    return {one["task"]: one for one in found["sections"]}


def by_id(section: dict[str, Any]) -> dict[str, Any]:
    return {one["id"]: one for one in section["examples"]}


def test_rows_seeds_and_answers(asked: Any, registry: Registry) -> None:
    vqa = sections(asked, registry)["vqa"]
    assert [(row["name"], row["blind"]) for row in vqa["rows"]] == [
        ("one", False), ("two", False), ("two, blind", True)
    ]
    assert (vqa["seeds"], vqa["of"], vqa["score"]) == ([0, 1], 6, "accuracy, %")
    assert (vqa["data"], vqa["split"]) == ("mini", "test")
    third = by_id(vqa)["30"]
    assert third["ask"] == "what is in picture 3" and third["truth"] == [["x", 9], ["z", 1]]
    assert third["said"] == [[["y", 0.25, 0.0]] * 2, [["x", 0.25, 100.0]] * 2, [["y", 0.25, 0.0]] * 2]
    assert by_id(vqa)["60"]["said"][1] == [["seed 0", 0.25, 0.0], ["seed 1", 0.25, 0.0]]


def test_captions_are_printed_times_100_and_a_row_that_cannot_be_asked_says_why(asked: Any, registry: Registry) -> None:
    section = sections(asked, registry)["captioning"]
    assert section["score"] == "CIDEr ×100"
    assert [row["why"] for row in section["rows"]] == ["", "", "n/a: needs decode"]
    fourth = by_id(section)["4"]
    assert fourth["said"] == [[["one 4", None, 50.0]] * 2, [["two 4", None, 200.0]] * 2, [None, None]]
    assert fourth["truth"] == [["caption 0 of picture 4", 1], ["caption 1 of picture 4", 1]]


def test_what_queries_found_in_both_directions(asked: Any, registry: Registry) -> None:
    section = sections(asked, registry)["retrieval"]
    examples, found = by_id(section), section["found"]
    assert {one["way"] for one in section["examples"]} == {"image to text", "text to image"}
    assert section["examples"][0]["way"] != section["examples"][1]["way"], "in turn"
    place, items = examples["2"]["said"][1][0]
    assert place == 1.0 and [found[at]["text"] for at in items[:2]] == asked.texts[2] and len(items) == 5
    assert sorted(examples["2"]["right"]) == sorted(items[:2])
    place, items = examples["2/1"]["said"][0][1]
    assert place == 8.0 and not set(items) & set(examples["2/1"]["right"])
    assert examples["2/1"]["ask"] == "caption 1 of picture 2"
    assert all("picture" in found[at] for at in items)


def test_an_older_record_without_texts_takes_them_from_the_data_set(mini: Any, registry: Registry) -> None:
    rows = [{key: value for key, value in row.items() if key != "text"} for row in mini.retrieval()]
    mini.cell("one", 0, {"retrieval": rows})
    section = sections(mini, registry)["retrieval"]
    assert by_id(section)["3/1"]["ask"] == "caption 1 of picture 3"
    assert {"text": "caption 0 of picture 5"} in section["found"]


def test_pictures_are_kept_once(asked: Any, registry: Registry) -> None:
    found = gallery(load(asked.results), 60, lambda: registry)
    assert len(found["pictures"]) == 6 and all(one["src"].startswith("data:image/") for one in found["pictures"])
    used = [one["picture"] for section in found["sections"] for one in section["examples"]]
    assert set(used) == set(range(6))


def test_most_is_kept_and_the_same_draw_comes_again(asked: Any, registry: Registry) -> None:
    for most in (0, 1, 4):
        found = sections(asked, registry, most)
        assert all(len(one["examples"]) <= most for one in found.values())
        assert found == sections(asked, registry, most)
    assert gallery(load(asked.results), 0) == {"sections": [], "pictures": []}


def test_the_draw_by_chance_does_not_look_at_answers(asked: Any, mini: Any, registry: Registry) -> None:
    def by_chance() -> list[str]:
        return [one["id"] for one in sections(mini, registry, 3)["vqa"]["examples"] if one["drawn"] == "chance"]

    before = by_chance()
    mini.cell("three", 0, {"vqa": mini.vqa([4, 5, 6])})
    assert by_chance() == before and len(before) == 2


def test_a_place_goes_to_where_seeing_rows_differ(asked: Any, registry: Registry) -> None:
    section = sections(asked, registry, 3)["captioning"]
    differing = [one["id"] for one in section["examples"] if one["drawn"] == "differ"]
    by_chance = [one["id"] for one in section["examples"] if one["drawn"] == "chance"]
    assert differing == ["4"] or "4" in by_chance


def test_failed_cells_are_absent_and_lost_predictions_are_told_of(asked: Any, mini: Any, registry: Registry) -> None:
    mini.cell("four", 0, {"vqa": mini.vqa([1])}).fail("out of memory", {}, {})
    folder = mini.cell("five", 0, {"vqa": [{"question": "without an id"}]})
    assert folder.state() == "done"
    vqa = sections(mini, registry)["vqa"]
    assert [row["name"] for row in vqa["rows"]] == ["one", "two", "two, blind"]
    assert vqa["notes"] == ["five, seed 0: the record keeps no predictions that can be read"]


def test_compact_records_are_counted_and_said_where_there_is_nothing_else(mini: Any, registry: Registry) -> None:
    folders = [mini.cell(row, 0, {"vqa": mini.vqa([1])}) for row in ("one", "two")]
    write_compact(folders[0], folders[0].path, {"vqa": ["question_id", "accuracy"]})
    vqa = sections(mini, registry)["vqa"]
    assert [row["name"] for row in vqa["rows"]] == ["two"] and "1 of 2 cells are not shown: compact" in vqa["notes"][-1]
    write_compact(folders[1], folders[1].path, {"vqa": ["question_id", "accuracy"]})
    found = gallery(load(mini.results), 60, lambda: registry)
    assert found["sections"] == [] and "copied from" in found["empty"]


def test_another_data_set_is_another_section(asked: Any, mini: Any, registry: Registry) -> None:
    mini.cell("two", 2, {"vqa": mini.vqa([1])}, data="elsewhere")
    found = gallery(load(mini.results), 60, lambda: registry)
    assert [(one["task"], one["data"], one["seeds"]) for one in found["sections"]][:2] == [
        ("vqa", "mini", [0, 1]), ("vqa", "elsewhere", [2])
    ]
    (why,) = [one["why"] for one in found["pictures"] if "why" in one]
    assert "does not say where" in why


def test_questions_with_choices_classes_and_unknown_tasks(mini: Any, registry: Registry) -> None:
    chosen = [
        {"question_id": 10, "image_id": 1, "question": mini.questions[1], "answers": ["x"], "choices": ["x", "y"],
         "right_choice": "x", "prediction": "y", "scores": [0.1, 0.2], "multiple_choice": 0.0}
    ]
    classes = [{"image_id": 1, "image": "1.png", "label": "", "prediction": "cat", "cosine": 0.4, "accuracy": 0.0}]
    mini.tasks = ["vqa@choices", "classification@zero-shot", "juggling"]
    mini.cell("one", 0, {"vqa@choices": chosen, "classification@zero-shot": classes, "juggling": [{"a": 1}]})
    found = sections(mini, registry)
    assert list(found) == ["vqa@choices", "classification@zero-shot"]
    (one,) = found["vqa@choices"]["examples"]
    assert (one["choices"], one["truth"], one["said"]) == (["x", "y"], [["x", 1]], [[["y", None, 0.0]]])
    assert found["vqa@choices"]["score"] == "multiple choice, %"
    (other,) = found["classification@zero-shot"]["examples"]
    assert other["said"] == [[["cat", None, 0.0]]]


def test_two_grids_keep_their_sections(asked: Any, mini: Any, registry: Registry) -> None:
    first = mini.results
    mini.results, mini.cells, mini.rows = first.parent / "other", {}, []
    mini.cell("alone", 0, {"vqa": mini.vqa([2])})
    found = gallery(load(first, mini.results), 60, lambda: registry)["sections"]
    assert [(one["grid"], one["task"]) for one in found] == [
        ("small", "vqa"), ("small", "captioning"), ("small", "retrieval"), ("other", "vqa")
    ]
