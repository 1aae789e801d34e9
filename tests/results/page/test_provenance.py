"""Where numbers come from, and where cells differ in it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from vlpbench.results import load
from vlpbench.results.page.provenance import Origin, origins, started

FACTS = {
    "device": "cpu", "host": "0" * 12, "started": "2026-01-01T00:00:00Z", "command": "vlpbench run grid x",
    "torch": "2.9.0+cpu", "versions": {"torch": "2.9.0", "timm": "1.0", "vlpbench": "0.1.0"},
    "plugins": {"<mine>": "0.3"}, "git": {"vlpbench": {"commit": "e" * 40, "dirty": True}},
}
ASKED = {
    "versions": {"objective prefix-lm": 2, "vlpbench": "0.1.0"}, "code": {"vlpbench/training": "b" * 64},
    "fingerprints": {"digits": "c" * 64},
}


def ran(grid: Any, row: str, seed: int, facts: Any = FACTS, asked: Any = ASKED) -> None:
    """A cell that was begun on such a machine; that it failed makes no difference."""
    folder = grid.begun(row, seed)
    folder.begin({**folder.read("settings.json"), **asked})
    folder.fail("no", {}, {"environment": facts})


def told(*folders: Any) -> dict[tuple[str, str], Origin]:
    return {(one.group, one.name): one for one in origins(load(*folders))}


def test_all_groups_in_the_pages_order(grid: Any) -> None:
    ran(grid, "a", 0)
    found = told(grid.folder)
    assert list(dict.fromkeys(group for group, _ in found)) == [
        "code", "data", "machine", "commands", "packages", "sources",
    ]
    values = {key: one.values[0][0] for key, one in found.items()}
    assert values["code", "objective prefix-lm"] == "version 2"
    assert values["code", "commit of vlpbench"] == f"commit {'e' * 12}, dirty True"
    assert values["code", "plugin <mine>"] == "0.3"
    assert values["packages", "torch"] == "2.9.0+cpu" and ("packages", "vlpbench") not in found
    assert values["data", "digits"] == "c" * 12 and values["sources", "vlpbench/training"] == "b" * 12
    assert ("machine", "started") not in found


def test_what_differs_says_in_how_many_cells_and_of_which_rows(grid: Any) -> None:
    ran(grid, "a", 0)
    ran(grid, "b", 0)
    ran(grid, "b", 1, {**FACTS, "device": "gpu"})
    found = told(grid.folder)
    assert found["machine", "device"].values == (("cpu", 2, ("a", "b")), ("gpu", 1, ("b",)))
    assert len(found["machine", "host"].values) == 1


def test_rows_of_two_grids_are_told_apart(grid: Any, another: Callable[..., Any]) -> None:
    other = another("other")
    ran(grid, "a", 0)
    ran(other, "a", 0, {**FACTS, "device": "gpu"})
    assert [rows for _, _, rows in told(grid.folder, other.folder)["machine", "device"].values] == [
        ("small: a",), ("other: a",),
    ]


def test_the_metrics_version_is_that_of_the_scores(grid: Any) -> None:
    grid.done("a", 0, {"accuracy": 1.0}, scores={"metrics": 2})
    grid.done("a", 1, {"accuracy": 1.0})
    assert [value for value, *_ in told(grid.folder)["code", "metrics"].values] == ["version 2", "version 1"]


@pytest.mark.parametrize(("times", "ends"), [
    (["2026-01-02", "2026-01-01", "2026-01-03"], ("2026-01-01", "2026-01-03")), ([], ("", "")),
])
def test_when_it_ran(grid: Any, times: list[str], ends: tuple[str, str]) -> None:
    grid.plan("z", 0)
    for seed, at in enumerate(times):
        ran(grid, "a", seed, {"started": at})
    assert started(load(grid.folder)) == ends
