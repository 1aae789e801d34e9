"""When the last cell is over."""

from __future__ import annotations

from vlpbench.cli.forecast import Ahead, seconds_ahead


def _alone(*seconds: float) -> list[Ahead]:
    return [Ahead([(str(number), one)]) for number, one in enumerate(seconds)]


def test_nothing_takes_no_time() -> None:
    assert seconds_ahead([], 0) == 0


def test_slots_are_filled_in_order() -> None:
    assert seconds_ahead(_alone(5, 3, 3), 1) == 11
    assert seconds_ahead(_alone(5, 3, 3), 2) == 6
    assert seconds_ahead(_alone(5, 3, 3), 9) == 5


def test_what_runs_is_counted_from_where_it_is() -> None:
    cells = [Ahead([("a", 10)], "slot"), Ahead([("b", 1)], "slot"), Ahead([("c", 4)])]
    assert seconds_ahead(cells, 2) == 10
    assert seconds_ahead([*cells, Ahead([("d", 7)])], 2) == 12


def test_a_shared_part_is_run_once_and_others_go_first() -> None:
    first, second = Ahead([("pre", 10), ("a", 1)]), Ahead([("pre", 10), ("b", 1)])
    assert seconds_ahead([first, second], 2) == 11
    assert seconds_ahead([first, second, Ahead([("c", 10)])], 2) == 11  # c does not wait for pre, so it goes before b
    assert seconds_ahead([first, second], 1) == 12


def test_another_run_takes_no_slot() -> None:
    assert seconds_ahead([Ahead([("x", 5)], "elsewhere"), *_alone(4, 4)], 1) == 8
    assert seconds_ahead([Ahead([("x", 50)], "elsewhere"), *_alone(4, 4)], 1) == 50
