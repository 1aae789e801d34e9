"""Annotation files as a whole: each way of being unreadable has its own error with place and remedy."""

from __future__ import annotations

from pathlib import Path

import pytest

from vlpbench.data.errors import DataError
from vlpbench.data.sources.json_file import read_json, rows, text_problem, unique_rows, whole_number


def fault(path: Path) -> DataError:
    with pytest.raises(DataError) as caught:
        read_json(path)
    return caught.value


def test_object_is_read_with_and_without_byte_order_mark(tmp_path):
    for start in (b"", b"\xef\xbb\xbf"):
        (tmp_path / "a.json").write_bytes(start + '{"ä": 1}'.encode())
        assert read_json(tmp_path / "a.json") == {"ä": 1}


def test_missing_file_names_the_nearest(tmp_path):
    (tmp_path / "captions_train.json").write_text("{}")
    error = fault(tmp_path / "caption_train.json")
    assert "does not exist" in error.cause
    assert "'captions_train.json'" in error.remedy


def test_missing_folder_names_the_nearest_folder(tmp_path):
    (tmp_path / "flickr8k").mkdir()
    error = fault(tmp_path / "flickr8" / "deep" / "a.json")
    assert error.cause == "'flickr8' does not exist"
    assert "'flickr8k'" in error.remedy


def test_missing_file_with_nothing_near(tmp_path):
    assert str(tmp_path) in fault(tmp_path / "a.json").remedy


def test_folder_in_place_of_a_file(tmp_path):
    (tmp_path / "a.json").mkdir()
    assert "cannot be read" in fault(tmp_path / "a.json").cause


@pytest.mark.parametrize("text", ['{"images": [{"id": 1}, {"i', '{"images": ', "", '{"a": "b'])
def test_cut_off_file(tmp_path, text):
    (tmp_path / "a.json").write_text(text)
    error = fault(tmp_path / "a.json")
    assert "ends too early" in error.cause
    assert "line 1, column" in error.place


def test_no_json_names_line_and_column(tmp_path):
    (tmp_path / "a.json").write_text('{"a": 1,\n  b: 2}\n')
    error = fault(tmp_path / "a.json")
    assert "not JSON" in error.cause
    assert error.place.endswith("line 2, column 3")


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16"])
def test_wrong_encoding_names_the_byte(tmp_path, encoding):
    (tmp_path / "a.json").write_bytes('{\n"a": "ä"}'.encode(encoding))
    error = fault(tmp_path / "a.json")
    assert "is not UTF-8" in error.cause
    assert "line" in error.place
    assert "UTF-8" in error.remedy


@pytest.mark.parametrize(("text", "found"), [("[1]", "a list"), ("3", "a single value"), ("null", "a single value")])
def test_wrong_top_level(tmp_path, text, found):
    (tmp_path / "a.json").write_text(text)
    assert f"holds {found}, not an object" in fault(tmp_path / "a.json").cause


def test_absurd_depth_is_no_crash(tmp_path):
    (tmp_path / "a.json").write_text("[" * 200_000)
    assert fault(tmp_path / "a.json").cause


def test_missing_key_names_the_nearest(tmp_path):
    with pytest.raises(DataError) as caught:
        rows({"image": []}, "images", tmp_path / "a.json")
    assert "has no 'images'" in caught.value.cause
    assert "'image'" in caught.value.remedy
    with pytest.raises(DataError) as caught:
        rows({}, "images", tmp_path / "a.json")
    assert "none" in caught.value.remedy


def test_key_that_is_no_list(tmp_path):
    with pytest.raises(DataError, match="is not a list"):
        rows({"images": {}}, "images", tmp_path / "a.json")


def test_rows_by_id_name_every_odd_one():
    given = [{"id": 1}, {"id": 1, "again": True}, 5, {}, {"id": None}, {"id": "12"}, {"id": True}, {"id": 1.5}]
    good, bad = unique_rows(given, "image", "id", Path("a.json"))
    assert good == {1: {"id": 1}, 12: {"id": "12"}}
    told = [f"{problem.where}: {problem.what}" for problem in bad]
    assert told == [
        "a.json: image 1: 'id' is there twice; the first was kept",
        "a.json: image number 3: is not an object",
        "a.json: image number 4: has no 'id'",
        "a.json: image number 5: 'id' is not a whole number: None",
        "a.json: image number 7: 'id' is not a whole number: True",
        "a.json: image number 8: 'id' is not a whole number: 1.5",
    ]


def test_whole_numbers():
    assert [whole_number(x) for x in (0, -3, "007", 2**63 - 1)] == [0, -3, 7, 2**63 - 1]
    assert [whole_number(x) for x in (2**63, "9" * 5000, "1.0", "²", "", None, [], False, float("nan"))] == [None] * 9


@pytest.mark.parametrize(
    ("value", "wrong"),
    [("a", None), ("é", None), ("", "is empty"), (" \n\t", "is empty"), (None, "is missing"), (3, "is not a text"),
     (["a"], "is not a text"), ("a\ud800", "half a character")],
)
def test_texts(value, wrong):
    told = text_problem(value, "caption")
    assert told is None if wrong is None else told is not None and wrong in told and told.startswith("caption ")
