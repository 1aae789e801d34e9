"""A compact copy says what the whole folder says, to the last digit, and whatever cuts it off loses nothing."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vlpbench.cli.main import main
from vlpbench.errors import UserError
from vlpbench.files import write_json
from vlpbench.metrics.recall import Ranks
from vlpbench.records import CellFolder, Claims, StageFolder, cell_folders
from vlpbench.results import load
from vlpbench.results.comparisons import compare_with
from vlpbench.results.compute import compute
from vlpbench.runner.compacting import Compacted, compact
from vlpbench.runner.earlier import asked_in
from vlpbench.runner.export import load_cell

ROWS, SEEDS, IMAGES = ("base", "other, one"), (0, 1, 2), 30
METRICS = [
    ("vqa", "accuracy"), ("vqa", "accuracy[answer_kind=number]"), ("captioning", "CIDEr"), ("captioning", "Bleu_4"),
    ("retrieval", "TR@1"), ("retrieval", "IR@5"), ("retrieval", "rsum"),
]
ASKED = {
    "objective": "none", "backbone": "linear/dual/nano", "blind": False, "data": "d", "budget": {"samples": 8},
    "tasks": ["vqa", "captioning", "retrieval"],
    "protocol": {task: {"samples": 4} for task in ("vqa", "captioning", "retrieval")},
}


def predicted(rng: random.Random) -> dict[str, list[dict[str, Any]]]:
    """What a model might say of thirty pictures."""
    questions = [
        {"question_id": 10 * image + at, "image_id": image, "question": f"what {image}?", "prediction": "yes",
         "answer_type": rng.choice(["number", "other"]), "accuracy": rng.choice([0.0, 0.3, 0.6, 0.9, 1.0])}
        for image in range(IMAGES) for at in range(3)
    ]
    captions = [
        {"image_id": image, "prediction": "a picture", "CIDEr": rng.random(), "Bleu_4": rng.random(), "SPICE": None}
        for image in range(IMAGES)
    ]
    queries = [
        {"direction": way, "query": name, "better": rng.randrange(9), "tied": rng.randrange(2), "right": 1,
         "found": [str(one) for one in range(50)]}
        for way, names in (("image to text", [str(image) for image in range(IMAGES)]),
                           ("text to image", [f"{image}/{at}" for image in range(IMAGES) for at in range(2)]))
        for name in names
    ]
    return {"vqa": questions, "captioning": captions, "retrieval": queries}


def mean(values: list[float]) -> float:
    return sum(values) / len(values)


def hits(rows: list[dict[str, Any]], way: str, k: int) -> float:
    mine = [row for row in rows if row["direction"] == way]
    arrays = (np.array([row[name] for row in mine]) for name in ("better", "tied", "right"))
    return 100 * float(Ranks(*arrays).hits(k).mean())


def values(rows: Mapping[str, list[dict[str, Any]]]) -> dict[str, dict[str, float | None]]:
    """The scores of these predictions."""
    of_number = [row["accuracy"] for row in rows["vqa"] if row["answer_type"] == "number"]
    of_images, of_texts = (hits(rows["retrieval"], *one) for one in (("image to text", 1), ("text to image", 5)))
    return {
        "vqa": {"accuracy": 100 * mean([row["accuracy"] for row in rows["vqa"]]),
                "accuracy[answer_kind=number]": 100 * mean(of_number)},
        "captioning": {"CIDEr": mean([row["CIDEr"] for row in rows["captioning"]]), "Bleu_4": 0.25, "SPICE": None},
        "retrieval": {"TR@1": of_images, "IR@5": of_texts, "rsum": of_images + of_texts},
    }


def finish(results: Path, row: str, seed: int, cell: str) -> CellFolder:
    """A finished cell with the stages that it names."""
    rng = random.Random(f"{row} {seed}")
    folder = CellFolder.of(results, cell, row, f"s{seed}")
    known = {"grid": results.name, "row": row, "seed": seed, "id": cell}
    folder.begin({**known, "settings": ASKED, "versions": {}, "published": {}})
    pretrain, learnt = stage(results, "pretrain", [row, seed]), stage(results, "fine-tune", [row, seed])
    stage(results, "predict", {"learnt": learnt.path.name})
    write_json(folder.path / "pretraining.json", {"stage": pretrain.path.name})
    write_json(folder.path / "fine_tunes.json", {"vqa": learnt.path.name})
    (folder.path / "log.txt").write_text("what it printed\n")
    rows = predicted(rng)
    tasks = {
        task: {"values": found, "reasons": {"SPICE": "no Java"} if "SPICE" in found else {}, "floors": {},
               "ceilings": {}, "protocol": "fine-tune", "head": "", "data": "d", "split": "test", "select": "last",
               "told": {}, "examples": len(rows[task]), "fine_tune": {"samples": 4, "flops": 5}}
        for task, found in values(rows).items()
    }
    curve = [{"stage": "pretrain", "step": step, "loss": rng.random(), "lr": 0.1} for step in range(40)]
    cost = {"parameters": 9, "image_tokens": 4, "samples": 8, "targets": 7, "flops": 6}
    folder.finish({"tasks": tasks, "cost": cost, "left_out": {}}, curve, rows, {
        "timing": {"total": 6.0, "seconds": {"pretrain": 4.0, "vqa": 2.0}}, "environment": {"device": "cpu"},
    })
    return folder


def stage(results: Path, kind: str, decided_by: Any, told: Mapping[str, Any] | None = None) -> StageFolder:
    """One that has been run and took a while."""
    one = StageFolder.of(results, kind, decided_by if isinstance(decided_by, dict) else {"by": decided_by})
    one.begin()
    if kind != "tune":
        one.weights.write_bytes(bytes(5_000))
    one.close(told or {}, facts={"seconds": 3.25})
    return one


def order(
    results: Path, seeds: tuple[int, ...] = SEEDS, rows: tuple[str, ...] = ROWS, **more: Any
) -> dict[str, dict[str, Any]]:
    """Write `grid.json`; cell id -> what it says."""
    lines = [(row, seed) for row in rows for seed in seeds]
    cells = {f"{100 * ROWS.index(row) + seed:012x}": {"row": row, "seed": seed, "reason": None} for row, seed in lines}
    write_json(results / "grid.json", {
        "schema": 1, "name": "small", "description": "", "rows": rows, "tasks": ASKED["tasks"], "cells": cells, **more,
    })
    return cells


@pytest.fixture(scope="session")
def _whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    results = tmp_path_factory.mktemp("whole") / "small"
    for cell, said in order(results).items():
        finish(results, said["row"], said["seed"], cell)
    stage(results, "tune", {"settings": {}}, {"choice": {"optim.lr": 0.1}, "tried": []})
    return results


@pytest.fixture
def whole(_whole: Path, tmp_path: Path) -> Path:
    """Two rows of three seeds, all finished; a test may change it."""
    return Path(shutil.copytree(_whole, tmp_path / "small"))


def every_file(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def told(results: Path) -> Iterator[Any]:
    """All that tables, tests and plots are made of."""
    found = load(results)
    yield json.loads(found.frame.to_json(orient="records", double_precision=15))
    yield found.curves().to_dict("records")
    for target in ("seeds", "examples", "both"):
        yield repr(compare_with(found, "base", METRICS, target))  # type: ignore[arg-type]
    for task, metric in METRICS:
        if metric not in ("Bleu_4", "rsum"):
            yield found.examples(task, metric).to_dict("records")
    yield repr(compute(found))


def test_all_is_said_as_before_to_the_last_digit(whole: Path, tmp_path: Path) -> None:
    found = compact(whole, tmp_path / "copy" / "small")
    assert len(found.written) == 6 and not (found.kept or found.left or found.orphans or found.pending)
    assert list(told(whole)) == list(told(tmp_path / "copy" / "small"))
    assert any("p_value" in said or "p=" in said for said in told(whole) if isinstance(said, str))


def test_it_is_small_and_holds_no_answers_and_no_weights(whole: Path, tmp_path: Path) -> None:
    compact(whole, tmp_path / "copy")
    files = every_file(tmp_path / "copy")
    assert {name.rpartition("/")[2] for name in files} == {
        "grid.json", "stage_times.json", "stage.json", "run.json", "settings.json", "scores.json", "status.json",
        "timing.json", "environment.json", "pretraining.json", "fine_tunes.json", "curve.jsonl.xz", "vqa.parquet",
        "captioning.parquet", "retrieval.parquet",
    }
    alike = [name for name in files if name.endswith(".json") and name.rpartition("/")[2] not in (
        "status.json", "stage_times.json")]
    assert {name: files[name] for name in alike} == {name: every_file(whole)[name] for name in alike}


def test_twice_changes_no_byte_wherever_it_starts(whole: Path, tmp_path: Path) -> None:
    compact(whole, tmp_path / "copy")
    files = every_file(tmp_path / "copy")
    times = {name: (tmp_path / "copy" / name).stat().st_mtime_ns for name in files}
    again = compact(whole, tmp_path / "copy")
    assert len(again.kept) == 6 and not again.written
    assert times == {name: (tmp_path / "copy" / name).stat().st_mtime_ns for name in every_file(tmp_path / "copy")}
    compact(tmp_path / "copy", tmp_path / "copy of the copy")
    compact(whole, whole)
    assert every_file(whole) == every_file(tmp_path / "copy of the copy") == files
    assert compact(whole, whole) == Compacted("small", (), again.kept, {}, (), 0)


def test_in_place_only_what_is_new_is_made_small(whole: Path) -> None:
    compact(whole, whole)
    before = every_file(whole)
    for cell, said in order(whole, (*SEEDS, 3)).items():
        if said["seed"] == 3:
            finish(whole, said["row"], 3, cell)
    hours = compute(load(whole)).hours
    found = compact(whole, whole)
    assert found.written == ("base, seed 3", "other, one, seed 3") and len(found.kept) == 6 and found.stages == 6
    after = every_file(whole)
    assert {name for name in before if before[name] != after[name]} == {"grid.json", "stage_times.json"}
    assert compute(load(whole)).hours == pytest.approx(hours, abs=1e-12)
    assert {one.state() for one in cell_folders(whole)} == {"done"}


def test_whole_and_copy_together_count_once(whole: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy" / "small"
    compact(whole, copy)
    for folders in ([whole, copy], [copy, whole]):
        found = load(*folders)
        assert found.conflicts == () and len(found.records()) == 6
        assert compute(found).hours == compute(load(whole)).hours
        assert {one.cell.path.parents[1] for one in found.records()} == {whole}, "which has more to show"


@pytest.mark.parametrize("name", ["replace", "unlink"])
@pytest.mark.parametrize("here", [True, False])
def test_wherever_it_is_cut_off_nothing_is_lost(
    tmp_path: Path, here: bool, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before a file takes its name, or goes: the record is there, and the next time ends as it would have."""
    whole = tmp_path / "whole" / "small"
    for cell in order(whole, (0,), ROWS[:1]):
        finish(whole, "base", 0, cell)
    smooth = Path(shutil.copytree(whole, tmp_path / "smooth"))
    compact(smooth, smooth if here else tmp_path / "smoothly")
    wanted = shown(smooth if here else tmp_path / "smoothly")
    for at in range(1, 100, 2):
        results = Path(shutil.copytree(whole, tmp_path / str(at) / "small"))
        folder = results if here else results.parent / "copy"
        with monkeypatch.context() as patch:
            patch.setattr(Path, name, cutting(getattr(Path, name), at))
            try:
                compact(results, folder)
            except KeyboardInterrupt:
                assert [one.state() for one in cell_folders(results)] == ["done"]
            else:
                assert at > 4
                break
        compact(results, folder)
        assert shown(folder) == wanted


