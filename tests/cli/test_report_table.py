"""`vlpbench report table` as it is typed: every format, what it says to mistakes, and what stands under a run."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tests.results.conftest import Grid
from vlpbench.cli import report_table
from vlpbench.cli.main import main
from vlpbench.cli.report_table import table_text
from vlpbench.results import load
from vlpbench.results.tables import Asked, long


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two rows of three seeds."""
    grid = Grid(tmp_path)
    for row, start, objective in (("low", 40.0, "contrastive"), ("high", 60.0, "prefix-lm")):
        for seed in range(3):
            grid.done(row, seed, {"accuracy": start + seed * start / 50}, settings={"objective": objective})
    return grid.folder


@pytest.fixture
def say(folder: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """say("--what", "cost") -> exit code, what was printed, and what was said to the person."""

    def typed(*words: str) -> tuple[int, str, str]:
        code = main(["report", "table", str(folder), *words])
        said = capsys.readouterr()
        return code, said.out, said.err

    return typed


def test_plain_it_is_what_stands_under_a_run(say: Any, folder: Path) -> None:
    code, out, err = say()
    assert (code, err) == (0, "") and out == table_text((folder,)) + "\n"
    lines = out.splitlines()
    assert lines[2].startswith("| low") and "**61.2 ± 1.2**" in lines[3] and lines[4].startswith("| *chance*")
    assert "- pretraining: 36,000 samples of digits" in lines
    assert sum(line.startswith("| row") for line in lines) == 2, "scores, and what they cost"


@pytest.mark.parametrize(
    ("words", "first"),
    [
        (("--what", "differences", "--baseline", "low"), "| row   | score    | Δ"),
        (("--what", "cost"), "| row   | parameters (M)"),
        (("--rows", "objective"), "| objective   | vqa acc."),
        (("--columns", "objective"), "|    | vqa acc. contrastive"),
        (("--baseline", "low", "--decimals", "2"), "| row        | vqa acc.         | vqa Δ"),
        (("--beside", "flops", "--no-caption"), "| row        | pretraining TFLOP   | vqa acc."),
        (("--format", "latex"), "% needs"),
        (("--format", "html"), '<table class="results">'),
        (("--where", "objective=prefix-lm", "--task", "vqa", "--caption"), "| row        | vqa acc."),
    ],
)
def test_what_can_be_typed(say: Any, words: tuple[str, ...], first: str) -> None:
    code, out, err = say("--metric", "accuracy", *words)
    assert (code, err) == (0, "") and out.startswith(first), out.splitlines()[0]


def test_captions_are_for_paper(say: Any) -> None:
    assert "Mean ± standard deviation over n = 3 seeds" in say("--format", "html")[1].partition("</caption>")[0]
    assert "<caption>" not in say("--format", "html", "--no-caption")[1]
    assert "Bold: the best mean of each column and all" in say("--bold", "significant")[1]
    assert "Bold: the best mean of each column." in say("--bold", "best", "--caption")[1]


def test_programs_get_a_line_a_row_task_metric(say: Any) -> None:
    _, out, _ = say("--format", "csv", "--baseline", "low", "--metric", "accuracy")
    low, high = csv.DictReader(io.StringIO(out))
    assert (low["row"], high["row"], high["baseline"], high["is_best"]) == ("low", "high", "low", "True")
    assert float(high["difference"]) == pytest.approx(20.4) and low["difference"] == ""
    _, out, _ = say("--format", "json", "--rows", "objective", "--metric", "accuracy")
    assert [(one["objective"], one["n"]) for one in json.loads(out)] == [("contrastive", 3), ("prefix-lm", 3)]


def test_numbers_come_back_as_they_are(say: Any, folder: Path) -> None:
    wanted = long(load(folder), Asked(metrics=("accuracy",)))
    lines = pd.read_csv(io.StringIO(say("--format", "csv", "--metric", "accuracy")[1]))
    objects = json.loads(say("--format", "json", "--metric", "accuracy")[1])
    for name in ("mean", "std", "interval"):
        assert lines[name].tolist() == wanted[name].tolist()
        assert [one[name] for one in objects] == pytest.approx(wanted[name].tolist(), rel=1e-14)


def test_before_any_cell_has_finished_there_is_no_table_of_costs(tmp_path: Path) -> None:
    waiting = Grid(tmp_path, "waiting")
    waiting.plan("a", 0)
    said = table_text((waiting.folder,))
    assert said.splitlines()[2].split() == ["|", "a", "|", "pending", "|", "pending", "|"]
    assert said.endswith("- No cell has finished")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--baseline", "lwo"), ("unknown row 'lwo'", "did you mean 'low'?")),
        (("--rows", "objectiv"), ("unknown setting 'objectiv'", "did you mean 'objective'?")),
        (("--where", "objective"), ("'objective' is no setting with a value", "--where objective=prefix-lm")),
        (("--where", "objective=prefix"), ("unknown value of objective 'prefix'", "did you mean 'prefix-lm'?")),
        (("--task", "vqq"), ("unknown task 'vqq'", "did you mean 'vqa'?")),
        (("--metric", "acuracy"), ("unknown metric 'acuracy'", "did you mean 'accuracy'?")),
        (("--beside", "flosp"), ("unknown column 'flosp'", "did you mean 'flops'?")),
        (("--what", "differences"), ("no row to take differences to", "'low', 'high'")),
        (("--alpha", "5"), ("a level of 5 is no level of a test", "0.05")),
        (("--about", "seed"), ("seeds", "examples", "both")),
    ],
)
def test_mistakes_are_told_with_what_to_do(say: Any, words: tuple[str, ...], told: tuple[str, ...]) -> None:
    code, out, err = say(*words)
    assert (code, out) == (2, "")
    assert all(word in err for word in told), err


def test_what_cannot_be_tested_by_examples_is_said(say: Any) -> None:
    """These records have no predictions."""
    code, out, _ = say("--about", "examples", "--baseline", "low", "--metric", "accuracy")
    assert code == 0 and "not tested: " in out and "61.2 ± 1.2" in out


def test_a_fault_in_a_test_costs_no_run_its_table(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def faulty(*_: Any) -> Any:
        raise ZeroDivisionError("float division by zero")

    monkeypatch.setattr(report_table, "build", faulty)
    with pytest.raises(ZeroDivisionError):
        report_table.text_of_results((folder,), report_table.Asked(), "md", caption=None)
    said = table_text((folder,))
    assert "| high       | 61.2 ± 1.2" in said
    assert "nothing was tested: ZeroDivisionError: float division by zero" in said
