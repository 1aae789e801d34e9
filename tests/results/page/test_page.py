"""The whole page as a file: its sections, its size, and grids of every sort."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from vlpbench.errors import UserError
from vlpbench.results import load
from vlpbench.results.page.page import page, write_page


@pytest.fixture
def three(grid: Any) -> Any:
    """Three rows with three seeds, of which one cell failed."""
    for seed in range(3):
        grid.done("a", seed, {"accuracy": 50.0 + seed, "CIDEr": 1.0})
        grid.done("b", seed, {"accuracy": 9.0 + seed})
    grid.failed("c", 0, "loss is <nan>")
    return grid


def sections(text: str) -> list[str]:
    return re.findall(r'<section id="(\w+)"', text)


def words(text: str) -> str:
    """What a person reads, roughly."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", re.sub(r"(?s)<(style|script)\b.*?</\1>", "", text)))


def test_all_sections_with_numbers_states_and_reasons(three: Any) -> None:
    text = page(load(three.folder), None)
    assert sections(text) == ["scores", "cost", "plots", "cells", "settings", "provenance"]
    assert re.findall(r'<a href="#(\w+)">', text) == sections(text)
    said = words(text)
    assert "51.0 ± 1.0" in said and "10.0 ± 1.0" in said and "mean ± standard deviation" in said.lower()
    assert "6 done" in said and "1 failed" in said and "loss is &lt;nan&gt;" in said


def test_differences_and_gallery_where_they_are_wanted(three: Any) -> None:
    text = page(load(three.folder), 6, baseline="a")
    assert sections(text)[:3] == ["scores", "differences", "cost"] and sections(text)[-1] == "gallery"
    assert "−41.0" in words(text)
    (data,) = re.findall(r'<script type="application/json" id="gallery-data">(.*?)</script>', text)
    assert isinstance(json.loads(data), dict)


def test_a_baseline_that_is_no_row(three: Any) -> None:
    with pytest.raises(UserError, match="nope"):
        page(load(three.folder), None, baseline="nope")


def test_the_file_is_whole_and_needs_no_other(three: Any, tmp_path: Path) -> None:
    path, heard = tmp_path / "deep" / "x.html", []
    size = write_page(load(three.folder), path, None, heard=heard.append)
    text = path.read_text(encoding="utf-8")
    assert size == path.stat().st_size < 2_000_000
    assert [one.name for one in path.parent.iterdir()] == ["x.html"]
    assert not re.search(r"""(src|href)\s*=\s*["'](?!#|data:)""", text)
    assert heard[0] == "cells" and any(one.startswith("plot: bars") for one in heard)


def test_two_grids(grid: Any, another: Callable[..., Any]) -> None:
    other = another("other")
    grid.done("a", 0, {"accuracy": 50.0})
    other.done("a", 0, {"accuracy": 60.0})
    text = page(load(grid.folder, other.folder), None)
    assert "<title>small, other · vlpbench</title>" in text
    assert "small: a" in words(text) and "other: a" in words(text)


def test_one_seed_has_no_spread(grid: Any) -> None:
    grid.done("a", 0, {"accuracy": 50.0})
    scores = page(load(grid.folder), None).split('id="cost"')[0]
    assert "±" not in re.findall(r"(?s)<table.*?</table>", scores)[0]


def test_nothing_has_run(grid: Any) -> None:
    grid.plan("a", 0)
    grid.plan("b", 0, reason="n/a: needs decode")
    said = words(page(load(grid.folder), 4))
    assert "1 pending" in said and "1 n/a" in said and "needs decode" in said


def test_a_grid_without_tasks(grid: Any) -> None:
    grid.plan("a", 0)
    path = grid.folder / "grid.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"tasks": []}), encoding="utf-8")
    said = words(page(load(grid.folder), 4))
    assert "No cell has a number yet" in said and "no cells" in said


def test_an_exported_frame(three: Any, tmp_path: Path) -> None:
    load(three.folder).export(tmp_path / "x.parquet")
    said = words(page(load(tmp_path / "x.parquet"), 4))
    assert "51.0 ± 1.0" in said and "an exported frame has none" in said


def test_folders_that_contradict_are_named(grid: Any, another: Callable[..., Any]) -> None:
    other = another("small", "elsewhere")
    grid.done("a", 0, {"accuracy": 50.0})
    other.done("a", 0, {"accuracy": 60.0})
    results = load(grid.folder, other.folder)
    assert results.conflicts and page(results, None).count('class="warning"') == len(results.conflicts)


def test_settings_go_across_where_rows_are_many(grid: Any) -> None:
    heads = r'(?s)<section id="settings">.*?<table class="settings">.*?<thead>(.*?)</thead>'
    for many, wanted in [(3, ["setting", "row 0", "row 1", "row 2"]), (7, ["row", "data"])]:
        for at in range(many):
            grid.done(f"row {at}", many, {"accuracy": 50.0}, settings={"data": f"set {at}"})
        (head,) = re.findall(heads, page(load(grid.folder), None))
        assert words(head).split() == " ".join(wanted).split()


def test_half_a_surrogate_pair_does_not_cost_the_page(grid: Any, tmp_path: Path) -> None:
    grid.done("a", 0, {"accuracy": 50.0})
    path = grid.folder / "grid.json"
    told = json.loads(path.read_text()) | {"description": "odd \ud800 sign\x00"}
    path.write_text(json.dumps(told), encoding="utf-8")
    write_page(load(grid.folder), tmp_path / "x.html", None)
    assert "odd \ufffd sign\ufffd" in (tmp_path / "x.html").read_text(encoding="utf-8")
