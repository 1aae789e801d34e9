from __future__ import annotations

import json
import os

import pytest

from vlpbench.errors import UserError
from vlpbench.scoring.documents import doubled, first_few, listed, placed, read_document, rows_of


@pytest.mark.parametrize(
    ("text", "cause", "remedy"),
    [
        ("", "x.json is empty", "write the file again"),
        ('[{"a": 1}, {"a"', "ends too early", "not whole"),
        ('{"a": 1}\n{"a": 2}\n', "not JSON: Extra data", "one object a line"),
        ("[1, }", "not JSON", "correct the file"),
    ],
)
def test_what_is_not_json_is_said_with_line_and_column(write, text, cause, remedy):
    with pytest.raises(UserError, match=cause) as wrong:
        read_document("--predictions", write("x.json", text))
    assert remedy in wrong.value.remedy
    assert "--predictions" in wrong.value.place and "line" in wrong.value.place


def test_a_byte_order_mark_is_no_fault(tmp_path):
    path = tmp_path / "x.json"
    path.write_bytes(b"\xef\xbb\xbf[1]")
    assert read_document("--predictions", path).value == [1]


def test_missing_files_folders_and_pickles(tmp_path):
    (tmp_path / "results.json").write_text("[]")
    with pytest.raises(UserError, match="does not exist") as wrong:
        read_document("--predictions", tmp_path / "result.json")
    assert "results.json" in wrong.value.remedy
    with pytest.raises(UserError, match="a folder"):
        read_document("--predictions", tmp_path)
    (tmp_path / "p.json").write_bytes(b"\x80\x04\x95")
    with pytest.raises(UserError, match="not text in UTF-8"):
        read_document("--predictions", tmp_path / "p.json")


@pytest.mark.parametrize("name", ["x" * 300, "x" * 300 + "/p.json", "a.json/p.json"])
def test_paths_that_the_system_refuses_to_look_at(tmp_path, name):
    """As it does in a folder without right of entry: asking whether it is a folder fails then, too."""
    (tmp_path / "a.json").write_text("[]")
    with pytest.raises(UserError, match=r"cannot be read: (File name too long|Not a directory)") as wrong:
        read_document("--predictions", tmp_path / name)
    assert wrong.value.place == f"--predictions {tmp_path / name}"


@pytest.mark.skipif(os.geteuid() == 0, reason="no folder is closed to root")
def test_a_folder_without_right_of_entry(tmp_path):
    (tmp_path / "closed").mkdir()
    (tmp_path / "closed").chmod(0)
    try:
        with pytest.raises(UserError, match="cannot be read: Permission denied"):
            read_document("--predictions", tmp_path / "closed" / "p.json")
    finally:
        (tmp_path / "closed").chmod(0o700)


def test_nesting_without_end_is_an_error(write):
    with pytest.raises(UserError, match=r"deep\.json"):
        read_document("--predictions", write("deep.json", "[" * 200_000))


def test_columns_count_and_name_rows_without_a_key(document):
    rows = rows_of(document([{"anwser": "x"}] * 7), "prediction", [{"answer": "x"}, *[{"anwser": "x"}] * 7])
    with pytest.raises(UserError) as wrong:
        rows.column("answer", lambda value: None)
    assert wrong.value.cause == "in 7 of 8 predictions 'answer' is missing: number 2, 3, 4, 5, 6, ..."
    assert wrong.value.remedy.startswith("did you mean its key 'anwser'?")


def test_another_official_key_is_no_misspelling(document):
    rows = rows_of(document([]), "annotation", [{"answer_type": "other"}])
    with pytest.raises(UserError) as wrong:
        rows.column("answers", lambda value: None)
    assert "did you mean" not in wrong.value.remedy and "answer_type" in wrong.value.remedy


def test_wrong_values_are_counted(document):
    rows = rows_of(document([]), "prediction", [{"answer": "x"}, {"answer": 3}])
    with pytest.raises(UserError, match="in 1 of 2 predictions 'answer' is a number: number 2"):
        rows.column("answer", lambda value: "is a number" if value == 3 else None)


@pytest.mark.parametrize(
    ("value", "cause"),
    [({}, "an object, not a list"), ([], "is empty"), ([{}, 3], "a number stands in the place"), (None, "null, not")],
)
def test_rows_are_a_list_of_objects(document, value, cause):
    with pytest.raises(UserError, match=cause):
        rows_of(document(value), "prediction", value)


def test_listed_takes_the_list_or_the_object_around_it(document):
    assert listed(document([1]), "annotations") == listed(document({"annotations": [1]}), "annotations") == [1]
    with pytest.raises(UserError, match="has no 'annotations'") as wrong:
        listed(document({"annotation": []}), "annotations")
    assert "did you mean its key 'annotation'?" in wrong.value.remedy


def test_few_are_named_and_doubled_ones_found():
    assert first_few(range(5)) == "0, 1, 2, 3, 4"
    assert first_few(iter(range(6))) == "0, 1, 2, 3, 4, ..."
    assert doubled([3, "3", 3, 4, 3]) == [2, 4]


def test_an_error_without_place_gets_one():
    with pytest.raises(UserError) as wrong, placed("--scores s.npy"):
        raise UserError("bad", remedy="mend it")
    assert (wrong.value.place, wrong.value.remedy) == ("--scores s.npy", "mend it")
    with pytest.raises(UserError) as wrong, placed("--scores s.npy"):
        raise UserError("bad", "here")
    assert wrong.value.place == "here"


def test_json_of_any_top_level_is_read(write):
    assert read_document("--predictions", write("x.json", json.dumps("text"))).value == "text"
