"""`vlpbench report plot` as it is typed: files, words for them, and what it says to mistakes."""

from __future__ import annotations

import pytest

from vlpbench.cli.main import main
from vlpbench.records import CellFolder


@pytest.fixture
def results(tmp_path, monkeypatch):
    """A results folder with two rows, three seeds each; the command runs beside it."""
    monkeypatch.chdir(tmp_path)
    for at, row in enumerate(("prefix-lm", "none")):
        for seed in range(3):
            folder = CellFolder.of(tmp_path / "small", f"{10 * at + seed:012x}", row, f"s{seed}")
            folder.begin({
                "grid": "small", "row": row, "seed": seed, "id": f"{10 * at + seed:012x}", "published": {},
                "settings": {"objective": row, "backbone": "conv3/dual/nano", "blind": False, "tasks": ["vqa"]},
            })
            scored = {
                "protocol": "fine-tune", "head": "decoder", "data": "digits", "split": "test", "examples": 9,
                "fine_tune": {"samples": 64, "flops": 9}, "values": {"accuracy": 40.0 + at + seed}, "reasons": {},
            }
            cost = {"parameters": 9, "image_tokens": 16, "samples": 64, "targets": 9, "flops": 10**12}
            folder.finish({"tasks": {"vqa": scored}, "cost": cost}, [], {}, {"timing": {"total": 3.0}})
    return tmp_path / "small"


def test_one_plot_into_a_file(results, tmp_path, capsys):
    assert main(["report", "plot", str(results), "--kind", "bars", "--out", "a.svg", "--width", "page"]) == 0
    assert (tmp_path / "a.svg").read_text(encoding="utf-8").startswith("<?xml")
    assert capsys.readouterr().out == "a.svg: vqa acc. of 2 rows: lowest prefix-lm 41.0, highest none 42.0\n"


def test_a_name_where_none_is_said(results, tmp_path):
    assert main(["report", "plot", str(results), "--kind", "compute", "--x", "seconds", "--format", "png"]) == 0
    assert (tmp_path / "small-compute.png").read_bytes().startswith(b"\x89PNG")


def test_all_that_can_be_drawn(results, tmp_path, capsys):
    assert main(["report", "plot", str(results)]) == 0
    said = capsys.readouterr()
    assert sorted(path.name for path in (tmp_path / "plots").iterdir()) == [
        "small-bars-vqa.pdf", "small-compute-vqa.pdf",
    ]
    assert [line.partition(":")[0] for line in said.out.splitlines()] == [
        "plots/small-bars-vqa.pdf", "plots/small-compute-vqa.pdf",
    ]
    assert [line.partition(":")[0] for line in said.err.splitlines()] == [
        "no curves", "no recalls", "no questions", "no heatmap", "no reproduction",
    ]


def test_what_one_plot_lacks_does_not_stop_the_others(results, tmp_path, capsys):
    assert main(["report", "plot", str(results), "--all", "there", "--format", "svg", "--x", "seconds"]) == 0
    assert len(list((tmp_path / "there").glob("*.svg"))) == 2


@pytest.mark.parametrize(
    ("options", "cause", "remedy"),
    [
        (("--kind", "bar"), "unknown plot 'bar'", "did you mean 'bars'"),
        (("--kind", "bars", "--out", "a.pgn"), "no plot can be written as '.pgn'", "did you mean a.png"),
        (("--kind", "bars", "--metric", "acuracy"), "unknown metric of vqa", "did you mean 'accuracy'"),
        (("--kind", "bars", "--x", "flops"), "the plot 'bars' takes no option 'x'", "curves, compute"),
        (("--kind", "recalls"), "no row has a recall", "retrieval task"),
        (("--kind", "bars", "--all", "there"), "one kind or all", "leave one of them out"),
        (("--kind", "bars", "--out", "a.svg", "--format", "pdf"), "a.svg is no pdf", "leave --format out"),
        (("--out", "a.svg"), "no kind is named", "--kind"),
        (("--stage", "pretrain"), "none of the plots that can be drawn takes this option", "leave it out"),
        (("--task", "vqaa"), "unknown task 'vqaa'", "did you mean 'vqa'"),
    ],
)
def test_mistakes(options, cause, remedy, results, tmp_path, capsys):
    assert main(["report", "plot", str(results), *options]) == 2
    said = capsys.readouterr().err
    assert cause in said and remedy in said
    assert not list(tmp_path.glob("*.*")) and not (tmp_path / "there").exists()


def test_a_place_that_cannot_be_written(results, tmp_path, capsys):
    (tmp_path / "file").write_text("", encoding="utf-8")
    assert main(["report", "plot", str(results), "--kind", "bars", "--out", "file/a.pdf"]) == 2
    assert "the plot cannot be written" in capsys.readouterr().err
