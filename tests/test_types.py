"""What travels between the rooms cannot be changed on the way, and a batch says what it does not have."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from vlpbench.types import Batch, Question, Sample, Spec, Step, Vocabulary

VOCABULARY = Vocabulary(size=50, pad=0, bos=1, eos=2, unk=3, mask=4, sentinels=(5, 6))


def batch(**extras: np.ndarray) -> Batch:
    tokens = np.array([[7, 8, 2], [9, 2, 0]])
    ids = np.arange(2)
    return Batch(None, tokens, tokens > 0, ids, ids, np.float32(0), VOCABULARY, extras=extras)


def test_a_batch_is_read_by_name() -> None:
    known = np.ones((2, 3), bool)
    assert batch(known=known)["known"] is known
    assert len(batch()) == 2


def test_a_missing_name_lists_what_there_is() -> None:
    with pytest.raises(KeyError, match=r"no 'knwon'; corrupt\(\) and wants gave: inputs, known"):
        batch(known=np.ones(2), inputs=np.ones(2))["knwon"]
    with pytest.raises(KeyError, match="gave: nothing"):
        batch()["count"]


@pytest.mark.parametrize("index", [[1], np.array([1, 0]), slice(0, 1)])
def test_rows_are_picked_from_every_array_and_leave_the_states(index: object) -> None:
    images = np.arange(2 * 3 * 4 * 4).reshape(2, 3, 4, 4)
    whole = dataclasses.replace(batch(known=np.array([[1, 2], [3, 4]])), images=images, image="state", text="state")
    some = whole.rows(index)
    for name in ("images", "tokens", "mask", "image_ids", "caption_ids"):
        assert np.array_equal(getattr(some, name), getattr(whole, name)[index])
    assert np.array_equal(some["known"], whole["known"][index])
    assert some.image is None and some.text is None and some.vocabulary == VOCABULARY
    assert whole.rows(slice(0, 2)).images is not None and batch().rows(index).images is None


def test_special_ids_are_all_that_are_no_words() -> None:
    assert VOCABULARY.special == {0, 1, 2, 3, 4, 5, 6}


def test_a_batch_tells_pairs_from_texts_without_pictures() -> None:
    assert batch().has_image
    assert not dataclasses.replace(batch(), has_image=False).has_image


@pytest.mark.parametrize(
    "made", [Question(1, "what"), Sample(1), VOCABULARY, Spec(8, 4, (2, 3), VOCABULARY), batch(), Step(np.zeros(2))]
)
def test_everything_is_frozen(made: object) -> None:
    name = dataclasses.fields(made)[0].name  # type: ignore[arg-type]
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(made, name, 0)


def test_what_a_set_does_not_have_is_empty_and_not_shared() -> None:
    one, two = Sample(1), Sample(2)
    assert one.captions == () and one.questions == () and one.image == ""
    assert one.fields == {} and one.fields is not two.fields
