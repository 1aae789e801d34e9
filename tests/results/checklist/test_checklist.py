"""An answer is drawn from the records or left to the author in plain words; no yes is invented."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest

from vlpbench.cli.main import main
from vlpbench.errors import UserError
from vlpbench.files import write_json
from vlpbench.registry import Registry, load_registry
from vlpbench.results import load
from vlpbench.results.checklist import VENUES, Item, checklist, checklist_text

PROTOCOL = {"vqa": {"lr": 0.001, "warmup": 0.1, "batch": 64, "samples": 6_400}}
OPTIM = {"lr": 0.002, "warmup": 0.05, "weight_decay": 0.01, "beta1": 0.9, "beta2": 0.98, "clip": 1.0}
IMAGE = {"size": 32, "crop": 1.0, "flip": False, "mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.5]}
DIGITS = {"kind": "digits", "train": 6_000, "val": 500, "test": 500}
SETTINGS: dict[str, Any] = {
    "optim": OPTIM, "image": IMAGE, "protocol": PROTOCOL, "sources": {"digits": DIGITS}, "select": "last",
}
TUNED = {
    "task": "vqa", "samples": 100, "choice": {"optim.lr": 0.003},
    "tried": [{"settings": {"optim.lr": 0.001}, "score": None, "reason": "NaN", "flops": 0},
              {"settings": {"optim.lr": 0.003}, "score": 42.5, "flops": 7}],
}


@pytest.fixture(scope="module")
def registry() -> Registry:
    return load_registry()


def item(found: Sequence[Item], start: str) -> Item:
    (one,) = [one for one in found if one.number == start or one.asks.startswith(start)]
    return one


def says(found: Sequence[Item], start: str) -> str:
    return "\n".join(item(found, start).says)


def must(found: Sequence[Item], start: str) -> str:
    return "\n".join(item(found, start).must)


def seeds(grid: Any, row: str, count: int, **settings: Any) -> None:
    for seed in range(count):
        grid.done(row, seed, {"accuracy": 50.0 + seed}, settings=SETTINGS | settings)


def test_error_bars_say_what_they_are_and_what_seeds_cannot_carry(grid: Any, registry: Registry) -> None:
    seeds(grid, "a", 3)
    seeds(grid, "b", 2)
    grid.failed("b", 2, "NaN")
    said = says(checklist(load(grid.folder), registry, "neurips"), "7")
    assert "seeds a row: 3 (row a) or 2 (row b)" in said
    assert "sample standard deviation (n − 1)" in said
    assert "Holm" in said
    assert "2 seeds can never pass an exact sign-flip test" in said
    assert "cells without a result (1 failed)" in said



def test_a_blind_row_is_no_comparison(grid: Any, registry: Registry) -> None:
    for row, settings in (("a", SETTINGS), ("b", SETTINGS), ("c", SETTINGS), ("a, blind", {**SETTINGS, "blind": True})):
        for seed in range(2):
            grid.done(row, seed, {"accuracy": 40.0 + seed}, settings=settings)
    said = says(checklist(load(grid.folder), registry, "neurips"), "7")
    assert "under Holm over 2 comparisons" in said


def test_one_seed_has_no_error_bars(grid: Any, registry: Registry) -> None:
    seeds(grid, "a", 1)
    said = says(checklist(load(grid.folder), registry, "neurips"), "7")
    assert "no error bars, no interval and no test" in said
    assert "Holm" not in said


def test_settings_are_told_and_their_choice_is_the_authors_without_a_search(grid: Any, registry: Registry) -> None:
    seeds(grid, "a, b", 1)
    seeds(grid, "c", 1, optim=OPTIM | {"lr": 0.004})
    found = checklist(load(grid.folder), registry)
    said = says(found, "6")
    assert "learning rate 0.002 (row 'a, b') or 0.004 (row c)" in said
    assert "readout of vqa: lr 0.001, warmup 0.1, batch 64" in said
    assert "digits: train 6,000, val 500, test 500 images" in said
    assert "settings in which rows differ: optim.lr; all others are alike" in says(found, "4")
    assert "the records hold no search" in must(found, "6")
    for start in ("Bounds", "Configuration of the best"):
        assert item(found, start).answered == "not from records"


def test_a_search_is_told_with_bounds_trials_choice_and_validation_score(grid: Any, registry: Registry) -> None:
    for seed in range(2):
        grid.done("a", seed, {"accuracy": 50.0}, settings=SETTINGS, scores={"tuned": TUNED})
    found = checklist(load(grid.folder), registry)
    assert "optim.lr: 0.001 to 0.003 (tried: 0.001, 0.003)" in says(found, "Bounds")
    assert "search trials a row: 2" in says(found, "Bounds")
    assert "1 of the tries have no score" in says(found, "Bounds")
    assert item(found, "Bounds").answered == "answered"
    assert "a: the chosen try scored 42.5 in vqa on the validation split" in says(found, "Validation score")
    assert "test scores stand alone in 1 row" in must(found, "Validation score")
    assert "optim.lr=0.003 (42.5)" in says(found, "Configuration of the best")


def test_scores_on_both_splits_stand_beside_each_other(grid: Any, registry: Registry) -> None:
    seeds(grid, "a", 1)
    grid.done("a", 1, {"accuracy": 40.0}, settings=SETTINGS, task={"split": "val"})
    found = checklist(load(grid.folder), registry, "acl")
    assert "a: vqa accuracy 40 on validation, 50 on test" in says(found, "Validation score")
    assert item(found, "Validation score").answered == "answered"


def test_data_of_files_is_the_authors_to_link_and_license(grid: Any, registry: Registry) -> None:
    sources = {"digits": DIGITS, "web": {"kind": "table", "folder": "web"}}
    seeds(grid, "a", 1, sources=sources, init={"stem": "theirs.pt"})
    found = checklist(load(grid.folder), registry)
    assert "data set digits: made from its settings, no download (handwriting of scikit-learn (UCI, CC BY 4.0))" in (
        says(found, "5")
    )
    assert "files of web" in must(found, "5")
    assert "name the licence and terms of web" in must(found, "12")
    assert "theirs.pt" in must(found, "12")
    assert "vlpbench: Apache-2.0" in says(found, "12")
    assert "sizes of the splits of web" in must(found, "Sizes of training")


def test_what_ran_is_told_from_the_environment_and_nothing_is_made_up_without(grid: Any, registry: Registry) -> None:
    seeds(grid, "a", 1)
    bare = checklist(load(grid.folder), registry, "neurips")
    assert "software" not in says(bare, "4")
    (path,) = (grid.folder / "cells").iterdir()
    write_json(path / "environment.json", {
        "device": "H100", "gpu_memory": "80 GiB", "torch": "2.9", "versions": {"timm": "1.0"},
        "plugins": {"vlpbench-x": "2.0"}, "command": "vlpbench run grid small",
        "git": {"vlpbench": {"commit": "a" * 40, "dirty": True}},
    })
    said = says(checklist(load(grid.folder), registry, "neurips"), "4")
    assert "torch 2.9, timm 1.0" in said
    assert "commit of vlpbench: aaaaaaaaaaaa with changes in no commit" in said
    assert "plugins: vlpbench-x 2.0" in said
    assert "`vlpbench run grid small`" in said


def test_what_was_left_out_and_cut_is_told(grid: Any, registry: Registry) -> None:
    left_out = {"digits/train": {"count": 3, "first": ["x"]}}
    cut = {"cut_texts": {"cut": 5, "of": 100, "length": 24}}
    grid.done("a", 0, {"accuracy": 1.0}, settings=SETTINGS, left_out=left_out, scores=cut)
    said = says(checklist(load(grid.folder), registry, "acl"), "Pre-processing")
    assert "digits/train: 3 samples were left out" in said
    assert "up to 5 of 100 texts were cut at 24 tokens" in said
    assert "flipped no, mean 0.5, 0.5, 0.5" in said


def test_nothing_finished_answers_nothing_about_scores(grid: Any, registry: Registry) -> None:
    grid.failed("a", 0, "x")
    found = checklist(load(grid.folder), registry)
    assert item(found, "7").says == ()
    assert "cells: 1 failed" in says(found, "Exact number")
    assert "no cell has finished" in must(found, "Validation score")


def test_every_item_has_an_answer_or_says_that_it_is_yours(grid: Any, registry: Registry) -> None:
    seeds(grid, "a", 2)
    found = checklist(load(grid.folder), registry)
    assert {one.venue for one in found} == {"NeurIPS", "ACL"}
    assert all(one.says or one.must for one in found)
    assert {"4", "5", "6", "7", "8", "12"} <= {one.number for one in found}
    with pytest.raises(UserError, match="unknown venue 'nips'"):
        checklist(load(grid.folder), registry, "nips")


def test_texts() -> None:
    items = [Item("ACL", "", "Is it 100 %?", ("a_b & c",), ("say `x`",)), Item("ACL", "2", "More?", (), ("you",))]
    assert checklist_text(items).splitlines() == [
        "# ACL", "", "## Is it 100 %? (from the records, in part)", "", "- a_b & c", "- **you must**: say `x`",
        "", "## 2. More? (yours to answer)", "", "- **you must**: you",
    ]
    latex = checklist_text(items, "latex")
    assert r"\item[ACL] \emph{Is it 100 \%?} (from the records, in part)" in latex
    assert r"\item[ACL 2]" in latex
    assert r"  \item a\_b \& c" in latex
    assert r"  \item \textbf{You must:} say \texttt{x}" in latex
    assert latex.count(r"\begin") == latex.count(r"\end") == 3
    assert [one["answered"] for one in json.loads(checklist_text(items, "json"))] == ["in part", "not from records"]


@pytest.mark.parametrize("venue", [*VENUES, "all"])
def test_checklist_as_it_is_typed(grid: Any, venue: str, capsys: pytest.CaptureFixture[str]) -> None:
    seeds(grid, "a", 2)
    assert main(["report", "checklist", str(grid.folder), "--venue", venue]) == 0
    heads = [line for line in capsys.readouterr().out.splitlines() if line.startswith("# ")]
    assert heads == {"neurips": ["# NeurIPS"], "acl": ["# ACL"], "all": ["# NeurIPS", "# ACL"]}[venue]
