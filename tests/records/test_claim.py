"""A claim beats while its process lives, and knows when it is lost."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from vlpbench.records import Claim, Claims, Holder
from vlpbench.records.holder import content_of, holder_of


@pytest.fixture
def claim(tmp_path: Path) -> Iterator[Claim]:
    """One that this process holds, with a quick beat."""
    taken = Claims(tmp_path / "claims", beat=0.02).take("cell")
    assert taken is not None
    yield taken
    taken.release()


def read(claim: Claim) -> Holder:
    found = holder_of(claim.path.read_bytes())
    assert found is not None
    return found


def until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not true():
        assert time.monotonic() < end
        time.sleep(0.005)


def test_it_beats_until_it_is_released(claim: Claim) -> None:
    until(lambda: read(claim).beat > 5)
    claim.release()
    assert not claim.path.exists() and not claim.lost
    time.sleep(0.1)
    assert list(claim.path.parent.iterdir()) == []
    claim.release()


def test_progress_is_told_before_the_next_beat_and_not_too_often(tmp_path: Path) -> None:
    with Claims(tmp_path, beat=1e6).take("cell") as claim:  # type: ignore[union-attr]
        started, seen = time.monotonic(), set()
        for step in range(1, 161):
            claim.tell("pretrain", step, 160, {"loss": 1 / step})
            seen.add(read(claim).done)
            time.sleep(0.01)
        until(lambda: read(claim).done == 160)
        assert time.monotonic() - started >= 1
        assert len(seen) <= 2 + (time.monotonic() - started), "once a second"
        assert read(claim).figures == {"loss": 1 / 160} and read(claim).stage == "pretrain"


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -1.5])
def test_a_loss_that_is_no_number_is_told_too(claim: Claim, value: float) -> None:
    claim.tell("pretrain", 3, figures={"loss": value})
    until(lambda: read(claim).done == 3)
    assert repr(read(claim).figures) == repr({"loss": value})


def test_what_cannot_be_a_figure_is_refused_where_it_is_told(claim: Claim) -> None:
    with pytest.raises(TypeError):
        claim.tell("pretrain", 3, figures={"loss": None})  # type: ignore[dict-item]
    until(lambda: read(claim).beat > 3)
    assert read(claim).stage == "" and not claim.lost


def test_many_threads_may_tell(claim: Claim) -> None:
    threads = [threading.Thread(target=lambda n=n: [claim.tell(f"s{n}", at) for at in range(500)]) for n in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    claim.tell("last", 7)
    until(lambda: read(claim).stage == "last")
    assert read(claim).done == 7 and not claim.lost


def test_its_file_gone_is_a_loss_and_nothing_is_written_again(claim: Claim) -> None:
    claim.path.unlink()
    until(lambda: claim.lost)
    time.sleep(0.1)
    assert list(claim.path.parent.iterdir()) == []


def test_a_higher_generation_that_is_sure_is_a_loss(claim: Claim) -> None:
    other = Holder("cell", "f" * 16, sure=True)
    above = claim.path.with_name("cell-000002.json")
    above.write_bytes(content_of(other))
    until(lambda: claim.lost)
    before = claim.path.read_bytes()
    time.sleep(0.1)
    assert claim.path.read_bytes() == before
    claim.release()
    assert not claim.path.exists() and above.exists()


@pytest.mark.parametrize("content", [b"", b"{", content_of(Holder("cell", "f" * 16, sure=False))])
def test_one_that_is_not_sure_yet_may_step_back(claim: Claim, content: bytes) -> None:
    claim.path.with_name("cell-000002.json").write_bytes(content)
    beat = read(claim).beat
    until(lambda: read(claim).beat > beat + 3)
    assert not claim.lost


def test_the_file_of_another_is_a_loss_and_is_not_removed(claim: Claim) -> None:
    half = claim.path.with_name("half")
    half.write_bytes(content_of(Holder("cell", "f" * 16, sure=True)))
    for _ in range(50):  # its own beat may be about to replace it once more
        if not claim.lost and not half.exists():
            half.write_bytes(content_of(Holder("cell", "f" * 16, sure=True)))
        if half.exists():
            half.replace(claim.path)
        time.sleep(0.01)
    assert claim.lost
    claim.release()
    assert read(claim).token == "f" * 16


def test_a_disk_that_is_full_for_a_while_is_no_end(claim: Claim, monkeypatch: pytest.MonkeyPatch) -> None:
    write, failed = Path.write_bytes, []

    def full(path: Path, content: bytes) -> int:
        failed.append(path)
        write(path, content[:10])
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", full)
        until(lambda: len(failed) > 3)
        beat = read(claim).beat
    until(lambda: read(claim).beat > beat)
    assert not claim.lost
    claim.release()
    assert list(claim.path.parent.iterdir()) == []


def test_a_damaged_file_of_its_own_is_written_again(claim: Claim) -> None:
    claim.path.write_bytes(b"{")
    until(lambda: holder_of(claim.path.read_bytes()) is not None)
    assert not claim.lost


FORKED = """
import os, sys, time
from pathlib import Path
from vlpbench.records import Claims
folder = Path(sys.argv[1])
claim = Claims(folder, beat=0.02).take("cell")
if not (child := os.fork()):
    claim.tell("of the child", 1)
    with claim:
        pass  # which releases nothing
    os._exit(0 if claim.path.exists() and Claims(folder).take("cell") is None else 1)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
before = claim.path.read_bytes()
while claim.path.read_bytes() == before:
    time.sleep(0.01)
assert b"of the child" not in claim.path.read_bytes() and not claim.lost
claim.release()
print(os.listdir(folder))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_child_has_no_part_in_it(tmp_path: Path) -> None:
    command = [sys.executable, "-W", "ignore", "-c", FORKED, str(tmp_path / "claims")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (0, "[]\n"), done.stderr


def test_no_name_of_the_machine_or_the_user_is_in_clear(claim: Claim) -> None:
    said = json.loads(claim.path.read_text())
    assert os.uname().nodename not in claim.path.read_text()
    assert set(said) == {
        "name", "token", "host", "pid", "start", "began", "sure", "beat", "stage", "done", "of", "figures"
    }
    assert len(said["host"]) == 16