def shown(folder: Path) -> dict[str, bytes]:
    """The files of a folder that are no leftovers."""
    return {name: said for name, said in every_file(folder).items() if "/." not in f"/{name}" and "claims/" not in name}


def cutting(was: Callable[..., Any], at: int) -> Callable[..., Any]:
    """The same, but the call of that number is a Ctrl-C."""
    count = [0]

    def instead(*words: Any, **more: Any) -> Any:
        count[0] += 1
        if count[0] == at:
            raise KeyboardInterrupt
        return was(*words, **more)

    return instead


def test_what_is_not_finished_is_named_and_not_copied(whole: Path, tmp_path: Path) -> None:
    cells = order(whole, (0, 1, 2, 3))
    folders = {f"{said['row']} {said['seed']}": CellFolder(whole / "cells" / one.folder)
               for one, said in zip(sorted(asked_in(whole), key=lambda one: one.id), cells.values(), strict=True)}
    folders["base 0"].fail("no memory\nfor it", {}, {})
    (folders["base 1"].path / "predictions" / "vqa.parquet").write_bytes(b"")
    claim = Claims(whole / "claims").take(f"cell-{folders['base 2'].path.name[-12:]}")
    assert claim is not None
    with claim:
        found = compact(whole, tmp_path / "copy")
    assert found.left == {"base, seed 0": "failed: no memory", "base, seed 1": "damaged", "base, seed 2": "running"}
    assert found.pending == 2 and len(found.written) == 3
    assert len(list((tmp_path / "copy" / "cells").iterdir())) == 3
    order(whole, (0,))
    assert len(compact(whole, tmp_path / "other").orphans) == 4
    assert len(list((tmp_path / "other" / "cells").iterdir())) == 1


