"""A stage is made by one process at a time: others wait and read what it left, or are asked to stop."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from vlpbench.records import Claims, StageFolder
from vlpbench.runner.sharing import CLAIMS, Sharing
from vlpbench.training.pace import Stopped


@pytest.fixture
def stage(tmp_path: Path) -> StageFolder:
    return StageFolder.of(tmp_path, "pretrain", {"objective": "x"})


def make(sharing: Sharing, stage: StageFolder, told: dict[str, Any] | None = None) -> bool:
    """Make a stage that is not there yet, as all who need one do; whether this was the one that made it."""
    with sharing.held(stage):
        if stage.told() is not None:
            return False
        stage.close(told or {})
        return True


def fail(wrong: BaseException) -> None:
    """Work for a moment, then fail."""
    time.sleep(0.02)
    raise wrong


def held_by_another(tmp_path: Path, stage: StageFolder, then: Callable[[], None], seconds: float = 0.3) -> None:
    """Somebody holds the stage now, and lets go of it after a while, having done something."""
    claim = Claims(tmp_path / CLAIMS).take(stage.path.name)
    assert claim is not None
    stage.begin()

    def let_go() -> None:
        then()
        claim.release()

    threading.Timer(seconds, let_go).start()


def test_whoever_makes_it_holds_it_and_lets_go(tmp_path: Path, stage: StageFolder) -> None:
    sharing = Sharing(tmp_path)
    with sharing.held(stage):
        assert set(Claims(tmp_path / CLAIMS).all()) == {stage.path.name}
        assert stage.facts()["starts"] == 1
        stage.close({"flops": 3})
    assert Claims(tmp_path / CLAIMS).all() == {}
    assert stage.told() == {"flops": 3}
    assert 0 <= stage.facts()["seconds"] < 60


def test_what_is_not_kept_is_nobodys(tmp_path: Path) -> None:
    with Sharing(tmp_path).held(None):
        assert list(tmp_path.iterdir()) == []


def test_what_is_there_is_not_held_and_not_started_again(tmp_path: Path, stage: StageFolder) -> None:
    assert make(Sharing(tmp_path), stage)
    held_by_another(tmp_path, StageFolder(tmp_path / "stages" / "other-1"), lambda: None, 0.0)
    assert not make(Sharing(tmp_path), stage)
    assert stage.facts()["starts"] == 1


def test_a_checkpoint_that_was_left_beside_a_finished_stage_goes(tmp_path: Path, stage: StageFolder) -> None:
    make(Sharing(tmp_path), stage)
    stage.checkpoint.mkdir()
    (stage.checkpoint / "a").write_text("left")
    make(Sharing(tmp_path), stage)
    assert not stage.checkpoint.exists() and stage.told() == {}


def test_starts_and_seconds_count_failures_too(tmp_path: Path, stage: StageFolder) -> None:
    seconds = []
    for start in (1, 2):
        with pytest.raises(ArithmeticError), Sharing(tmp_path).held(stage):
            fail(ArithmeticError())
        assert stage.facts()["starts"] == start
        seconds.append(stage.facts()["seconds"])
    with pytest.raises(Stopped), Sharing(tmp_path).held(stage):
        fail(Stopped())
    assert make(Sharing(tmp_path), stage)
    assert stage.facts()["starts"] == 4 and stage.facts()["seconds"] >= 0.06
    assert 0.02 <= seconds[0] < seconds[1] - 0.01, "the seconds of all starts"
    assert Claims(tmp_path / CLAIMS).all() == {}


@pytest.mark.parametrize("content", ["{", '{"seconds": "long", "starts": null}', "[]"])
def test_run_facts_that_cannot_be_read_are_no_hindrance(tmp_path: Path, stage: StageFolder, content: str) -> None:
    stage.path.mkdir(parents=True)
    (stage.path / "run.json").write_text(content)
    assert make(Sharing(tmp_path), stage)
    assert stage.facts()["starts"] == 1 and stage.facts()["seconds"] >= 0


def test_run_facts_that_cannot_be_written_are_no_hindrance(
    tmp_path: Path, stage: StageFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: StageFolder, facts: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(StageFolder, "note", full)
    assert make(Sharing(tmp_path), stage)
    assert stage.told() == {}
    with pytest.raises(ArithmeticError), Sharing(tmp_path).held(StageFolder(tmp_path / "stages" / "b-2")):
        fail(ArithmeticError())


def test_what_another_makes_is_waited_for_and_then_read(tmp_path: Path, stage: StageFolder) -> None:
    waits: list[str] = []
    held_by_another(tmp_path, stage, lambda: stage.close({"theirs": 1}))
    assert not make(Sharing(tmp_path, waits=waits.append), stage, {"mine": 1})
    assert stage.told() == {"theirs": 1} and stage.facts()["starts"] == 1
    (said,) = waits
    assert said.startswith("waits for pretrain of process ") and "this machine" in said
    assert Claims(tmp_path / CLAIMS).all() == {}


def test_what_another_leaves_unfinished_is_taken_over(tmp_path: Path, stage: StageFolder) -> None:
    held_by_another(tmp_path, stage, lambda: None)
    assert make(Sharing(tmp_path), stage, {"mine": 1})
    assert stage.told() == {"mine": 1} and stage.facts()["starts"] == 2


def test_the_wait_ends_when_asked_to_stop(tmp_path: Path, stage: StageFolder) -> None:
    claim = Claims(tmp_path / CLAIMS).take(stage.path.name)
    assert claim is not None
    with claim:
        start = time.monotonic()
        with pytest.raises(Stopped):
            make(Sharing(tmp_path, stop=lambda: time.monotonic() - start > 0.3), stage)
        assert time.monotonic() - start < 10
        assert Claims(tmp_path / CLAIMS).all().keys() == {stage.path.name}, "the other's claim is left alone"
        assert not stage.path.exists()


def test_of_many_at_once_one_makes_it(tmp_path: Path, stage: StageFolder) -> None:
    made: list[bool] = []
    at = threading.Barrier(4)

    def one() -> None:
        at.wait()
        made.append(make(Sharing(tmp_path), stage))

    threads = [threading.Thread(target=one) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(made) == [False, False, False, True]
    assert stage.facts()["starts"] == 1
