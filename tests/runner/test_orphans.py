"""What may go, and what never does: links, files of the user's own, odd names, what somebody holds."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

import pytest

from vlpbench.records import Claims
from vlpbench.runner.orphans import Orphan, orphans, remove
from vlpbench.runner.wanted import Wanted, dead_claims

OLD, NEW = "prefix-lm-s0-0123456789ab", "prefix-lm-s0-ba9876543210"
PRETRAIN, UNUSED = "pretrain-0123456789abcdef", "fine-tune-fedcba9876543210"


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """Two records and two stages; one of each is of no use, and one stage has left its checkpoint."""
    folder = tmp_path / "results" / "demo"
    for name in (OLD, NEW):
        write(folder / "cells" / name / "settings.json", "{}")
        write(folder / "cells" / name / "predictions" / "vqa-zero-shot.parquet", "rows")
    for name in (PRETRAIN, UNUSED):
        write(folder / "stages" / name / "stage.json", "{}")
        write(folder / "stages" / name / "weights.safetensors", "x" * 100)
    write(folder / "stages" / PRETRAIN / "checkpoint" / "checkpoint.json", "{}")
    write(folder / "stages" / PRETRAIN / "checkpoint" / "step-000010.safetensors", "x" * 10)
    return folder


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def wanted(**more: object) -> Wanted:
    return Wanted(**{"records": {NEW}, "stages": {PRETRAIN}, **more})  # type: ignore[arg-type]


def named(found: list[Orphan], results: Path) -> list[tuple[str, str, str]]:
    return [(one.kind, str(one.path.relative_to(results)), one.kept) for one in found]


def tree(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


def test_what_the_grid_has_no_use_for_is_found_and_measured(results: Path) -> None:
    found = orphans(results, wanted())
    assert named(found, results) == [
        ("record", f"cells/{OLD}", ""),
        ("stage", f"stages/{UNUSED}", ""),
        ("checkpoint", f"stages/{PRETRAIN}/checkpoint", ""),
    ]
    assert [one.bytes for one in found] == [6, 102, 12]


def test_it_goes_and_nothing_else_does(results: Path) -> None:
    before, claims = tree(results), Claims(results / "claims")
    for one in orphans(results, wanted()):
        assert remove(one, results, claims) == ""
    gone = {name for name in before if OLD in name or UNUSED in name or f"{PRETRAIN}/checkpoint" in name}
    assert tree(results) == (before - gone) | {"claims"}
    assert orphans(results, wanted()) == []


def test_what_is_not_known_is_no_orphan(results: Path) -> None:
    found = orphans(results, wanted(stages=None))
    assert [one.kind for one in found] == ["record", "checkpoint"]


def test_what_somebody_holds_is_no_orphan(results: Path) -> None:
    held = {"cell-0123456789ab", UNUSED, PRETRAIN}
    assert orphans(results, wanted(held=held)) == []


def test_what_somebody_takes_after_the_listing_is_left_alone(results: Path) -> None:
    claims = Claims(results / "claims")
    before = tree(results / "cells") | tree(results / "stages")
    found = orphans(results, wanted())
    taken = [claims.take(name) for name in ("cell-0123456789ab", UNUSED, PRETRAIN)]
    assert [remove(one, results, claims) for one in found] == ["somebody uses it now"] * 3
    assert tree(results / "cells") | tree(results / "stages") == before
    for claim in taken:
        assert claim is not None
        claim.release()


def test_what_the_last_run_asked_for_is_listed_and_stays(results: Path) -> None:
    (one, *_) = orphans(results, wanted(last={OLD}))
    assert one.path.name == OLD and "the last run asked for it" in one.kept


@pytest.mark.parametrize("name", ["notes.txt", "predictions/mine.csv", "figures/plot.png", ".hidden"])
def test_a_file_of_the_users_own_keeps_its_folder(results: Path, name: str) -> None:
    write(results / "cells" / OLD / name, "mine")
    write(results / "stages" / UNUSED / name, "mine")
    record, stage, _ = orphans(results, wanted())
    for one in (record, stage):
        assert one.kept.startswith(f"it holds {name.split('/')[0]}") and "vlpbench does not write" in one.kept


@pytest.mark.parametrize("name", [
    "mine", "pretrain", "pretrain-0123", "pretrain-0123456789abcdef-old", "PRETRAIN-0123456789abcdef",
    "notes-0123456789abcdef", "score-0123456789abcdef",
])
def test_a_folder_of_another_name_is_not_ours(results: Path, name: str) -> None:
    write(results / "stages" / name / "weights.safetensors", "mine")
    write(results / "cells" / name / "settings.json", "mine")
    assert not [one for one in orphans(results, wanted()) if one.path.name == name]


def test_a_linked_folder_is_never_followed(results: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    write(outside / "weights.safetensors", "precious")
    write(outside / "stage.json", "{}")
    linked = results / "stages" / "pretrain-aaaaaaaaaaaaaaaa"
    linked.symlink_to(outside, target_is_directory=True)
    (one,) = [one for one in orphans(results, wanted()) if one.path == linked]
    assert one.kept == "it is a link"
    assert remove(Orphan("stage", linked, 0), results, Claims(results / "claims")) == "it is no longer what was listed"
    assert linked.is_symlink() and tree(outside) == {"weights.safetensors", "stage.json"}


def test_a_link_inside_keeps_its_folder(results: Path, tmp_path: Path) -> None:
    outside = write(tmp_path / "weights.safetensors", "precious")
    path = results / "stages" / UNUSED / "weights.safetensors"
    path.unlink()
    path.symlink_to(outside)
    _, stage, _ = orphans(results, wanted())
    assert stage.kept == "it holds the link weights.safetensors"


@pytest.mark.parametrize("home", ["cells", "stages"])
def test_nothing_is_reached_through_a_linked_parent(results: Path, tmp_path: Path, home: str) -> None:
    elsewhere = tmp_path / "elsewhere"
    (results / home).rename(elsewhere)
    (results / home).symlink_to(elsewhere, target_is_directory=True)
    before = tree(elsewhere)
    assert not [one for one in orphans(results, wanted()) if home in one.path.parts]
    name = {"cells": OLD, "stages": UNUSED}[home]
    listed = Orphan("record" if home == "cells" else "stage", results / home / name, 0)
    assert remove(listed, results, Claims(results / "claims")) == "it is no longer what was listed"
    assert tree(elsewhere) == before


def test_results_that_are_a_link_themselves_are_results(results: Path, tmp_path: Path) -> None:
    linked = tmp_path / "scratch"
    linked.symlink_to(results, target_is_directory=True)
    found = orphans(linked, wanted())
    assert [one.kind for one in found] == ["record", "stage", "checkpoint"]
    assert remove(found[0], linked, Claims(linked / "claims")) == ""
    assert not (results / "cells" / OLD).exists()


def test_a_path_that_climbs_out_is_refused(results: Path, tmp_path: Path) -> None:
    victim = write(tmp_path / "stages" / UNUSED / "weights.safetensors", "precious")
    climbing = Orphan("stage", results / ".." / ".." / "stages" / UNUSED, 0)
    assert remove(climbing, results, Claims(results / "claims")) == "it is no longer what was listed"
    assert victim.is_file()


def test_a_folder_that_became_somebodys_since_it_was_listed_stays(results: Path) -> None:
    record, *_ = orphans(results, wanted())
    write(record.path / "notes.txt", "mine")
    assert remove(record, results, Claims(results / "claims")) == "it is no longer what was listed"
    assert (record.path / "notes.txt").is_file()


def test_only_old_temporaries_of_our_kind_of_name_go(results: Path) -> None:
    home = results / "cells" / NEW
    old = write(home / ".scores.json.ab12cd_3.json", "half")
    deep = write(home / "predictions" / ".vqa.parquet.abcdefgh.parquet", "half")
    top = write(results / ".grid.json.zzzzzzzz.json", "half")
    young = write(home / ".status.json.abcdefgh.json", "half")
    mine = [write(home / name, "mine") for name in (".notes", ".DS_Store", "scores.json.bak")]
    for path in (old, deep, top, *mine):
        os.utime(path, (time.time() - 3600, time.time() - 3600))
    found = [one for one in orphans(results, wanted()) if one.kind == "temporary"]
    assert {one.path for one in found} == {old, deep, top}
    assert [remove(one, results, Claims(results / "claims")) for one in found] == [""] * 3
    assert young.is_file() and all(path.is_file() for path in mine) and not old.exists() and not top.exists()
    assert not [one for one in orphans(results, wanted(held={"cell-ba9876543210"})) if one.path == old]


def test_a_removal_that_was_cut_short_is_ended_by_the_next(results: Path) -> None:
    half = results / "stages" / f".{UNUSED}.deleted"
    (results / "stages" / UNUSED).rename(half)
    (one,) = [one for one in orphans(results, wanted()) if one.path == half]
    assert one.kind == "temporary"
    write(results / "stages" / UNUSED / "weights.safetensors", "again")
    (again,) = [one for one in orphans(results, wanted()) if one.kind == "stage"]
    claims = Claims(results / "claims")
    assert remove(again, results, claims) == "" and remove(one, results, claims) == ""
    assert {path.name for path in (results / "stages").iterdir()} == {PRETRAIN}


def test_claims_of_the_dead_go_and_of_the_living_stay(results: Path) -> None:
    claims = Claims(results / "claims")
    living = claims.take("cell-ba9876543210")
    assert living is not None
    dead = claims.folder / "cell-0123456789ab-000001.json"
    said = json.loads(living.path.read_text())
    write(dead, json.dumps({**said, "name": "cell-0123456789ab", "pid": 2**22 + 1, "start": "1", "token": "dead"}))
    found = [one for one in orphans(results, wanted(dead=tuple(dead_claims(claims)))) if one.kind == "claim"]
    assert [one.path for one in found] == [dead]
    assert remove(found[0], results, claims) == ""
    assert not dead.exists() and claims.holder("cell-ba9876543210") is not None
    living.release()


def test_results_that_are_not_there_have_no_orphans(tmp_path: Path) -> None:
    assert orphans(tmp_path / "none", wanted()) == []


def test_all_that_a_real_run_writes_is_known(ran: Any) -> None:
    found = orphans(ran.results / "mixed", Wanted(set(), set()))
    assert {one.kind for one in found} >= {"record", "stage"}
    assert [one for one in found if one.kept] == []
