"""`vlpbench report html` as it is typed: where the page goes, what is said, and what it says to mistakes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from vlpbench.cli import report_html
from vlpbench.cli.main import main
from vlpbench.files import write_json
from vlpbench.records import SCHEMA, CellFolder


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """A grid of one cell, which failed."""
    folder = CellFolder.of(tmp_path / "small", "0" * 12, "only", "s0")
    settings: dict[str, Any] = {
        "objective": "prefix-lm", "backbone": "conv3/encoder-decoder/nano", "blind": False, "tasks": ["vqa"],
        "data": "digits", "budget": {"samples": 64},
    }
    folder.begin({"grid": "small", "row": "only", "seed": 0, "id": "0" * 12, "published": {}, "settings": settings})
    folder.fail("loss is nan", {}, {})
    write_json(tmp_path / "small" / "grid.json", {
        "schema": SCHEMA, "name": "small", "description": "", "rows": ["only"], "tasks": ["vqa"],
        "cells": {"0" * 12: {"row": "only", "seed": 0, "reason": None}},
    })
    return tmp_path / "small"


def test_the_page_is_named_after_the_results(
    results: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["report", "html", str(results)]) == 0
    said = capsys.readouterr().out
    assert said.startswith("small.html: ") and "loss is nan" in (tmp_path / "small.html").read_text(encoding="utf-8")


def test_options(results: Path, tmp_path: Path) -> None:
    out = tmp_path / "there" / "x.html"
    assert main(["report", "html", str(results), "--out", str(out), "--no-gallery"]) == 0
    assert "gallery-data" not in out.read_text(encoding="utf-8")
    assert main(["report", "html", str(results), "--out", str(out), "--pictures", "3"]) == 0
    assert "gallery-data" in out.read_text(encoding="utf-8")


def test_what_takes_long_is_told_on_stderr(
    results: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(report_html, "_QUIET", 0.0)
    assert main(["report", "html", str(results), "--out", str(tmp_path / "x.html")]) == 0
    said = capsys.readouterr()
    assert "tables …" in said.err and "…" not in said.out


@pytest.mark.parametrize(("words", "said"), [
    (["--out", "page.pdf"], "did you mean page.html?"), (["--baseline", "onyl"], "only"),
    (["--pictures", "0"], "pictures"), (["--out", ""], "did you mean page.html?"),
    (["--out", "small/grid.json/x.html"], "the page cannot be written"),
])
def test_mistakes(
    results: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    words: list[str], said: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["report", "html", str(results), *words]) != 0
    assert said in capsys.readouterr().err
    assert not list(tmp_path.glob("*.html"))


def test_results_that_are_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", "html", str(tmp_path / "nothing")]) != 0
    assert "there are no records in" in capsys.readouterr().err


def test_help_teaches(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", "html", "--help"]) == 0
    assert capsys.readouterr().out.count("vlpbench report html results/") == 3
