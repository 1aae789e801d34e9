"""Speeds of windows, and seconds a unit told from what is nearest."""

from __future__ import annotations

import pytest

from vlpbench.cli.paces import Paces, Window

LIGHT, HEAVY = ("light", ""), ("heavy", "")


def test_a_resumed_stage_has_not_done_its_first_steps_in_no_time() -> None:
    window = Window()
    window.add(100, 5000)
    assert window.speed(100) is None
    window.add(101, 5010)
    window.add(103, 5030)
    assert window.speed(103) == pytest.approx(10)


def test_a_window_forgets_and_a_new_beginning_empties_it() -> None:
    window = Window(30)
    for second in range(200):
        window.add(second, 10 * min(second, 100) + 2 * max(0, second - 100))
    assert window.speed(199) == pytest.approx(2)
    assert len(window.points) <= 102
    window.add(200, 0)
    assert window.speed(200) is None


def test_a_long_silence_slows_down_and_short_ones_do_not() -> None:
    window = Window()
    for second in range(11):
        window.add(second, second)
    assert window.speed(12) == pytest.approx(1)
    assert window.speed(100) == pytest.approx(0.1)


def test_a_window_may_be_a_share_of_the_time() -> None:
    window = Window(30, 0.5)
    for second in range(2001):
        window.add(second, second if second < 1000 else 1000 + 3 * (second - 1000))
    seconds, done = window.span
    assert 980 < seconds < 1020 and done / seconds == pytest.approx(3, rel=0.05)


def test_what_was_not_measured_is_told_from_what_is_nearest() -> None:
    paces = Paces()
    assert paces.a_unit("vqa", LIGHT) is None
    paces.add("pretrain", LIGHT, 100, 100)
    assert paces.a_unit("vqa", HEAVY) == pytest.approx(1)
    paces.add("pretrain", HEAVY, 100, 400)
    paces.add("vqa", LIGHT, 100, 50)
    assert paces.a_unit("vqa", LIGHT) == pytest.approx(0.5)
    assert paces.a_unit("vqa", HEAVY) == pytest.approx(0.5 * 2)  # twice the mean of both in pretraining
    assert paces.a_unit("pretrain", ("new", "")) == pytest.approx(2)


def test_an_estimate_stands_until_it_is_known_better() -> None:
    paces = Paces(1.0)
    assert paces.a_unit("vqa", LIGHT) == 1.0
    paces.add("pretrain", LIGHT, 10, 20)
    assert paces.a_unit("vqa", LIGHT) == pytest.approx(2)


def test_old_paces_fade() -> None:
    paces = Paces()
    paces.add("vqa", LIGHT, 3600, 3600)
    for _ in range(60):
        paces.add("vqa", LIGHT, 30, 120)
    pace = paces.a_unit("vqa", LIGHT)
    assert pace is not None and 3.5 < pace < 4  # the mean of all would be 2.6


def test_starts_are_means_of_their_own_or_of_their_kind() -> None:
    paces = Paces()
    assert paces.start("vqa", LIGHT) == 0
    paces.add_start("vqa", LIGHT, 2)
    paces.add_start("vqa", LIGHT, 4)
    assert paces.start("vqa", LIGHT) == paces.start("vqa", HEAVY) == 3
    assert paces.start("pretrain", LIGHT) == 0
