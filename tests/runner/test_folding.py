"""Which seeds train as one model, and why others do not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from vlpbench.contract.launcher import Place
from vlpbench.files import write_json
from vlpbench.grid import Cell, cells, open_grid
from vlpbench.runner.folding import MOST, Group, groups, is_folding, why_never_together
from vlpbench.runner.rules import Rules
from vlpbench.runner.stages import stages_of
from vlpbench.runner.workbench import opened_here

GPU, RULES = Place("cuda", 0, ("0",)), Rules()
PLUGIN = """
class Draws(Good):
    name = "draws"
    def loss(self, features, batch):
        return Step((1 - features["x"]) * torch.rand(len(batch)))

class Asks(Good):
    name = "asks"
    def loss(self, features, batch):
        return Step((1 - features["x"]) * (1 if features["x"].mean().item() > 2 else 2))

class Wants(Good):
    name, wants = "wants", ("boxes",)

@hookimpl
def vlpbench_objectives():
    return [Good, NoStart, Third, Nan, Exits, Misshapen, Draws, Asks, Wants]
"""


class Yard:
    """A grid's cells, and how they are grouped."""

    def __init__(self, file: Path, results: Path, *overrides: str) -> None:
        plugin = file.parent / "failing.py"
        plugin.write_text(plugin.read_text().rpartition("@hookimpl")[0].rpartition("@hookimpl")[0] + PLUGIN)
        read, self.registry = open_grid(str(file), ("floors=false", *overrides))
        self.cells = cells(read, self.registry, opened_here)
        self.results = results

    def groups(self, place: Place = GPU, rules: Rules = RULES, **more: Any) -> list[Group]:
        more.setdefault("why", lambda cell: None)
        return groups(self.cells, self.results, self.registry, rules, place, **more)

    def said(self, place: Place = GPU) -> list[tuple[str, list[int]]]:
        return [(group.cells[0].row, [cell.seed for cell in group.cells]) for group in self.groups(place)]

    def of(self, row: str) -> Cell:
        return next(cell for cell in self.cells if cell.row == row)


@pytest.fixture
def yard(written: Any, tmp_path: Path) -> Any:
    return lambda rows, *overrides: Yard(written(rows), tmp_path, *overrides)


ROWS = {"plain": 'objective = "none"', "words": 'objective = "prefix-lm"'}


@pytest.mark.parametrize(
    ("pack", "device", "folds"),
    [(None, "cpu", False), (None, "cuda", True), (True, "cpu", True), (False, "cuda", False), (False, "cpu", False)],
)
def test_it_is_for_gpus_unless_somebody_says_otherwise(pack: bool | None, device: str, folds: bool) -> None:
    assert is_folding(Rules(pack=pack), device) is folds


def test_seeds_of_a_row_are_a_group(yard: Any) -> None:
    found = yard(ROWS, "seeds=[0, 1, 2]")
    assert found.said() == [("plain", [0, 1, 2]), ("words", [0, 1, 2])]
    assert all(not group.reason for group in found.groups())
    alone = found.groups(Place("cpu", 4))
    assert alone == [Group((cell,)) for cell in found.cells]
    assert found.groups(rules=Rules(pack=False)) == alone


@pytest.mark.parametrize(("seeds", "sizes"), [(2, [2]), (8, [8]), (9, [4, 5]), (17, [5, 6, 6])])
def test_many_seeds_are_split_evenly(yard: Any, seeds: int, sizes: list[int]) -> None:
    found = yard({"plain": 'objective = "none"'}, f"seeds={[*range(seeds)]}")
    assert [len(group.cells) for group in found.groups()] == sizes and max(sizes) <= MOST
    assert [cell for group in found.groups() for cell in group.cells] == found.cells


def test_no_gpu_is_left_idle(yard: Any) -> None:
    found = yard({"plain": 'objective = "none"'}, "seeds=[0, 1, 2, 3, 4, 5]")
    three = Place("cuda", 0, ("0", "1", "2"))
    assert [len(group.cells) for group in found.groups(three)] == [2, 2, 2]
    six = Place("cuda", 0, tuple("012345"))
    assert {group.reason for group in found.groups(six)} == {"there is a GPU for each cell"}


