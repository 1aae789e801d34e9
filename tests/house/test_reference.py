"""What is committed as a result agrees with itself: tables and README with the frame they came from."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd
import pytest

ROOT = Path(__file__).parents[2]
FRAME = ROOT / "results" / "reference" / "demo" / "frame.csv"
COLUMNS = {
    "vqa acc.": ("accuracy", 1), "captioning BLEU-4 ×100": ("Bleu_4", 100), "captioning CIDEr ×100": ("CIDEr", 100),
    "captioning METEOR ×100": ("METEOR", 100),
    **{f"retrieval {way}@{k}": (f"{way}@{k}", 1) for way in ("TR", "IR") for k in (1, 5, 10)},
}


def tables(text: str) -> list[dict[str, str]]:
    """The lines of the first markdown table, each as column -> cell."""
    lines = [line for line in text[text.index("| row") :].partition("\n\n")[0].splitlines() if line.startswith("|")]
    head, _, *rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [dict(zip(head, row, strict=True)) for row in rows]


@pytest.mark.parametrize("file", ["README.md", "results/reference/demo/table.md"])
def test_every_mean_and_spread_is_in_the_frame(file: str) -> None:
    frame, compared = pd.read_csv(FRAME), 0
    for line in tables((ROOT / file).read_text(encoding="utf-8")):
        for column, said in line.items():
            if column == "row" or "±" not in said:
                continue
            metric, scale = COLUMNS[column]
            values = frame[(frame["row"] == line["row"]) & (frame["metric"] == metric)]["value"] * scale
            mean, spread = (float(number) for number in re.findall(r"[\d.]+", said))
            assert len(values) == 5
            assert mean == pytest.approx(values.mean(), abs=0.051) and spread == pytest.approx(values.std(), abs=0.051)
            compared += 1
    assert compared >= 14
