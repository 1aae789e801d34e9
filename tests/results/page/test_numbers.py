"""The sections with numbers, and the plots."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from vlpbench.results import load
from vlpbench.results.page.drawings import drawings
from vlpbench.results.page.numbers import Numbers, numbers


@pytest.fixture
def results(grid: Any) -> Any:
    for seed in range(2):
        grid.done("a <b>", seed, {"accuracy": 50.0 + seed, "CIDEr": 1.0})
        grid.done("b", seed, {"accuracy": 40.0})
    grid.failed("b", 2, "`loss` is nan")
    return load(grid.folder)


def spoken(section: Numbers) -> list[str]:
    return ["".join(text for text, _ in note) for note in section.notes]


def test_sections_and_their_tables(results: Any) -> None:
    scores, cost = numbers(results)
    assert (scores.id, cost.id) == ("scores", "cost")
    ((name, table),) = scores.tables
    assert name == "Scores" and "a &lt;b&gt;" in table and "a <b>" not in table
    assert "<caption" not in table and "notes" not in table, "they stand beside, where they need not be scrolled"
    assert "".join(text for text, _ in scores.caption) and any("loss is nan" in note for note in spoken(scores))
    assert any(part == ("loss", True) for note in scores.notes for part in note)


def test_what_it_took_in_all_failed_work_included(results: Any) -> None:
    cost = numbers(results)[-1]
    assert any(line.startswith("In all: ") and "ran out of time once" in line for line in cost.first)
    assert any(line.startswith("Device: cpu (x86_64)") for line in cost.first)


def test_differences_say_nothing_twice(results: Any) -> None:
    scores, differences, _ = numbers(results, "b")
    assert differences.id == "differences" and differences.tables
    assert not set(scores.notes) & set(differences.notes)
    assert [one.id for one in numbers(results, "")] == ["scores", "cost"]


def test_no_numbers_yet(grid: Any) -> None:
    grid.plan("a", 0)
    scores, cost = numbers(load(grid.folder))
    assert all("data-value" not in table for _, table in scores.tables)
    assert cost.first == ("In all: a time that no record tells; 0 FLOPs of finished training.",) and cost.tables == ()


def test_plots_are_pictures_of_their_own(results: Any) -> None:
    heard: list[str] = []
    found, reasons = drawings(results, heard.append)
    names = [one.name for one in found]
    assert "bars, vqa" in names and "bars, captioning" in names and heard[0] == "plot: bars, vqa"
    assert {"curves", "recalls"} <= {name for name, _ in reasons}
    bars = found[names.index("bars, vqa")]
    assert bars.words and "interval" in bars.sentence
    head, _, data = bars.source.partition("base64,")
    assert head == "data:image/svg+xml;" and b"a &lt;b&gt;" in base64.b64decode(data)


def test_plots_that_would_make_the_page_too_large_are_named(results: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vlpbench.results.page.drawings._MOST_BYTES", 10)
    found, reasons = drawings(results, lambda name: None)
    assert found == [] and "vlpbench report plot --kind bars" in dict(reasons)["bars, vqa"]
