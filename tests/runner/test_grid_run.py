"""A grid goes on whatever its cells do, runs nothing twice, and gives the same bytes wherever it is run."""

from __future__ import annotations

import json
import shutil
from typing import Any

import pytest

GOOD = ("plain", "words", "towers", "words, blind")
SAME = ("scores.json", "curve.jsonl", "settings.json", "predictions/vqa.parquet")

CAUSES = {
    "no-start": "LookupError: no start today",
    "third": "ArithmeticError: the third step",
    "nan": "the loss is not finite at step 2; last figures: ",
    "exits": "the process ended without a word (exit code 7)",
    "misshapen": "corrupt() of 'misshapen' returned 'known' of shape (3,)",
}


def test_failures_do_not_stop_the_others_and_show_in_the_exit_code(ran: Any) -> None:
    assert ran.code == 1
    states = {row: ran.folder(row).state() for row in (*GOOD, *CAUSES)}
    assert states == dict.fromkeys(GOOD, "done") | dict.fromkeys(CAUSES, "failed")
    assert "5 failed" in ran.err and "4 done" in ran.err


@pytest.mark.parametrize("row", CAUSES)
def test_a_failed_cell_says_why(ran: Any, row: str) -> None:
    status = ran.folder(row).status()
    assert status["cause"].startswith(CAUSES[row])
    (line,) = [line for line in ran.err.splitlines() if f"{row}, seed 0" in line and CAUSES[row] in line]
    assert "failed" in line.lower()
    assert status["cause"] in ran.out
    assert ran.folder(row).read("settings.json")["row"] == row


def test_what_is_known_of_a_failure_is_kept(ran: Any) -> None:
    third, nan, misshapen = (ran.folder(row).status() for row in ("third", "nan", "misshapen"))
    assert third["error"] == "ArithmeticError" and 'raise ArithmeticError("the third step")' in third["traceback"]
    assert nan["step"] == 2 and nan["figures"]["nan/loss"] > 0
    assert "first axis is the batch" in misshapen["remedy"]
    assert ran.folder("third").read("timing.json")["seconds"]["pretrain"] > 0
    log = ran.folder("exits").path / "log.txt"
    assert "so long" in log.read_text() and "log.txt" in ran.folder("exits").status()["cause"]


def test_the_table_has_every_row(ran: Any) -> None:
    table = ran.out[ran.out.index("|") :].partition("\n\n")[0]
    lines = {line.split("|")[1].strip(): line for line in table.splitlines() if line.startswith("|")}
    assert set(lines) >= {*GOOD, *CAUSES, "impossible", "*chance*", "*majority*"}
    assert all("failed" in lines[row] for row in CAUSES)
    assert lines["impossible"].count("n/a: prefix-lm needs context, decode, dual has none") >= 2
    assert "n/a: needs decode" in lines["towers"]
    assert "n/a" not in lines["words, blind"].replace("–", "")


def test_a_task_that_cannot_be_run_is_a_sentence_in_the_record(ran: Any) -> None:
    towers, words, plain = (ran.folder(row).read("scores.json")["tasks"] for row in ("towers", "words", "plain"))
    assert towers["captioning"] == {"reason": "n/a: needs decode"}
    assert words["retrieval@zero-shot"] == {"reason": "n/a: pretraining did not train vectors"}
    assert plain["retrieval@zero-shot"] == {"reason": "n/a: pretraining did not train vectors"}
    assert towers["retrieval@zero-shot"]["protocol"] == "zero-shot"
    assert towers["retrieval@zero-shot"]["values"]["IR@1"] >= 0
    assert towers["vqa"]["head"] == "vectors" and words["vqa"]["head"] == "decoder"


def test_a_cell_that_cannot_be_run_leaves_no_folder(ran: Any) -> None:
    assert not ran.folder("impossible").path.exists()
    cell = ran.cell("impossible")
    told = json.loads((ran.results / "mixed" / "grid.json").read_text())
    assert told["cells"][cell.id]["reason"] == cell.reason == "n/a: prefix-lm needs context, decode, dual has none"
    assert told["rows"] == ["plain", "words", "towers", "impossible", *CAUSES, "words, blind"]


def test_observers_are_told_of_each_end(ran: Any) -> None:
    told = {row: state for row, state, _ in ran.heard}
    assert told == dict.fromkeys(GOOD, "done") | dict.fromkeys(CAUSES, "failed")
    assert all(("scores" in keys) == (state == "done") for _, state, keys in ran.heard)


