"""The kit of metrics passes a right one and names each fault of a wrong one by the right check."""

from __future__ import annotations

import random
from typing import Any

import pytest

from vlpbench.plugin import Metric
from vlpbench.testing import check_metric, parametrize_metric_checks
from vlpbench.testing.metric_kit import metric_checks
from vlpbench.testing.small_grid import TASKS, stored_rows


class Length(Metric):
    """Words of a caption; the answers' words too."""

    name, tasks = "words-said", frozenset({"captioning", "vqa"})

    def values(self, rows: Any) -> Any:
        return [len(row["prediction"].split()) for row in rows]


class Rank(Metric):
    """The reciprocal rank of the right answer."""

    name, tasks = "reciprocal-rank", {"retrieval"}

    def values(self, rows: Any) -> Any:
        return [1 / (1 + row["rank"]) for row in rows]


class Sure(Metric):
    """Nothing for pictures of one class."""

    name, tasks = "sure", {"classification"}

    def values(self, rows: Any) -> Any:
        return [None if row["label"] == rows[-1]["label"] else row["probability"] for row in rows]


@parametrize_metric_checks([Length, Rank])
def test_right_ones_pass(metric: type[Metric], check: Any) -> None:
    check(metric)


def wrong(values: Any, **facts: Any) -> type[Metric]:
    """A metric of captions with these values."""
    said = {"name": "wrong", "tasks": {"captioning"}, "values": lambda self, rows: values(rows)}
    return type("Wrong", (Metric,), {**said, **facts})


def clear(rows: Any) -> Any:
    rows[0]["references"].clear()
    return [0.0] * len(rows)


def centred(rows: Any) -> Any:
    words = [len(row["prediction"].split()) for row in rows]
    return [number / max(1, max(words[: at + 1])) for at, number in enumerate(words)]


@pytest.mark.parametrize(
    ("cls", "check", "cause"),
    [
        (wrong(lambda rows: [0.0] * len(rows), name="cider"), "metadata", "which the suite uses"),
        (wrong(lambda rows: [0.0] * len(rows), name="image-id"), "metadata", "which the suite uses"),
        (wrong(lambda rows: [0.0] * len(rows), tasks={"vqa", "chess"}), "metadata", "chess"),
        (wrong(lambda rows: [0.0] * len(rows), higher_is_better="yes"), "metadata", "higher_is_better"),
        (wrong(lambda rows: [0.0]), "values", "returned 1 numbers for 12 rows"),
        (wrong(lambda rows: [float("inf")] * len(rows)), "values", "returned inf for row 0"),
        (wrong(lambda rows: ["long"] * len(rows)), "values", "which is no number"),
        (wrong(lambda rows: {row["image_id"]: 1.0 for row in rows}), "values", "returned a dict"),
        (wrong(clear), "pure", "key 'references'"),
        (wrong(lambda rows: [random.random() for _ in rows]), "pure", "a second time"),
        (wrong(centred), "order-of-rows", "in another order of rows"),
        (wrong(lambda rows: [rows[1]["CIDEr"] for _ in rows]), "one-row", "IndexError"),
        (wrong(lambda rows: [1 / len(row["prediction"]) for row in rows]), "silence", "ZeroDivisionError"),
    ],
)
def test_each_fault_is_named_by_its_check(cls: type[Metric], check: str, cause: str) -> None:
    (found,) = check_metric(cls, only=[check])
    assert found.state == "failed" and cause in found.cause and found.remedy


def test_means_are_told_and_what_reads_no_words_is_skipped() -> None:
    found = {one.check: one for one in check_metric(Sure, only=["values", "silence"])}
    assert found["values"].told.startswith("classification: mean ") and "of 12 rows" in found["values"].told
    assert (found["silence"].state, found["silence"].reason) == ("skipped", "says-no-words")


def test_an_order_of_words_that_hashes_decide_is_seen(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "hashed_metric.py").write_text(
        "from vlpbench.plugin import Metric\n\n\nclass Hashed(Metric):\n    name, tasks = 'hashed', {'vqa'}\n\n"
        "    def values(self, rows):\n        return [hash(row['question']) % 1000 for row in rows]\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    import hashed_metric

    (found,) = check_metric(hashed_metric.Hashed, only=["another-process"])
    assert found.state == "failed" and "in another process" in found.cause


def test_rows_of_the_authors_own_are_taken() -> None:
    (found,) = check_metric(Length, {"captioning": [{"prediction": "a b c"}]}, only=["values"])
    assert found.told == "captioning: mean 3 of 1 of 1 rows"


@pytest.mark.parametrize("task", list(TASKS))
def test_rows_are_what_records_keep(task: str) -> None:
    rows, again = stored_rows(task), stored_rows(task)
    assert len(rows) > 5 and rows == again
    rows[0].clear()
    assert again[0] == stored_rows(task)[0], "each call gives a copy"


def test_names_of_checks() -> None:
    assert list(metric_checks()) == [
        "metadata", "values", "pure", "order-of-rows", "one-row", "silence", "another-process",
    ]
