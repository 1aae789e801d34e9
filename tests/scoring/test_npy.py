from __future__ import annotations

import numpy as np
import pytest

from vlpbench.errors import UserError
from vlpbench.scoring.npy import read_labels, read_matrix, read_owners

SCORES = np.arange(6, dtype=np.float32).reshape(2, 3)


def test_matrices_are_mapped_not_read(write):
    found = read_matrix("--scores", write("s.npy", SCORES))
    assert isinstance(found.base, np.memmap) and not found.flags.writeable
    assert np.array_equal(found, SCORES)


@pytest.mark.parametrize("dtype", ["f2", "f4", ">f8", "i4", "u1"])
def test_real_numbers_of_any_type_are_taken(write, dtype):
    assert read_matrix("--scores", write("s.npy", SCORES.astype(dtype))).tolist() == SCORES.tolist()


@pytest.mark.parametrize(
    ("array", "cause"),
    [
        (SCORES[0], r"the shape \(3,\), not images x texts"),
        (np.arange(3), r"the shape \(3,\)"),
        (SCORES[None], r"the shape \(1, 2, 3\)"),
        (SCORES[:0], "is empty"),
        (SCORES > 1, "holds bool"),
        (SCORES.astype(complex), "holds complex"),
        (SCORES.astype(str), "holds <U"),
        (SCORES.astype(object), "holds Python objects, which only unpickling could read"),
    ],
)
def test_other_arrays_are_no_scores(write, array, cause):
    with pytest.raises(UserError, match=cause) as wrong:
        read_matrix("--scores", write("s.npy", array))
    assert "s.npy" in wrong.value.place


def test_other_files_are_named(tmp_path, write):
    np.savez(tmp_path / "a.npz", SCORES)
    with pytest.raises(UserError, match=r"not \.npy but a zip archive"):
        read_matrix("--scores", tmp_path / "a.npz")
    (tmp_path / "a.pkl").write_bytes(b"\x80\x04\x95")
    with pytest.raises(UserError, match=r"not \.npy but a pickle"):
        read_matrix("--scores", tmp_path / "a.pkl")
    with pytest.raises(UserError, match=r"a\.npy is empty"):
        read_matrix("--scores", write("a.npy", ""))
    with pytest.raises(UserError, match="another kind of file"):
        read_matrix("--scores", write("a.csv", "1,2"))
    with pytest.raises(UserError, match="does not exist"):
        read_matrix("--scores", tmp_path / "none.npy")
    whole = write("s.npy", SCORES)
    whole.write_bytes(whole.read_bytes()[:-4])
    with pytest.raises(UserError, match="is cut short"):
        read_matrix("--scores", whole)


@pytest.mark.parametrize(
    ("owner", "cause", "remedy"),
    [
        (np.array([0, 1]), "2 texts, but the scores have 3 columns", "look like texts x images"),
        (np.array([0, 1, 1, 1]), "4 texts, but the scores have 3 columns", "rows are images"),
        (np.array([1, 2, 2]), "counts images from 1", "rows are 0 to 1"),
        (np.array([0.0, 1, 1]), "holds float64, not whole numbers", "astype"),
        (SCORES, r"the shape \(2, 3\), not one image index a text", "is this --scores"),
    ],
)
def test_what_names_no_images(write, owner, cause, remedy):
    with pytest.raises(UserError, match=cause) as wrong:
        read_owners("--txt2img", write("t.npy", owner), (2, 3))
    assert remedy in wrong.value.remedy


def test_owners_and_labels(write):
    assert read_owners("--txt2img", write("t.npy", np.array([0, 0, 1])), (2, 3)).tolist() == [0, 0, 1]
    assert read_labels("--same-text", write("l.npy", np.array(["b", "a", "b"])), 3).tolist() == [1, 0, 1]
    assert read_labels("--same-text", write("l.npy", np.array([7, 9, 7])), 3).tolist() == [0, 1, 0]
    with pytest.raises(UserError, match="not a label of each of 3 texts"):
        read_labels("--same-text", write("l.npy", np.array([7, 9])), 3)