def test_what_is_done_and_what_failed_is_left_alone(ran: Any) -> None:
    plan = ran.plan()
    assert {cell.row for cell in plan.chosen("done")} == set(GOOD)
    assert {cell.row for cell in plan.chosen("failed")} == set(CAUSES)
    assert {cell.row for cell in plan.chosen("skip")} == {"impossible"}
    assert plan.chosen("run") == []
    assert {cell.row for cell in ran.plan(retry=True).chosen("run")} == set(CAUSES)
    assert {cell.row for cell in ran.plan("seeds=[0, 1]").chosen("run")} == {*GOOD, *CAUSES}, "of the new seed"


def test_a_second_run_runs_nothing_and_fails_again(ran: Any) -> None:
    times = {row: (ran.folder(row).path / "status.json").stat().st_mtime_ns for row in (*GOOD, *CAUSES)}
    again = ran.again()
    assert again.code == 1 and again.heard == []
    assert again.out == ran.out
    assert times == {row: (ran.folder(row).path / "status.json").stat().st_mtime_ns for row in (*GOOD, *CAUSES)}


def test_the_same_grid_elsewhere_gives_the_same_bytes(ran: Any, twin: Any) -> None:
    """Other folders, other rows beside it, one cell at a time: every number is the same to the last digit."""
    assert twin.code == 0
    for row in GOOD:
        one, two = ran.folder(row).path, twin.folder(row).path
        assert one.name == two.name
        for name in SAME:
            assert (one / name).read_bytes() == (two / name).read_bytes(), f"{row}: {name}"
        files = ran.folder(row).status()["files"]
        assert files == twin.folder(row).status()["files"] and set(files) >= set(SAME)


def test_cells_that_share_a_pretraining_run_it_once(ran: Any) -> None:
    stages = list((ran.results / "mixed" / "stages").iterdir())
    pretrained = [one for one in stages if one.name.startswith("pretrain-") and (one / "stage.json").is_file()]
    assert len(pretrained) == 2, "words with its blind row, and towers"
    words, blind = ran.folder("words"), ran.folder("words, blind")
    pretraining = [[row for row in one.curve() if row["stage"] == "pretrain"] for one in (words, blind)]
    assert pretraining[0] == pretraining[1] and len(pretraining[0]) == 5
    assert words.read("scores.json")["cost"] == blind.read("scores.json")["cost"]
    tuned = [[row for row in one.curve() if row["stage"] == "vqa"] for one in (words, blind)]
    assert tuned[0] != tuned[1], "what was seen in the fine-tune was not the same"
    assert blind.read("timing.json")["seconds"]["pretrain"] < words.read("timing.json")["seconds"]["pretrain"]
    assert list(ran.folder("plain").read("timing.json")["seconds"]) == ["captioning", "pretrain", "vqa"]


def test_a_cell_that_is_removed_is_the_only_one_run_again(twin: Any) -> None:
    before = {row: twin.folder(row).status()["files"] for row in GOOD}
    shutil.rmtree(twin.folder("words").path)
    assert [cell.row for cell in twin.plan().chosen("run")] == ["words"]
    again = twin.again()
    assert again.code == 0 and [row for row, _, _ in again.heard] == ["words"]
    assert {row: twin.folder(row).status()["files"] for row in GOOD} == before, "its pretraining was still there"


@pytest.mark.parametrize("name", ["scores.json", "predictions/vqa.parquet", "settings.json"])
def test_a_damaged_cell_is_to_be_run_again(twin: Any, name: str) -> None:
    path = twin.folder("plain").path / name
    whole = path.read_bytes()
    path.write_bytes(whole[:-2])
    assert [cell.row for cell in twin.plan().chosen("run")] == ["plain"]
    path.write_bytes(whole)
    assert twin.plan().chosen("run") == []


def test_lost_weights_are_made_again_and_are_the_same(twin: Any) -> None:
    before = twin.folder("towers").status()["files"]
    for weights in (twin.results / "mixed" / "stages").glob("*/weights.safetensors"):
        weights.write_bytes(b"cut short")
    shutil.rmtree(twin.folder("towers").path)
    assert twin.again().code == 0
    assert twin.folder("towers").status()["files"] == before
    weights = (twin.results / "mixed" / "stages").glob("*/weights.safetensors")
    whole = sorted(path.parent.name.rpartition("-")[0] for path in weights if path.stat().st_size > 9)
    assert whole == ["fine-tune", "pretrain"], "those that were wanted: zero-shot learns nothing, captions it has none"
