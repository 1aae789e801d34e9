"""What blocks may name: each number against plain arithmetic on the made-up scores."""

from __future__ import annotations

import statistics

import pytest
from scipy import stats

from vlpbench.errors import UserError

FULL, NONE, LIKE = (50.0, 52.0, 51.0), (40.0, 43.0, 41.5), (50.5, 51.4, 51.2)
PAIRS = [one - other for one, other in zip(NONE, FULL, strict=True)]


@pytest.fixture(scope="module")
def source(made, script):
    return script("quantities").Source(made / "results" / "reference" / "made")


@pytest.fixture
def say(source, script):
    """say(*words) -> what a block of these words holds."""
    return lambda *words: script("quantities").quantity(source, words, source.folder)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("value", "full", "vqa", "accuracy", "mean"), "51.0"),
        (("value", "full", "vqa", "accuracy", "std", "decimals=3"), f"{statistics.stdev(FULL):.3f}"),
        (("value", "full", "vqa", "accuracy", "least"), "50.0"), (("value", "full", "vqa", "accuracy", "n"), "3"),
        (("value", "chance", "vqa", "accuracy", "mean"), "2.5"),
        (("difference", "no pairs", "vqa", "accuracy", "mean", "decimals=2"), f"−{-statistics.fmean(PAIRS):.2f}"),
        (("difference", "full", "vqa", "accuracy", "mean", "baseline=no pairs"), "+9.5"),
        (("difference", "no pairs", "vqa", "accuracy", "most"), "−9.0"),
        (("difference", "no pairs", "vqa", "accuracy", "flips"), "0.250"),
        (("difference", "like full", "vqa", "accuracy", "p"), f"{stats.ttest_rel(LIKE, FULL).pvalue:.3f}"),
        (("difference", "no pairs", "vqa", "accuracy", "p"), "< 0.001"),
        (("difference", "no pairs", "vqa", "accuracy", "low"),
         f"−{-stats.ttest_1samp(PAIRS, 0).confidence_interval().low:.1f}"),
        (("reproduced", "certain"), "1"), (("reproduced", "published"), "2"), (("reproduced", "tau"), "0.33"),
        (("reproduced", "chance"), "0.750"), (("reproduced", "no pairs", "verdict"), "reproduced"),
        (("reproduced", "no pairs", "published"), "−17.73"), (("reproduced", "like full", "verdict"), "not shown"),
        (("reproduced", "no pairs", "n"), "3"), (("reproduced", "incomplete"), "0"),
        (("count", "rows"), "3"), (("count", "cells"), "9"), (("count", "done"), "9"), (("count", "examples"), "40"),
    ],
)
def test_numbers(words, said, say):
    assert say(*words) == said


def test_tables_notes_and_pictures(say, made):
    table = say("table", "metrics=accuracy", "decimals=2")
    assert table.startswith("| row") and "51.00 ± 1.00" in table and "\n\n" not in table
    assert "−9.5" in say("differences") and "| −17.73" in say("reproduction") and "TFLOP" in say("costs")
    notes = say("notes", "reproduction")
    assert notes.startswith("- Differences of each row to full") and "1 of 2 published signs reproduced" in notes
    picture = say("plot", "bars-vqa")
    assert picture.startswith("![vqa acc. of 3 rows: lowest no pairs 41.5") and picture.endswith("(plots/bars-vqa.svg)")


def test_pictures_are_named_from_the_page(source, script, made):
    assert script("quantities").quantity(source, ("plot", "bars-vqa"), made).endswith(
        "(results/reference/made/plots/bars-vqa.svg)"
    )


@pytest.mark.parametrize(
    ("words", "cause", "remedy"),
    [
        (("value", "ful", "vqa", "accuracy", "mean"), "unknown row 'ful'", "did you mean 'full'?"),
        (("value", "full", "vqa", "acuracy", "mean"), "unknown task and metric", "did you mean 'vqa accuracy'?"),
        (("value", "full", "vqa", "accuracy", "meen"), "unknown quantity 'meen'", "did you mean 'mean'?"),
        (("value", "full", "vqa"), "3 names where 4 are wanted|2 names where 4", "ROW TASK METRIC WHAT"),
        (("difference", "ful", "vqa", "accuracy", "p"), "unknown row 'ful'", "known"),
        (("reproduced", "certein"), "unknown quantity of a reproduction", "did you mean 'certain'?"),
        (("reproduced", "no pears", "verdict"), "unknown row with a published", "did you mean 'no pairs'?"),
        (("reproduced", "certain", "metric=CIDEr"), "no paper prints such numbers", "leave the block out"),
        (("count", "row"), "unknown count 'row'", "did you mean 'rows'?"),
        (("notes", "tabel"), "unknown table 'tabel'", "did you mean 'table'?"),
        (("table", "metrics=acuracy"), "unknown metric 'acuracy'", "accuracy"),
        (("plot", "bar-vqa"), "unknown plot 'bar'", "did you mean 'bars'?"),
    ],
)
def test_mistakes(words, cause, remedy, say):
    with pytest.raises(UserError, match=cause) as error:
        say(*words)
    assert remedy in error.value.remedy
