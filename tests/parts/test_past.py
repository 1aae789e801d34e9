"""Pasts that grow, are shared, and part."""

from __future__ import annotations

import pytest
import torch

from vlpbench.parts import FixedPast, Past

B, N, H, K = 2, 3, 4, 5


def keys(many, seed):
    rng = torch.Generator().manual_seed(seed)
    return torch.randn(B, N, many, H, generator=rng), torch.randn(B, N, many, H, generator=rng)


def is_all_of(found, *parts):
    return all(torch.equal(one, torch.cat(both, 2)) for one, *both in zip(found, *parts, strict=True))


@pytest.mark.parametrize("behind", [True, False])
@pytest.mark.parametrize("ahead", [0, 2, 4])
def test_what_was_written_stays_in_order(behind, ahead):
    """Within the room that was made and past it."""
    before = keys(K, 0)
    past, parts = (Past(ahead, before), [before]) if behind else (Past(ahead), [])
    for seed in range(1, 5):
        parts.append(keys(2, seed))
        assert is_all_of(past.grow(parts[-1]), *parts)


def test_more_and_fewer_beams_on_the_way():
    past, parts = Past(4), []
    for many in (1, 3, 2, 4):
        parts.append(keys(many, many))
        assert is_all_of(past.grow(parts[-1]), *parts)


def test_two_that_go_on_from_one_past_do_not_meet():
    first, second, other, more = (keys(2, seed) for seed in range(4))
    past = Past(4)
    past.grow(first)
    fork = past.rows(None)
    assert is_all_of(fork.grow(other), first, other)
    assert is_all_of(past.grow(second), first, second)
    assert is_all_of(fork.grow(more), first, other, more)


def test_who_goes_on_alone_copies_nothing():
    past = Past(3)
    at = past.grow(keys(2, 0))[0].data_ptr()
    assert past.rows(None).grow(keys(2, 1))[0].data_ptr() == at


def test_keys_that_stood_before_are_not_written_to():
    before = keys(K, 0)
    copy = [part.clone() for part in before]
    Past(3, before).grow(keys(2, 1))
    assert all(torch.equal(one, other) for one, other in zip(before, copy, strict=True))


def test_rows_are_picked():
    first, second = keys(2, 0), keys(2, 1)
    past, index = Past(3), torch.tensor([1, 1, 0])
    past.grow(first)
    picked = past.rows(index)
    found = picked.grow(tuple(part[index] for part in second))
    assert is_all_of(found, [part[index] for part in first], [part[index] for part in second])
    assert is_all_of(past.grow(second), first, second)
    assert Past(2).rows(index).grow(second)[0].shape == (B, N, 2, H)


def test_a_room_for_all_steps_shows_what_a_growing_past_does_and_stays_where_it_is():
    """Behind three places that other rows wrote; what is not written yet is zero, and never NaN."""
    before, places = keys(K, 0), torch.zeros(2, dtype=torch.long)
    past, fixed = Past(3, before), FixedPast.like(before, B, 6, places)
    fixed.begin(before)
    at = [part.data_ptr() for part in fixed.room]
    for step in range(3):
        new = keys(2, step + 1)
        torch.arange(K + 2 * step, K + 2 * step + 2, out=places)
        found, expected = fixed.grow(new), past.grow(new)
        until = K + 2 * (step + 1)
        assert is_all_of([part[:, :, :until] for part in found], expected)
        assert all(part.shape[2] == K + 6 and not part[:, :, until:].any() for part in found)
        assert [part.data_ptr() for part in found] == at


def test_the_first_rows_of_a_room_are_in_the_same_memory():
    before, places = keys(K, 0), torch.tensor([K])
    fixed = FixedPast.like(before, B, 2, places)
    front, new = fixed.front(1), keys(1, 1)
    front.grow(tuple(part[:1] for part in new))
    assert all(torch.equal(room[:1, :, K : K + 1], part[:1]) for room, part in zip(fixed.room, new, strict=True))
    assert not any(room[1:].any() for room in fixed.room)


def test_a_past_that_nothing_was_written_to_shows_nothing():
    with pytest.raises(ValueError, match="nothing was written yet"):
        Past(2).written()
    past, new = Past(2), keys(1, 0)
    past.grow(new)
    assert is_all_of(past.written(), new)
