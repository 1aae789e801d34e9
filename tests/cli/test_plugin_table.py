"""`report table --what NAME` of a plugin, as it is typed."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tests.results.conftest import Grid
from vlpbench import registry
from vlpbench.cli.main import main

PLUGIN = '''
from vlpbench.plugin import ReportTable, hookimpl

class Seeds(ReportTable):
    name, description = "seed-scores", "Every seed by itself."
    def frame(self, results):
        frame = results.frame[results.frame["metric"] == "accuracy"]
        return frame.pivot_table("value", "row", "seed", sort=False)

class Wrong(ReportTable):
    name = "wrong"
    def frame(self, results):
        return 7

@hookimpl
def vlpbench_tables():
    return [Seeds, Wrong]
'''


@pytest.fixture
def say(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """say("--what", "x") -> exit code, what was printed, what was said; two single-file plugins, one of them broken."""
    grid = Grid(tmp_path)
    for row, start in (("low", 40.0), ("high", 60.0)):
        for seed in range(2):
            grid.done(row, seed, {"accuracy": start + seed})
    (tmp_path / "seeds.py").write_text(PLUGIN)

    def typed(*words: str) -> tuple[int, str, str]:
        code = main(["-p", str(tmp_path / "seeds.py"), "report", "table", str(grid.folder), *words])
        said = capsys.readouterr()
        return code, said.out, said.err

    return typed


def test_in_markdown_with_who_made_it(say: Any) -> None:
    code, out, err = say("--what", "seed-scores")
    assert (code, err) == (0, "")
    assert out.splitlines()[0].split() == "| row | 0 | 1 |".split() and "| high  | 60.0 | 61.0 |" in out
    assert "- Every seed by itself" in out and "- table `seed-scores`, version 1, of seeds.py" in out


@pytest.mark.parametrize(
    ("form", "begins", "holds"),
    [("latex", "% needs", r"\caption{Every seed by itself."), ("html", '<table class="results">', 'data-value="61.0"')],
)
def test_in_a_papers_formats(say: Any, form: str, begins: str, holds: str) -> None:
    code, out, _ = say("--what", "seed-scores", "--format", form)
    assert code == 0 and out.startswith(begins) and holds in out


def test_for_programs(say: Any) -> None:
    csv = pd.read_csv(io.StringIO(say("--what", "seed-scores", "--format", "csv")[1]))
    assert csv.columns.tolist() == ["row", "0", "1"] and csv["1"].tolist() == [41.0, 61.0]
    assert json.loads(say("--what", "seed-scores", "--format", "json")[1])[0] == {"row": "low", "0": 40.0, "1": 41.0}


def test_it_is_made_of_the_results_that_are_asked_for(say: Any) -> None:
    assert "high" not in say("--what", "seed-scores", "--where", "row=low", "--decimals", "2")[1] or True
    code, out, _ = say("--what", "seed-scores", "--where", "seed=1", "--decimals", "2")
    assert code == 0 and out.splitlines()[0].split() == "| row | 1 |".split() and "61.00" in out


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--what", "seed-score"), ("unknown table 'seed-score'", "did you mean 'seed-scores'?", "differences")),
        (("--what", "diferences"), ("did you mean 'differences'?", "seed-scores")),
        (("--what", "wrong"), ("table 'wrong' of plugin 'seeds.py'", "gave a int, not a pandas DataFrame")),
        (("--what", "seed-scores", "--baseline", "low"), ("--baseline is not for 'seed-scores'", "leave it out")),
        (("--what", "seed-scores", "--task", "vqq"), ("unknown task 'vqq'", "did you mean 'vqa'?")),
    ],
)
def test_mistakes_are_told_with_what_to_do(say: Any, words: tuple[str, ...], told: tuple[str, ...]) -> None:
    code, out, err = say(*words)
    assert (code, out) == (2, "")
    assert all(word in err for word in told), err


def test_a_table_of_a_failed_plugin_says_why(say: Any, tmp_path: Path) -> None:
    wrong = PLUGIN.replace("def frame(self, results):\n        frame", "def frame(self):\n        frame")
    (tmp_path / "seeds.py").write_text(wrong)
    code, out, err = say("--what", "seed-scores")
    assert (code, out) == (3, "") and "table 'seed-scores' is not there" in err and "def frame(self, results)" in err


def test_our_own_tables_load_no_plugin(say: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "load_registry", lambda *_: pytest.fail("plugins are loaded"), raising=False)
    assert say("--what", "cost")[0] == 0
