"""Image names: only names of files inside the folder pass, and the quick look agrees with the careful one."""

from __future__ import annotations

import pytest

from vlpbench.data.errors import DataError
from vlpbench.data.sources.pictures import Pictures


@pytest.fixture
def folder(tmp_path):
    images = tmp_path / "images"
    (images / "sub" / "deep").mkdir(parents=True)
    for name in ("a.jpg", "sub/b.jpg", "sub/deep/c.jpg", "odd name é.jpg"):
        (images / name).write_bytes(b"x")
    (tmp_path / "secret.jpg").write_bytes(b"x")
    (images / "out.jpg").symlink_to(tmp_path / "secret.jpg")
    (images / "in.jpg").symlink_to(images / "a.jpg")
    (images / "outer").symlink_to(tmp_path)
    (images / "dangling.jpg").symlink_to(images / "gone.jpg")
    return images


@pytest.mark.parametrize("name", ["a.jpg", "sub/b.jpg", "sub/deep/c.jpg", "odd name é.jpg", "in.jpg", "./a.jpg",
                                  "sub/../a.jpg"])
def test_names_of_files_inside_pass(folder, name):
    assert Pictures(folder).problem(name) is None


@pytest.mark.parametrize("name", ["../secret.jpg", "out.jpg", "outer/secret.jpg", "sub/../../secret.jpg", "a\0.jpg"])
def test_names_that_lead_out_are_refused(folder, name):
    told = Pictures(folder).problem(name)
    assert told is not None
    assert "leads out of the folder" in told or "is not a file name" in told


def test_absolute_names_are_refused(folder):
    told = Pictures(folder).problem(str(folder.parent / "secret.jpg"))
    assert told is not None
    assert "leads out" in told


@pytest.mark.parametrize(
    ("name", "what"),
    [("gone.jpg", "does not exist"), ("sub", "is not a file"), ("a.jpg/b.jpg", "does not exist"),
     ("dangling.jpg", "does not exist"), ("nowhere/a.jpg", "does not exist"), ("x" * 5000, "x"),
     ("", "names no image file"), (None, "names no image file"), (5, "names no image file")],
)
def test_names_of_no_file(folder, name, what):
    told = Pictures(folder).problem(name)
    assert told is not None
    assert what in told


def test_wrong_case_is_pointed_out(folder):
    told = Pictures(folder).problem("A.JPG")
    assert told == "image 'A.JPG' does not exist (there is 'a.jpg')"


def test_missing_folder_is_an_error_with_the_nearest(tmp_path):
    (tmp_path / "images").mkdir()
    with pytest.raises(DataError) as caught:
        Pictures(tmp_path / "image").problem("a.jpg")
    assert "'images'" in caught.value.remedy


def test_image_folder_may_itself_be_a_link(folder, tmp_path):
    (tmp_path / "link").symlink_to(folder)
    assert Pictures(tmp_path / "link").problem("a.jpg") is None
    assert Pictures(tmp_path / "link").problem("out.jpg") is not None