def test_stages_that_a_cell_may_go_on_from_stay_in_place(whole: Path) -> None:
    order(whole, (*SEEDS, 3))
    loose = stage(whole, "pretrain", ["base", 3])
    found = compact(whole, whole)
    assert found.stages == 18 and found.stages_left.keys() == {loose.path.name} and found.pending == 2
    assert loose.told() == {}
    order(whole)
    assert compact(whole, whole).stages == 1 and not loose.path.exists()
    assert [one.name[:5] for one in (whole / "stages").iterdir()] == ["tune-"]


def test_a_copy_grows_and_is_refused_where_it_would_lose_cells(whole: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    order(whole, (0, 1))
    assert len(compact(whole, copy).written) == 4
    order(whole)
    found = compact(whole, copy)
    assert (len(found.written), len(found.kept)) == (2, 4)
    order(whole, (0,))
    with pytest.raises(UserError, match="has not: base, seed 1 and 3 more"):
        compact(whole, copy)
    order(whole, name="another")
    with pytest.raises(UserError, match="holds the results of 'small', not of 'another'"):
        compact(whole, copy)
    order(whole)
    cell = next(cell_folders(whole))
    shutil.rmtree(copy / "cells" / cell.path.name)
    shutil.copytree(cell.path, copy / "cells" / cell.path.name)
    (why,) = compact(whole, copy).left.values()
    assert why.startswith(f"{copy} has a whole record of it")


def test_a_record_that_was_scored_again_is_copied_again(whole: Path, tmp_path: Path) -> None:
    compact(whole, tmp_path / "copy")
    cell = next(cell_folders(whole))
    scores = cell.read("scores.json")
    scores["tasks"]["captioning"]["values"]["SPICE"] = 0.5
    cell.score_again(scores, {})
    assert len(compact(whole, tmp_path / "copy").written) == 1
    assert CellFolder(tmp_path / "copy" / "cells" / cell.path.name).read("scores.json") == scores


def test_what_no_grid_is(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"has no grid\.json"):
        compact(tmp_path, tmp_path / "copy")
    (tmp_path / "small").mkdir()
    order(tmp_path / "small")
    with pytest.raises(UserError, match="small"):
        compact(tmp_path, tmp_path / "copy")
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="is a file"):
        compact(tmp_path / "small", tmp_path / "file")


