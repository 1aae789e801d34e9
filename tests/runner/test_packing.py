"""How many processes share a device: real ones on a CPU, and what follows from figures that were kept."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pytest

import vlpbench.runner.packing as packing_room
from vlpbench.contract.launcher import Place
from vlpbench.device import Device
from vlpbench.grid import cells, open_grid
from vlpbench.runner.events import Event
from vlpbench.runner.folding import Group
from vlpbench.runner.grid_run import prepare
from vlpbench.runner.packing import ENOUGH, Packing, kept_packing, measure_packing, packed, shared_by
from vlpbench.runner.rules import Rules
from vlpbench.runner.workbench import opened_here

CPU, GPU, RULES = Place("cpu", 2), Place("cuda", 0, ("0",)), Rules()
ROWS = {
    "words": 'objective = "prefix-lm"',
    "wide": 'objective = "prefix-lm"\n"budget.batch" = 16',
    "none": 'objective = "none"',
    "large": 'objective = "prefix-lm"\nbackbone = "linear/encoder-decoder/base"\n"budget.batch" = 4096\n'
             '"budget.samples" = 8192',
}


class Shop:
    """A grid's cells whose data is there."""

    def __init__(self, file: Path) -> None:
        read, self.registry = open_grid(str(file), ("floors=false", "seeds=[0, 1]"))
        self.cells = cells(read, self.registry, opened_here)
        self.heard: list[Event] = []

    def group(self, row: str, *seeds: int) -> Group:
        return Group(tuple(one for one in self.cells if one.row == row and one.seed in (seeds or (0, 1))))

    def packed(self, *rows: str, place: Place = GPU, rules: Rules = RULES) -> tuple[Place, list[Group], Packing]:
        return packed([self.group(row) for row in rows], place, self.registry, rules, self.heard.append)


@pytest.fixture(scope="module")
def shop(written: Any) -> Shop:
    return Shop(written(ROWS))


@pytest.fixture(autouse=True)
def _silence(shop: Shop) -> None:
    shop.heard.clear()


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """(at_once, said) -> what any measuring finds from here on; gives a list of what was measured."""
    monkeypatch.setenv("VLPBENCH_CACHE", str(tmp_path))
    monkeypatch.setattr(Device, "cores", staticmethod(lambda: 8))
    monkeypatch.setattr(Device, "name", "a GPU")

    def install(at_once: int, said: str = "enough") -> list[tuple[str, int]]:
        calls: list[tuple[str, int]] = []

        def measure(cells: Any, registry: Any, place: Place, rules: Rules, most: int) -> Packing:
            calls.append((cells[0].row, most))
            return Packing(at_once, {1: 10.0, at_once: 10.0 + 5 * (at_once - 1)}, 2**30, said)

        monkeypatch.setattr(packing_room, "measure_packing", measure)
        return calls

    return install


def test_processes_of_one_cell_are_measured_side_by_side(shop: Shop) -> None:
    prepare(shop.cells[:1], shop.registry, Device("cpu"), lambda event: None)
    found = measure_packing(shop.group("words", 0).cells, shop.registry, CPU, RULES, most=2, seconds=0.3)
    assert set(found.rates) == {1, 2} and all(rate > 0 for rate in found.rates.values())
    assert found.held > 50_000_000 and found.said
    assert found.at_once == (2 if found.rates[2] >= 1.1 * found.rates[1] else 1)


def test_seeds_that_train_as_one_are_measured_as_one(shop: Shop) -> None:
    prepare(shop.cells[:1], shop.registry, Device("cpu"), lambda event: None)
    found = measure_packing(shop.group("words").cells, shop.registry, CPU, RULES, most=1, seconds=0.2)
    assert found.at_once == 1 and found.rates[1] > 0 and found.said == ENOUGH


def test_what_fails_is_a_sentence_and_one_at_a_time(written: Any) -> None:
    shop = Shop(written({"third": 'objective = "third"\nbackbone = "linear/dual/nano"',
                         "exits": 'objective = "exits"\nbackbone = "linear/dual/nano"'}))
    prepare(shop.cells[:1], shop.registry, Device("cpu"), lambda event: None)
    for row, said in (("third", "ArithmeticError: the third step"), ("exits", "exit code 7")):
        found = measure_packing(shop.group(row, 0).cells, shop.registry, CPU, RULES, most=4, seconds=0.1)
        assert (found.at_once, found.rates) == (1, {}) and said in found.said


