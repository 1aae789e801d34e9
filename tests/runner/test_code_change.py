"""Which components were changed, and one warning for each, whatever number of cells it befalls."""

from __future__ import annotations

from vlpbench.runner.code_change import changed, sentence, sentences

CODE = {"objective x": "1", "stem conv3": "2", "vlpbench/training": "3"}
VERSIONS = {"objective x": 1, "stem": 4, "trunk": 1, "metrics": 7}


def test_equal_code_is_no_change():
    assert changed(CODE, dict(reversed(CODE.items()))) == []


def test_what_differs_and_what_was_not_recorded_is_named():
    now = {**CODE, "vlpbench/training": "other", "objective x": "other", "vlpbench/new": "5"}
    assert changed(CODE, now) == ["objective x", "vlpbench/new", "vlpbench/training"]


def test_a_room_that_is_gone_is_no_change_of_what_is_there():
    assert changed({**CODE, "vlpbench/old": "9"}, CODE) == []


def test_a_record_from_before_code_was_kept_says_nothing():
    assert changed({}, CODE) == []


def test_a_sentence_names_component_cell_version_and_remedy():
    said = sentence("objective x", ["cell 'mine' seed 0"], VERSIONS)
    assert said == (
        "objective 'x' was changed since cell 'mine' seed 0 was run, but still says version 1: its numbers may be "
        "others (--on-code-change rerun runs it again, ignore is silent; raise `version` when numbers change)"
    )
    assert "stem 'conv3' was changed" in sentence("stem conv3", ["a"], VERSIONS)
    assert "still says version 4" in sentence("stem conv3", ["a"], VERSIONS)
    assert "data 'coco' was changed since a was run, but its version is the same" in sentence("data coco", ["a"], {})


def test_many_cells_share_one_sentence():
    said = sentence("objective x", ["a", "b", "a", "c", "d", "e"], VERSIONS)
    assert "since a, b, c and 2 more were run" in said
    assert "since a, b, c were run" in sentence("objective x", ["a", "b", "c"], VERSIONS)


def test_our_own_rooms_share_one_sentence_where_the_cells_are_the_same():
    found = {
        "vlpbench/training": ["a", "b"], "vlpbench/data": ["a", "b"], "vlpbench/tasks": ["b"],
        "objective x": ["a", "b"], "trunk t": ["a", "b"],
    }
    said = sentences(found, VERSIONS)
    assert [one.partition(" was changed since ")[0].partition(" were changed since ")[0] for one in said] == [
        "objective 'x'", "trunk 't'", "vlpbench/data, vlpbench/training", "vlpbench/tasks",
    ]
    assert "vlpbench/data, vlpbench/training were changed since a, b were run, but the versions" in said[2]
    assert sentences({}, VERSIONS) == []
