"""docs/your-metric.md does what it says, and its tables name what there is."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

import vlpbench
from tests.docs.test_pages import DIGITS, DOCS, QuickShell, blocks
from vlpbench.testing import metric_checks
from vlpbench.testing.small_grid import stored_rows

TEXT = (DOCS / "your-metric.md").read_text(encoding="utf-8")


@pytest.mark.slow
def test_your_metric(tmp_path: Path) -> None:
    """Metrics, a table and an observer, each as the page writes them."""
    ran = QuickShell(tmp_path).follow(blocks("your-metric.md"), DIGITS)
    assert sum("plugins check" in command for command in ran) == 1
    lines = [json.loads(line) for line in (tmp_path / "results" / "honest" / "cells.jsonl").read_text().splitlines()]
    assert {line["row"] for line in lines} == {"none", "prefix-lm"} and "captioning/CIDEr" in lines[0]
    frame = vlpbench.results.load(tmp_path / "results" / "honest").frame
    assert set(frame[frame["metric"] == "invented-words"]["better"]) == {"lower"}


def test_the_page_of_metrics_names_every_check() -> None:
    text = TEXT
    named = re.findall(r"^\| `([\w-]+)` \|", text.partition("| checks | |")[2].partition("\n\n")[0], re.MULTILINE)
    assert named == list(metric_checks())


def test_the_page_of_metrics_names_every_key_of_a_row() -> None:
    """As the records of a small grid have them."""
    text = TEXT.partition("| task | keys of a row |")[2]
    for line in text.partition("\n\n")[0].splitlines()[2:]:
        task, *keys = re.findall(r"`(\w+)`", line)
        assert keys == list(stored_rows(task)[0])
