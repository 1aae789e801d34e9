"""What is printed: verdicts, stars and gaps in the table, sentences under it, numbers for programs."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest
from scipy import stats

from vlpbench.results.reproduction import (
    ReproductionAsked,
    reproduction_table,
    reproduction_text,
    reproductions,
)


def lines_of(text: str) -> dict[str, list[str]]:
    """Row -> what stands beside it in a Markdown table."""
    lines = [line.strip("|").split("|") for line in text.splitlines() if line.startswith("| ")]
    rows = [[cell.strip() for cell in line] for line in lines]
    return {row: rest for row, *rest in rows}


def test_the_table(ablation: Any) -> None:
    lines = lines_of(reproduction_text(reproductions(ablation(), ReproductionAsked(margin=1.0))))
    assert lines["row"][:4] == ["published Δ", "our Δ", "95 % interval", "verdict"]
    assert {row: line[3] for row, line in lines.items() if row != "row"} == {
        "none": "reproduced", "plain": "not shown", "swapped": "opposite", "same": "no sign",
        "close": "no difference of 1",
    }
    assert lines["none"][0] == "−17.73" and lines["none"][1].endswith("\\*") and lines["none"][-2] == "5"
    assert lines["plain"][1] == "−0.56"


def test_a_small_difference_that_is_certain_has_both_words(made: Any) -> None:
    results = made({"a": (50.0, 51.0, 52.0), "b": (50.4, 51.5, 52.45)}, {"a": 60.0, "b": 65.0})
    lines = lines_of(reproduction_text(reproductions(results, ReproductionAsked(margin=2.0))))
    assert lines["b"][3] == "reproduced, no difference of 2"


def test_what_is_said_under_it(ablation: Any, ours: Any) -> None:
    (found,) = reproductions(ablation(ours | {"plain": (59.0, None, 57.7, 61.0, 61.1)}))
    said = "\n".join(reproduction_table(found).notes)
    assert "1 of 4 published signs reproduced (1 of them under Holm, too); of 4, 2 point the published way" in said
    assert f"coins: {stats.binom.sf(1, 4, 0.5):.3f}; rows share a baseline" in said
    assert "1 published difference of 0 not counted" in said
    assert "opposite to the published sign: swapped" in said and "Kendall's tau" in said
    assert "†: 1 of 5 rows without all 5 seeds" in said and "plain: 4 of 5 seeds (plain: seed 1 failed" in said
    largest, row = found.largest_smallest()
    assert f" to {largest:.2f} ({row})" in said and "in 80% of studies" in said
    assert "4 seeds can never pass an exact sign-flip test under Holm over 5 comparisons" in said
    assert lines_of(reproduction_text([found]))["plain"][-2] == "4/5"


def test_before_anything_is_had(ablation: Any, ours: Any) -> None:
    text = reproduction_text(reproductions(ablation(dict.fromkeys(ours, (None, None)))))
    assert "0 of 4 published signs reproduced" in text and "of 0 that have a difference of ours (of 4)" in text
    assert "sees: nothing" in text and "nothing could be compared yet" in text


def test_one_comparison_has_no_correction_to_tell_of(made: Any) -> None:
    text = reproduction_text(reproductions(made({"a": (1.0, 2.0), "b": (4.0, 6.0)}, {"a": 1.0, "b": 2.0})))
    assert "one comparison" in text and "under Holm, too" not in text and "rows share a baseline" not in text


def test_several_tables_have_headings(made: Any, ablation: Any) -> None:
    found = [*reproductions(ablation()), *reproductions(made({"a": (1.0,), "b": (2.0,)}, {"a": 1, "b": 2}, grid="g"))]
    text = reproduction_text(found)
    assert text.startswith("## small: vqa acc.\n\n| row") and "\n\n## g: vqa acc.\n\n| row" in text


def test_latex_is_narrower_and_has_a_caption(ablation: Any) -> None:
    text = reproduction_text(reproductions(ablation()), "latex")
    assert r"\label{tab:small-reproduction-vqa-accuracy}" in text and "sign flips" not in text.partition("minipage")[0]
    assert "Differences of each row to full in vqa acc." in text and "hangs into both margins" not in text


def test_csv_has_every_number(ablation: Any) -> None:
    (found,) = reproductions(ablation())
    lines = list(csv.DictReader(io.StringIO(reproduction_text([found], "csv"))))
    assert [line["row"] for line in lines] == [one.row for one in found.rows]
    for line, one in zip(lines, found.rows, strict=True):
        for name in ("published", "difference", "low", "high", "wide_low", "wide_high", "p", "corrected", "smallest"):
            assert float(line[name]) == pytest.approx(getattr(one, name), rel=1e-12)
        assert (line["verdict"], line["seeds"], line["n"]) == (one.verdict, "0 1 2 3 4", "5")


def test_json_has_everything_and_null_for_what_is_not_known(ablation: Any, ours: Any) -> None:
    text = reproduction_text(reproductions(ablation(ours | {"none": (None,) * 5})), "json")
    (found,) = json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    none = found["rows"][0]
    assert none["row"] == "none" and none["difference"] is None and none["missing"] == [0, 1, 2, 3, 4]
    assert found["incomplete"] == ["none"] and found["not_ranked"] == {"none": "no score of ours"}
    assert found["signs"]["published"] == 4 and found["ranks"]["rows"] == 5
    assert found["smallest"]["difference"] > 0 and found["smallest"]["row"] in ours