def test_two_are_compared_whichever_is_small(whole: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    copy = tmp_path / "copy" / "small"
    compact(whole, copy)
    assert main(["diff", str(whole), str(copy)]) == 0
    assert "6 pairs of finished cells: 6 of equal numbers, 0 of others" in capsys.readouterr().out
    said = []
    for results in (whole, copy):
        main(["diff", f"{results}:base-s0", f"{results}:base-s1"])
        said += [line for line in capsys.readouterr().out.splitlines() if "rows differ" in line]
    assert len(said) == 6 and "vqa" in "".join(said[3:]) and "0 of them in the answer" in said[3]


def test_a_run_takes_its_cells_as_done(ran: Any, tmp_path: Path) -> None:
    """Those that failed are not there: it would run them. A model is asked for in vain."""
    found = compact(ran.results / "mixed", tmp_path / "mixed")
    assert len(found.left) == 5 and all(why.startswith("failed") for why in found.left.values())
    plan = type(ran)(ran.file, tmp_path).plan()
    was = ran.plan()
    assert [cell.row for cell in plan.chosen("done")] == [cell.row for cell in was.chosen("done")]
    assert sorted(cell.row for cell in plan.chosen("run")) == sorted(who.rpartition(",")[0] for who in found.left)
    with pytest.raises(UserError, match="a compact record: it keeps scores of single examples, and no models"):
        load_cell(tmp_path / "mixed" / "cells" / ran.cell("words").folder, "cpu")
