"""The analysis script: what it writes, that it notices whatever is spoilt, and that no row takes another's numbers."""

from __future__ import annotations

import csv
import json
import shutil
import statistics
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

import vlpbench
from vlpbench.errors import UserError

REFERENCE = Path(__file__).parents[2] / "results" / "reference"
COMMITTED = sorted(path.parent.name for path in REFERENCE.glob("*/frame.parquet"))
FILES = [
    "RESULTS.md", "differences.md", "frame.parquet", "plots/bars-vqa.svg", "plots/compute-vqa.svg",
    "plots/reproduction-vqa.svg", "reproduction.csv", "reproduction.md", "table.md", "table.tex",
]


def lines_of(folder: Path) -> list[dict]:
    """The frame, read without the package."""
    return parquet.read_table(folder / "frame.parquet").to_pylist()


def write(folder: Path, lines: list[dict], told: dict | None = None) -> None:
    """The frame with other lines, or with something else told beside it."""
    table = parquet.read_table(folder / "frame.parquet")
    metadata = dict(table.schema.metadata)
    if told is not None:
        metadata[b"vlpbench"] = json.dumps(told).encode()
    changed = pa.Table.from_pylist(lines, schema=table.schema.with_metadata(metadata))
    parquet.write_table(changed, folder / "frame.parquet")


def told_in(folder: Path) -> dict:
    return json.loads(parquet.read_schema(folder / "frame.parquet").metadata[b"vlpbench"])


def swapped(name: str, one: str, other: str) -> str:
    return {one: other, other: one}.get(name, name)


@pytest.mark.parametrize("grid", COMMITTED)
def test_what_is_committed_is_what_its_frame_says(grid, derive):
    assert derive(grid, "--check") == (0, "")


@pytest.mark.parametrize("grid", COMMITTED)
def test_tables_have_the_means_of_the_frame(grid):
    """By plain sums over the frame's lines, so that a fault of the script or of the package is seen here."""
    values: dict[tuple[str, str, str], list[float]] = {}
    for line in lines_of(REFERENCE / grid):
        if line["value"] is not None and line["value"] == line["value"]:
            values.setdefault((line["row"], line["task"], line["metric"]), []).append(line["value"])
    rows, found = table_of(REFERENCE / grid / "table.md"), 0
    for (row, task, metric), mine in values.items():
        said = rows[row].get(f"{task} {'acc.' if metric == 'accuracy' else metric}", "").strip("*†")
        if said and not said.startswith(("n/a", "–")):
            assert said.split(" ")[0] == f"{statistics.fmean(mine):.1f}", (row, task, metric)
            found += 1
    assert found >= len(rows) / 2


def table_of(path: Path) -> dict[str, dict[str, str]]:
    """Row -> column -> what stands there, of the first table of a page; names without emphasis."""
    lines = [line for line in path.read_text(encoding="utf-8").partition("\n\n")[0].splitlines() if line]
    head, _, *body = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return {line[0]: dict(zip(head, line, strict=True)) for line in body}


def test_all_that_is_written(made):
    folder = made / "results" / "reference" / "made"
    assert sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()) == FILES
    page = (folder / "RESULTS.md").read_text(encoding="utf-8")
    assert "| no pairs  | −17.73" in page and "-->−9.5<!-- end -->" in page
    readme = (made / "README.md").read_text(encoding="utf-8")
    assert "made count seeds -->3<!-- end -->, of another <!-- derived: gone x -->1<!-- end -->" in readme
    assert "<!-- matplotlib " in (folder / "plots" / "bars-vqa.svg").read_text(encoding="utf-8")


def test_numbers_for_programs_are_those_of_the_frame(made):
    folder = made / "results" / "reference" / "made"
    scores: dict[str, dict[int, float]] = {}
    published = {}
    for line in lines_of(folder):
        scores.setdefault(line["row"], {})[line["seed"]] = line["value"]
        published[line["row"]] = line["published"]
    with (folder / "reproduction.csv").open(encoding="utf-8", newline="") as file:
        found = {line["row"]: line for line in csv.DictReader(file)}
    assert list(found) == ["no pairs", "like full"]
    for row, line in found.items():
        mine = statistics.fmean(scores[row][seed] - scores["full"][seed] for seed in range(3))
        assert float(line["difference"]) == pytest.approx(mine, rel=1e-5)
        assert float(line["published"]) == pytest.approx(published[row] - published["full"])
        assert all(len(line[name].lstrip("-").replace(".", "").lstrip("0")) <= 6 for name in ("low", "high"))


def test_nothing_is_to_be_done_twice(made, derive):
    assert derive("--home", str(made / "results" / "reference"), "--check") == (0, "")


def test_it_is_run_as_a_program(made):
    where = str(Path(vlpbench.__path__[0]).parent)
    done = subprocess.run(
        [sys.executable, str(REFERENCE / "derive.py"), "mad", "--check", "--home", str(made / "results" / "reference")],
        capture_output=True, text=True, timeout=120, env={"PYTHONPATH": where, "PATH": "", "HOME": str(made)},
    )
    assert done.returncode == 2 and "unknown reference grid 'mad'" in done.stderr and "Traceback" not in done.stderr
    assert "did you mean 'made'?" in done.stderr