def test_what_decides_numbers_keeps_cells_apart(yard: Any) -> None:
    rows = ROWS | {"slow": 'objective = "prefix-lm"\n"optim.lr" = 1e-4'}
    assert yard(rows, "seeds=[0, 1]").said() == [("plain", [0, 1]), ("words", [0, 1]), ("slow", [0, 1])]
    (one, two) = yard(ROWS).groups()
    assert one.reason == two.reason == "no other seed of it is to be run"


def test_a_cell_that_has_come_further_goes_alone(yard: Any) -> None:
    found = yard({"words": 'objective = "prefix-lm"'}, "seeds=[0, 1, 2, 3]")
    def stage(seed: int) -> Any:
        return next(iter(stages_of(found.cells[seed], found.results, found.registry))).folder

    write_json(stage(1).checkpoint / "checkpoint.json", {"step": 2})
    assert found.said() == [("words", [0, 2, 3]), ("words", [1])]
    assert found.groups()[1].reason == "goes on from another place than its other seeds"
    for seed in (2, 3):
        write_json(stage(seed).checkpoint / "checkpoint.json", {"step": 2})
    assert found.said() == [("words", [0]), ("words", [1, 2, 3])], "at one step they go on together"
    stage(3).begin()
    stage(3).close({})
    assert found.said() == [("words", [0]), ("words", [1, 2]), ("words", [3])]


def test_why_a_cell_goes_alone_is_a_sentence(yard: Any) -> None:
    dual = 'backbone = "linear/dual/nano"'
    rows = {
        **{name: f'objective = "{name}"\n{dual}' for name in ("good", "draws", "asks", "no-start")},
        "words": 'objective = "prefix-lm"',
        "micro": 'objective = "prefix-lm"\n"budget.micro_batch" = 4',
        "lengths": 'objective = "prefix-lm"\n"text.lengths" = "few"',
        "large": 'objective = "prefix-lm"\nbackbone = "linear/encoder-decoder/base"\n"budget.batch" = 4096\n'
                 '"budget.samples" = 8192',
        "asked": f'objective = "good"\n{dual}\ntasks = ["retrieval@zero-shot"]',
    }
    found = yard(rows)
    why = {row: why_never_together(found.of(row), found.registry) for row in rows}
    assert why["good"] is why["words"] is why["asked"] is None
    assert "draws numbers" in why["draws"] and ".item()" in why["asks"]
    assert why["no-start"].endswith("LookupError: no start today")
    assert "text.lengths is few" in why["lengths"]
    assert "micro_batch" in why["micro"] and "fills a GPU by itself" in why["large"]


def test_what_learns_nothing_and_what_is_tuned_go_alone(yard: Any) -> None:
    nothing = yard({"plain": 'objective = "none"\ntasks = ["retrieval@zero-shot"]'})
    assert why_never_together(nothing.of("plain"), nothing.registry) == "it learns nothing"
    tuned = yard({"words": 'objective = "prefix-lm"'}, "tune.tries={'optim.lr' = [1e-3, 2e-3]}")
    assert "tuned" in (why_never_together(tuned.of("words"), tuned.registry) or "")


def test_fields_that_nobody_can_make_up_are_left_to_the_run(yard: Any) -> None:
    found = yard({"wants": 'objective = "wants"\nbackbone = "linear/dual/nano"\ndata = "shapes"\n'
                           '"protocol.vqa.data" = "shapes"\n"protocol.captioning.data" = "shapes"'})
    cell = found.of("wants")
    assert found.registry.objective("wants").wants == ("boxes",)
    assert why_never_together(cell, found.registry) is None


def test_a_group_can_be_made_smaller() -> None:
    a, b, c = (Cell("g", "r", seed, None, f"{seed}" * 12) for seed in range(3))  # type: ignore[arg-type]
    group = Group((a, b, c), share=0.5)
    assert group.without([b.id]) == Group((a, c), share=0.5) and group.without(group.ids).cells == ()