@pytest.mark.parametrize(
    ("rates", "most", "fits", "at_once", "said"),
    [
        ([10, 19, 36, 37], 16, 16, 4, "8 at once do 37 steps/s, 4 do 36"),
        ([10, 10.5], 16, 16, 1, "2 at once"),
        ([10, 20, 30], 3, 16, 3, ENOUGH),
        ([10, 20, 30], 16, 3, 3, "memory: one holds 4.0 GiB"),
        ([10], 16, 1, 1, "memory"),
        ([10], 1, 16, 1, ENOUGH),
    ],
)
def test_more_are_taken_until_the_sum_stops_growing(
    monkeypatch: pytest.MonkeyPatch, shop: Shop, rates: list[float], most: int, fits: int, at_once: int, said: str
) -> None:
    given = iter(rates)

    class Crowd:
        def __init__(self, *_: Any) -> None:
            self.fits, self.held = fits, 4 * 2**30

        def grow(self, many: int) -> None:
            assert many <= min(most, fits)

        def rate(self, seconds: float) -> float:
            return next(given)

    monkeypatch.setattr(packing_room, "_Crowd", Crowd)
    found = measure_packing(shop.cells[:1], shop.registry, GPU, RULES, most)  # type: ignore[arg-type]
    assert found.at_once == at_once and said in found.said
    assert list(found.rates.values()) == rates, "no more was tried than needed"


def test_small_groups_share_and_a_large_one_has_the_gpu_to_itself(shop: Shop, measured: Any) -> None:
    calls = measured(3)
    place, groups, found = shop.packed("words", "large", "wide", "none")
    assert calls == [("wide", 3)], "the largest of the small, for as many as there are of them"
    assert (place.each, place.slots, found.at_once) == (3, 3, 3)
    assert [group.share for group in groups] == [1 / 3, 1.0, 1 / 3, 1 / 3]
    assert [event.what for event in shop.heard] == ["preparing"] and "wide" in shop.heard[0].said
    assert found.stretch == pytest.approx(3 * 10 / 20)


def test_it_is_measured_once_and_again_where_more_could_be_used(shop: Shop, measured: Any) -> None:
    calls = measured(2, ENOUGH)
    for _ in range(2):
        assert shop.packed("words", "wide")[0].each == 2
    assert calls == [("wide", 2)]
    assert shop.packed("words", "wide", "none")[0].each == 2 and calls[1:] == [("wide", 3)]
    kept = kept_packing(shop.group("wide"), GPU)
    assert kept is not None and kept.rates == {1: 10.0, 2: 15.0} and kept.held == 2**30
    assert kept_packing(shop.group("wide", 0), GPU) is None, "one seed is another matter"


def test_a_file_that_is_spoilt_is_measured_anew(shop: Shop, measured: Any, tmp_path: Path) -> None:
    calls = measured(2, ENOUGH)
    shop.packed("words", "wide")
    for file in tmp_path.rglob("*.json"):
        file.write_text('{"at_once": "two"')
    shop.packed("words", "wide")
    assert len(calls) == 2


@pytest.mark.parametrize(
    ("rows", "place", "rules"),
    [
        (("words", "wide"), CPU, Rules(pack=True)),
        (("words", "wide"), GPU, Rules(each=2)),
        (("words", "wide"), GPU, Rules(pack=False)),
        (("words", "wide"), GPU, Rules(launcher="queue")),
        (("words", "wide"), GPU, Rules(jobs=1)),
        (("words", "wide"), Place("cuda", 0, ("0", "1")), RULES),
        (("words", "large"), GPU, RULES),
        (("none", "none"), GPU, RULES),
        (("words",), GPU, RULES),
    ],
)
def test_where_nothing_is_to_be_gained_nothing_is_measured(
    shop: Shop, measured: Any, rows: tuple[str, ...], place: Place, rules: Rules
) -> None:
    calls = measured(4)
    groups = [shop.group(row) for row in rows]
    assert shared_by(groups, place, shop.registry, rules) is None
    assert packed(groups, place, shop.registry, rules, shop.heard.append) == (place, groups, Packing())
    assert not calls and not shop.heard


def test_never_more_than_cores_to_start_their_kernels(
    shop: Shop, measured: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = measured(2)
    monkeypatch.setattr(Device, "cores", staticmethod(lambda: 2))
    groups = [shop.group(row, seed) for row, seed in itertools.product(("words", "wide"), (0, 1))]
    place, _, _ = packed(groups, GPU, shop.registry, RULES, shop.heard.append)
    assert calls == [("wide", 2)] and place.each == 2
