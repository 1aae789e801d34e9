"""What extra metrics return becomes a mean, values row by row, or a reason; nothing of the suite is touched."""

from __future__ import annotations

import sys
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from vlpbench.plugin import Metric
from vlpbench.registry import Origin, Registry
from vlpbench.tasks.extra import Extra, extras_of
from vlpbench.tasks.extra_metrics import NotMeasured, add_extras, numbers
from vlpbench.tasks.trial import Scores

ORIGIN = Origin("mine", "vlpbench-mine", "0.1", "mine.py", "ab")


def extra(name: str, values: Callable[[Any], Any], **facts: Any) -> Extra:
    said = {"name": name, "tasks": {"vqa"}, "values": lambda self, rows: values(rows), **facts}
    return Extra(name, type("Mine", (Metric,), said), ORIGIN)


def rows(many: int = 4) -> list[dict[str, Any]]:
    return [{"prediction": "x" * at, "answers": ["a", "b"], "accuracy": 0.25 * at} for at in range(many)]


def test_the_mean_leaves_out_what_nothing_is_said_about() -> None:
    mine, scores = rows(), Scores({"accuracy": 37.5})
    add_extras([extra("length", lambda rows: [None, *(len(row["prediction"]) for row in rows[1:])])], mine, scores)
    assert scores.values == {"accuracy": 37.5, "length": 2.0} and scores.reasons == {}
    assert [row["length"] for row in mine] == [None, 1.0, 2.0, 3.0]
    assert scores.extras["length"] == {
        "version": 1, "better": "higher", "left_out": 1, "plugin": "mine", "distribution": "vlpbench-mine",
        "release": "0.1", "sha256": "ab",
    }


def test_no_metric_sees_the_values_of_another_or_its_own_of_before() -> None:
    seen: list[set[str]] = []

    def look(rows: Any) -> Any:
        seen.append(set(rows[0]))
        return [1.0] * len(rows)

    mine = rows()
    for _ in range(2):
        add_extras([extra("one", look), extra("two", look)], mine, Scores({}))
    assert seen == [{"prediction", "answers", "accuracy"}] * 4


def test_a_metric_works_on_copies() -> None:
    def spoil(rows: Any) -> Any:
        for row in rows:
            row["answers"].append("c")
            row["accuracy"] = 1.0
        return [0.0] * len(rows)

    mine = rows()
    add_extras([extra("spoils", spoil)], mine, Scores({}))
    assert [{**row, "spoils": 0.0} for row in rows()] == mine


def test_one_that_fails_leaves_a_reason_and_no_column(capsys: pytest.CaptureFixture[str]) -> None:
    def exits(rows: Any) -> Any:
        sys.stdout.write("so long")
        raise SystemExit(3)

    mine, scores = [{**row, "exits": 5.0} for row in rows()], Scores({"accuracy": 37.5})
    add_extras([extra("exits", exits), extra("counts", lambda rows: [1] * len(rows))], mine, scores)
    assert scores.values == {"accuracy": 37.5, "exits": None, "counts": 1.0}
    assert scores.reasons == {"exits": "values() of plugin 'mine' (vlpbench-mine 0.1) raised SystemExit: 3"}
    assert "exits" not in mine[0] and "exits" not in scores.extras
    assert capsys.readouterr().out == "", "what is printed does not stand among results"


def test_one_that_is_not_there_says_why() -> None:
    (lost,) = extras_of(["lost"], Registry({}))
    scores = Scores({})
    add_extras([lost], rows(), scores)
    assert scores.values == {"lost": None} and "unknown metric 'lost'" in scores.reasons["lost"]


@pytest.mark.parametrize(
    "found", [(1, 2.5), np.array([1, 2.5]), [np.float32(1), Fraction(5, 2)], iter([True, 2.5]), [np.bool_(True), 2.5]]
)
def test_any_numbers_are_taken(found: Any) -> None:
    taken = numbers(found, 2)
    assert taken == [1.0, 2.5] and all(type(one) is float for one in taken)


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (None, "returned None"), (1.0, "returned a float"), ("ab", "returned a str"), ({"a": 1.0}, "returned a dict"),
        ([1.0], "returned 1 numbers for 2 rows"), ([1.0, "2"], "'2' for row 1"), ([1.0, 1j], "1j for row 1"),
        ([float("nan"), 1.0], "nan for row 0"), ([1.0, 10**400], "inf for row 1"),
    ],
)
def test_what_is_no_number_is_told(found: Any, said: str) -> None:
    with pytest.raises(NotMeasured, match="returned") as caught:
        numbers(found, 2)
    assert said in str(caught.value)
