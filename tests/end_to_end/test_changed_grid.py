"""A grid that is changed under finished results: only what changed runs, orphans are listed, nothing is deleted."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

ROWS = {"a": "", "c": 'objective = "second"'}
SECOND = '''
from vlpbench.plugin import Objective, Step, hookimpl

class Second(Objective):
    name, version = "second", 1
    needs, trains = frozenset({"image_vector", "text_vector"}), frozenset({"vectors"})
    def encode(self, backbone, batch):
        return {"x": (backbone.image_vector(batch.image) * backbone.text_vector(batch.text)).sum(1)}
    def loss(self, features, batch):
        return Step(2 - 2 * features["x"])

@hookimpl
def vlpbench_objectives():
    return [Second]
'''
ALL = ["fine-tune", "predict", "pretrain"]
"""The stages of a cell of one task."""


def text_of(grid: str, seeds: str = "[0]", tasks: str = '"retrieval@zero-shot"') -> str:
    return grid.replace('tasks = ["retrieval@zero-shot"]', f"seeds = {seeds}\ntasks = [{tasks}]")


@pytest.fixture(scope="module")
def finished(ground: Callable[..., Any]) -> Any:
    """Two rows of two plugins, run once. Tests change copies."""
    found = ground(ROWS)
    (found.folder / "second.py").write_text(SECOND)
    found.write(ROWS, found.grid.replace('["mine.py"]', '["mine.py", "second.py"]'))
    assert found.run().code == 0
    return found


@pytest.fixture
def changed(finished: Any, tmp_path: Path) -> Any:
    """A copy of the finished grid, to be changed."""
    for name in ("mine.py", "second.py", "small.toml"):
        shutil.copy(finished.folder / name, tmp_path / name)
    shutil.copytree(finished.results, tmp_path / "results")
    return replace(finished, folder=tmp_path, results=tmp_path / "results")


def started(said: Any) -> list[str]:
    """The cells that a run has started."""
    return sorted(re.findall(r"(\w+, seed \d+): started", said.err))


def new_stages(now: Any, before: dict[str, int]) -> list[str]:
    """The kinds of stages that were started since; each once."""
    after = now.starts()
    new = {name: count - before.get(name, 0) for name, count in after.items() if count != before.get(name, 0)}
    assert set(new.values()) <= {1}
    return sorted(name.rpartition("-")[0] for name in new)


def second(now: Any, was: str, by: str) -> None:
    """Change the second plugin."""
    assert was in SECOND
    (now.folder / "second.py").write_text(SECOND.replace(was, by))


# what is done to the grid, the cells that are started, their stages, records that are orphans
CHANGES: dict[str, tuple[Callable[[Any, str], None], list[str], list[str], int]] = {
    "nothing": (lambda now, text: None, [], [], 0),
    "a row's setting": (lambda now, text: now.write({**ROWS, "a": "optim.lr = 3e-2"}, text), ["a, seed 0"], ALL, 1),
    "a row added": (lambda now, text: now.write({**ROWS, "d": "optim.lr = 3e-2"}, text), ["d, seed 0"], ALL, 0),
    "a row removed": (lambda now, text: now.write({"a": ""}, text), [], [], 1),
    "a row renamed": (lambda now, text: now.write({"z": "", "c": ROWS["c"]}, text), ["z, seed 0"], [], 1),
    "a seed added": (
        lambda now, text: now.write(ROWS, text_of(text, "[0, 1]")), ["a, seed 1", "c, seed 1"], sorted(ALL * 2), 0,
    ),
    "a task added": (
        lambda now, text: now.write(ROWS, text_of(text, tasks='"retrieval@zero-shot", "retrieval"')),
        ["a, seed 0", "c, seed 0"], ["fine-tune"] * 2 + ["predict"] * 2, 2,
    ),
    "the version raised": (lambda now, text: second(now, '"second", 1', '"second", 2'), ["c, seed 0"], ALL, 1),
    "data changed": (
        lambda now, text: now.write(ROWS, text.replace("train = 40", "train = 48")),
        ["a, seed 0", "c, seed 0"], sorted(ALL * 2), 2,
    ),
}


@pytest.mark.parametrize("what", CHANGES)
def test_only_what_changed_runs(finished: Any, changed: Any, what: str) -> None:
    change, cells, stages, orphans = CHANGES[what]
    before, files = changed.starts(), changed.bytes()
    change(changed, finished.grid)
    dry = changed.run("--dry-run")
    assert dry.code == 0 and changed.starts() == before, "a dry run runs nothing"
    said = changed.run()
    assert said.code == 0, said.err
    assert started(said) == cells
    assert new_stages(changed, before) == stages
    now = changed.bytes()
    assert {name: now.get(name) for name in files} == files, "nothing is deleted, nothing is written again"
    listed = changed.say("grid", "clean", str(changed.file), "--results", str(changed.results))
    records = re.search(r"records of cells that the grid no longer has: (\d+)", listed.out)
    assert int(records[1] if records else 0) == orphans, listed.out
    assert changed.bytes() == now, "nothing is removed without --yes"
    status = changed.say("grid", "status", str(changed.file), "--results", str(changed.results))
    assert ("record of earlier settings" in status.out or "records of earlier settings" in status.out) == (orphans > 0)


def test_changed_code_is_named_run_again_or_passed_over(changed: Any) -> None:
    second(changed, "2 - 2 *", "3 - 3 *")
    before, files = changed.starts(), changed.bytes()
    said = changed.run("--on-code-change", "ignore")
    assert said.code == 0 and started(said) == [] and "changed since" not in said.err
    said = changed.run()
    assert said.code == 0 and started(said) == []
    assert said.err.count("objective 'second' was changed since cell 'c' was run") == 1
    assert said.err.count("was changed since") == 1, "each component is named once"
    assert changed.starts() == before and changed.bytes() == files
    said = changed.run("--on-code-change", "rerun")
    assert said.code == 0 and started(said) == ["c, seed 0"]
    assert new_stages(changed, before) == ALL
    loss = [row["loss"] for row in changed.cell("c").curve() if "loss" in row]
    assert changed.cell("c").state() == "done" and loss[0] > 2.0, "it is of the new code"
    assert changed.bytes("a") == {name: found for name, found in files.items() if name in changed.bytes("a")}
    assert "changed since" not in changed.run().err, "what was run again is no longer old"


def test_orphans_go_only_with_yes(changed: Any, finished: Any) -> None:
    changed.write({"a": ""}, finished.grid)
    assert changed.run().code == 0
    kept = changed.bytes("a").keys()
    command = ("grid", "clean", str(changed.file), "--results", str(changed.results))
    listed = changed.say(*command)
    assert f"cells/{finished.cell('c').path.name}" in listed.out
    assert "stages that no cell of the grid refers to: 3" in listed.out
    assert changed.say(*command, "--yes").code == 0
    assert set(changed.cells()) == {"a/0"} and kept <= changed.bytes().keys()
    assert len(changed.starts()) == 3
    again = changed.run()
    assert again.code == 0 and started(again) == []
