"""`vlpbench report power` as it is typed."""

from __future__ import annotations

from pathlib import Path

import pytest

from vlpbench.cli.main import main
from vlpbench.records import CellFolder


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """Two rows of four seeds."""
    for row, scores in {"base": (50.0, 52.0, 51.0, 53.0), "up": (55.0, 58.0, 55.5, 59.5)}.items():
        for seed, score in enumerate(scores):
            folder = CellFolder.of(tmp_path / "g", f"{len(row)}{seed:011x}", row, f"s{seed}")
            folder.begin({
                "grid": "g", "row": row, "seed": seed, "id": f"{len(row)}{seed:011x}", "published": {},
                "settings": {"objective": "none", "backbone": "conv3/dual/nano", "blind": False, "tasks": ["vqa"]},
            })
            cost = {"parameters": 1, "image_tokens": 1, "samples": 1, "targets": 1, "flops": 1}
            vqa = {
                "protocol": "fine-tune", "head": "decoder", "data": "d", "split": "test",
                "fine_tune": {"samples": 1}, "values": {"accuracy": score}, "reasons": {},
            }
            folder.finish({"tasks": {"vqa": vqa}, "cost": cost, "left_out": {}}, [], {}, {})
    return tmp_path / "g"


def test_the_answer_goes_to_stdout(results, capsys):
    assert main(["report", "power", str(results), "--baseline", "base", "--gap", "3", "--metric", "accuracy"]) == 0
    shown = capsys.readouterr()
    assert shown.out.startswith("# g: what its seeds and test images can show") and "| vqa acc." in shown.out
    assert "beside 'base', 1 comparison in the table" in shown.out and "Traceback" not in shown.err


def test_choices_reach_the_answer(results, capsys):
    asked = ["--comparisons", "11", "--power", "0.9", "--alpha", "0.01", "--gap", "1.5", "--gap", "7"]
    assert main(["report", "power", str(results), *asked]) == 0
    shown = capsys.readouterr().out
    assert "11 comparisons" in shown and "90%" in shown and "alpha 0.01" in shown
    assert any("| 1.5 " in line and "| 7 " in line for line in shown.splitlines())


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--baseline", "bass"], "did you mean 'base'?"), (["--metric", "acc"], "unknown metric 'acc'"),
        (["--power", "80"], "between 0 and 1"), (["--gap", "-1"], "above 0"), (["--comparisons", "0"], "1 or more"),
    ],
)
def test_mistakes(words, said, results, capsys):
    assert main(["report", "power", str(results), *words]) == 2
    shown = capsys.readouterr()
    assert said in shown.err and not shown.out and "Traceback" not in shown.err


def test_help_teaches(capsys):
    assert main(["report", "power", "--help"]) == 0
    assert capsys.readouterr().out.count("vlpbench report power results/") == 3