def test_files_that_are_changed_or_gone_are_named_and_mended(copy, derive):
    home = copy / "results" / "reference"
    paths = [home / "made" / name for name in FILES if name not in ("RESULTS.md", "frame.parquet")]
    before = {path: path.read_text(encoding="utf-8") for path in paths}
    for path, text in before.items():
        path.write_text(text.replace("0", "8", 1), encoding="utf-8")
        assert path.read_text(encoding="utf-8") != text
    code, said = derive("--home", str(home), "--check")
    assert code == 1 and sorted(said.splitlines()) == sorted(f"{path}: not what the frame says" for path in paths)
    for path in paths:
        path.unlink()
    code, said = derive("--home", str(home), "--check")
    assert code == 1 and sorted(said.splitlines()) == sorted(f"{path}: is missing" for path in paths)
    assert derive("--home", str(home))[0] == 0
    assert {path: path.read_text(encoding="utf-8") for path in paths} == before


def test_a_number_changed_by_hand_is_noticed_and_mended(copy, derive):
    home, pages = copy / "results" / "reference", {}
    for page, number in ((home / "made" / "RESULTS.md", "-->51.0<"), (copy / "README.md", "seeds -->3<")):
        pages[page] = page.read_text(encoding="utf-8")
        assert number in pages[page]
        page.write_text(pages[page].replace(number, number.replace("1.0", "1.4").replace("3", "4")), encoding="utf-8")
    code, said = derive("made", "--home", str(home), "--check")
    assert code == 1 and said.splitlines() == [f"{page}: not what the frame says" for page in pages]
    assert derive("--home", str(home))[0] == 0
    assert {page: page.read_text(encoding="utf-8") for page in pages} == pages


def test_what_is_around_a_block_is_left(copy, derive):
    page = copy / "results" / "reference" / "made" / "RESULTS.md"
    page.write_text(page.read_text(encoding="utf-8") + "\nWhy we think so: 42.\n", encoding="utf-8")
    assert derive("--home", str(copy / "results" / "reference"), "--check") == (0, "")


def test_two_rows_swapped_in_the_frame_are_noticed(copy, derive):
    folder = copy / "results" / "reference" / "made"
    write(folder, [line | {"row": swapped(line["row"], "no pairs", "like full")} for line in lines_of(folder)])
    code, said = derive("--home", str(folder.parent), "--check")
    spoilt = {Path(line.partition(": ")[0]).name for line in said.splitlines()}
    assert code == 1
    assert {"table.md", "table.tex", "differences.md", "reproduction.md", "RESULTS.md", "bars-vqa.svg"} <= spoilt


def test_two_rows_swapped_in_the_published_numbers_are_noticed(copy, derive):
    folder = copy / "results" / "reference" / "made"
    told = told_in(folder)
    (order,) = told["orders"]
    order["published"] = {swapped(row, "no pairs", "like full"): one for row, one in order["published"].items()}
    write(folder, lines_of(folder), told)
    code, said = derive("--home", str(folder.parent), "--check")
    spoilt = {Path(line.partition(": ")[0]).name for line in said.splitlines()}
    assert code == 1 and {"table.md", "reproduction.md", "reproduction.csv", "reproduction-vqa.svg"} <= spoilt


def test_two_rows_swapped_in_a_derived_table_are_noticed(copy, derive):
    names = ["table.md", "table.tex", "differences.md", "reproduction.md", "reproduction.csv", "RESULTS.md"]
    paths = [copy / "results" / "reference" / "made" / name for name in names]
    for path in paths:
        text = path.read_text(encoding="utf-8")
        parts = [part.replace("like full", "no pairs") for part in text.split("no pairs")]
        spoilt = "like full".join(parts)
        assert spoilt != text and spoilt.count("like full") == text.count("no pairs")
        if path.name == "RESULTS.md":  # the words of its blocks are its author's: the rows of the table alone
            start = text.index("| row")
            spoilt = text[:start] + spoilt[len(spoilt) - len(text[start:]):]
        path.write_text(spoilt, encoding="utf-8")
    code, said = derive("--home", str(paths[0].parents[1]), "--check")
    assert code == 1 and sorted(said.splitlines()) == sorted(f"{path}: not what the frame says" for path in paths)


def test_a_picture_that_nothing_derives_is_named_and_removed(copy, derive):
    folder = copy / "results" / "reference" / "made"
    old = folder / "plots" / "bars-gone.svg"
    shutil.copy(folder / "plots" / "bars-vqa.svg", old)
    assert derive("--home", str(folder.parent), "--check") == (1, f"{old}: nothing derives it\n")
    assert derive("--home", str(folder.parent))[0] == 0 and not old.exists()


def test_a_picture_of_another_matplotlib_is_held_to_its_words(copy, derive):
    path = copy / "results" / "reference" / "made" / "plots" / "bars-vqa.svg"
    text = path.read_text(encoding="utf-8")
    head, _, _ = text.rpartition("<!-- matplotlib ")
    other = "<!-- matplotlib 1.2.3 -->\n"
    path.write_text(head.replace("stroke-width: 1.4", "stroke-width: 1.5") + other, encoding="utf-8")
    assert derive("--home", str(path.parents[2]), "--check") == (0, "")
    path.write_text(head.replace("no pairs", "like full") + other, encoding="utf-8")
    assert derive("--home", str(path.parents[2]), "--check")[0] == 1


def test_an_unknown_grid_is_told(made, derive):
    with pytest.raises(UserError, match="unknown reference grid 'mode'"):
        derive("mode", "--home", str(made / "results" / "reference"))


def test_no_frame_is_nothing_to_do(tmp_path, derive):
    assert derive("--home", str(tmp_path), "--check") == (0, "")
