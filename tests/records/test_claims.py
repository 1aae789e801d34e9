"""A name has one holder that lives, whoever asks for it and whenever a holder dies."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from vlpbench.records import Claim, Claims

HOLD = """
import sys, time
from pathlib import Path
from vlpbench.records import Claims
claim = Claims(Path(sys.argv[1]), beat=0.05).take(sys.argv[2])
claim.tell("pretrain", 40, 562, {"loss": 1.5})
print("held", flush=True)
time.sleep(60)
"""
HAMMER = """
import os, random, sys, time
from pathlib import Path
from vlpbench.records import Claims
folder, seed, wanted = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
room, chance, won = folder.parent / "room", random.Random(seed), 0

def attempt(dies):
    claims = Claims(folder, beat=0.002)
    if chance.random() < 0.1:
        claims.sweep()
    claim = claims.take("a cell")
    if claim is None:
        return False
    os.close(os.open(room, os.O_CREAT | os.O_EXCL))  # nobody else is in it
    time.sleep(chance.random() / 100)
    assert not claim.lost
    room.unlink()
    if not dies:
        claim.release()
    return True

while won < wanted:
    if chance.random() < 0.5:
        won += attempt(False)
    elif child := os.fork():
        won += os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
    else:  # one that dies holding it, or comes to nothing
        code = 1
        try:
            code = 7 if attempt(True) else 0
        finally:
            if code == 1:
                print("wrong", flush=True)
            os._exit(code)
    time.sleep(chance.random() / 500)
"""
Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start a process that holds a name in the folder `claims`; it is killed at the end."""
    started: list[subprocess.Popen[str]] = []

    def run(name: str = "cell") -> subprocess.Popen[str]:
        command = [sys.executable, "-c", HOLD, str(tmp_path / "claims"), name]
        started.append(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))
        assert started[-1].stdout is not None and started[-1].stdout.readline() == "held\n"
        return started[-1]

    yield run
    for one in started:
        one.kill()
        one.communicate()


class Remembering(Claims):
    """Claims that can all be released."""

    taken: list[Claim]

    def take(self, name: str) -> Claim | None:
        claim = super().take(name)
        self.taken += [claim] if claim else []
        return claim


@pytest.fixture
def claims(tmp_path: Path) -> Iterator[Claims]:
    """Those of this process, as impatient as a test."""
    made = Remembering(tmp_path / "claims", beat=0.05, lost_after=0.4)
    made.taken = []
    yield made
    for one in made.taken:
        one.release()


def files(claims: Claims) -> list[str]:
    return sorted(path.name for path in claims.folder.iterdir())


def elsewhere(path: Path, **changes: Any) -> None:
    """Make a claim that of a process on another machine."""
    path.write_text(json.dumps(json.loads(path.read_text()) | {"host": "0" * 16} | changes))


def kill(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.wait()


def test_what_is_held_cannot_be_taken_until_it_is_released(claims: Claims) -> None:
    assert claims.holder("cell") is None and claims.all() == {}
    with claims.take("cell") as claim:  # type: ignore[union-attr]
        assert claims.take("cell") is None and Claims(claims.folder).take("cell") is None
        assert files(claims) == ["cell-000001.json"] and not claim.lost
        holder = claims.holder("cell")
        assert holder is not None and holder.pid == os.getpid() and holder.here and holder.token == claim.token
        assert claims.all() == {"cell": holder}
        assert claims.take("cell-000001") is not None, "another name"
    assert claims.holder("cell") is None and files(claims) == ["cell-000001-000001.json"]
    assert claims.take("cell") is not None


def test_who_holds_it_tells_how_far_it_is(claims: Claims, start: Start) -> None:
    process = start("pretrain-0f")
    end = time.monotonic() + 10
    while (holder := claims.holder("pretrain-0f")) is None or not holder.done:
        assert time.monotonic() < end
        time.sleep(0.01)
    assert holder.sentence() == f"process {process.pid} on this machine, pretrain step 40 of 562"
    assert holder.figures == {"loss": 1.5} and holder.began.endswith("+00:00") and holder.name == "pretrain-0f"


def test_the_claim_of_a_killed_process_is_free_at_once(start: Start, tmp_path: Path) -> None:
    patient = Claims(tmp_path / "claims", lost_after=1e9)
    process = start()
    assert patient.take("cell") is None
    kill(process)
    assert patient.holder("cell") is None and patient.all() == {}
    claim = patient.take("cell")
    assert claim is not None and claim.generation == 2 and files(patient) == ["cell-000002.json"]
    claim.release()
    assert files(patient) == []


def test_a_process_that_nobody_has_buried_is_dead(start: Start, tmp_path: Path) -> None:
    process = start()
    process.kill()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)  # it is a zombie now
    assert Claims(tmp_path / "claims", lost_after=1e9).holder("cell") is None


def test_a_stopped_process_holds_on(claims: Claims, start: Start) -> None:
    process = start()
    process.send_signal(signal.SIGSTOP)
    assert claims.take("cell") is None
    time.sleep(2 * claims.lost_after)
    assert claims.take("cell") is None and claims.holder("cell") is not None
    process.send_signal(signal.SIGCONT)
    kill(process)
    assert claims.take("cell") is not None


def test_another_process_with_the_same_pid_is_another(claims: Claims, start: Start) -> None:
    process = start()
    process.send_signal(signal.SIGSTOP)  # so that it does not write its file again
    path = claims.folder / "cell-000001.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"start": "7"}))
    assert claims.holder("cell") is None and claims.take("cell") is not None


@pytest.mark.parametrize("leap", [-1e6, 1e6])
def test_another_machine_is_gone_when_it_was_silent_for_a_while_whatever_the_clock_says(
    claims: Claims, start: Start, monkeypatch: pytest.MonkeyPatch, leap: float
) -> None:
    kill(start())
    path = claims.folder / "cell-000001.json"
    elsewhere(path)
    assert claims.take("cell") is None
    now = time.time
    monkeypatch.setattr(time, "time", lambda: now() + leap)
    os.utime(path, (now() + leap, now() + leap))
    holder = claims.holder("cell")
    assert holder is not None and not holder.here and "on another machine" in holder.sentence()
    for beat in range(3):  # it lives
        time.sleep(0.6 * claims.lost_after)
        elsewhere(path, beat=1000 + beat)
        assert claims.take("cell") is None
    time.sleep(1.1 * claims.lost_after)
    assert claims.holder("cell") is None
    assert Claims(claims.folder).take("cell") is None, "who has just begun to look cannot know"
    assert claims.take("cell") is not None


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"null", b"\xff", b'{"token": "a"}', b'{"figures": 7}', b"[" * 99_999]
)
def test_a_file_that_cannot_be_read_lives_until_it_was_silent(claims: Claims, content: bytes) -> None:
    claims.folder.mkdir()
    (claims.folder / "cell-000003.json").write_bytes(content)
    assert claims.take("cell") is None
    holder = claims.holder("cell")
    assert holder is not None and holder.sentence() == "a process that has not said which it is"
    time.sleep(1.1 * claims.lost_after)
    claim = claims.take("cell")
    assert claim is not None and files(claims) == ["cell-000004.json"]


def test_who_spoke_between_two_looks_keeps_it(claims: Claims, start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    kill(start())
    path = claims.folder / "cell-000001.json"
    elsewhere(path)
    claims.holder("cell")
    time.sleep(1.1 * claims.lost_after)
    real = os.open

    def late(name: Any, *rest: Any) -> int:
        elsewhere(path, beat=77)
        return real(name, *rest)

    monkeypatch.setattr(os, "open", late)
    assert claims.take("cell") is None
    assert files(claims) == ["cell-000001.json"]


def test_one_that_paused_before_creating_does_not_win_beside_another(
    claims: Claims, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It saw a dead holder; meanwhile somebody took over and released, and a third holds the first generation again."""
    kill(start())
    real, third = os.open, []

    def paused(name: Any, *rest: Any) -> int:
        monkeypatch.setattr(os, "open", real)
        for _ in range(2):
            third.append(Claims(claims.folder, beat=0.05).take("cell"))
            if len(third) == 1:
                third[0].release()
        return real(name, *rest)

    monkeypatch.setattr(os, "open", paused)
    assert claims.take("cell") is None
    time.sleep(0.2)
    assert third[1].generation == 1 and not third[1].lost and files(claims) == ["cell-000001.json"]
    third[1].release()


@pytest.mark.parametrize(
    "name",
    ["a/b", "../up", "", "x" * 500, "…", "a b", "con.json", "A-B", "cell-000001.json", ".hidden", "ä" * 300, "a\0b"],
)
def test_odd_names_are_names_too(claims: Claims, name: str) -> None:
    with claims.take(name) as claim:  # type: ignore[union-attr]
        assert claim.path.parent == claims.folder and claim.path.is_file()
        assert claims.take(name) is None and list(claims.all()) == [name]
        assert claims.take(name + "x") is not None, "long names that end otherwise are others"
        claim.tell("x")
        time.sleep(0.1)
        assert not claim.lost
    assert name not in claims.all()


def test_sweeping_removes_what_the_dead_left_and_nothing_else(claims: Claims, start: Start) -> None:
    kill(start("dead"))
    kill(start("far"))
    elsewhere(claims.folder / "far-000001.json")
    claim = claims.take("mine")
    assert claim is not None
    for name in (".dead-000001.json.0123456789abcdef", ".gone-000007.json.0123456789abcdef", "notes.txt"):
        (claims.folder / name).write_text("half")
    claims.sweep()
    assert files(claims) == ["far-000001.json", "mine-000001.json", "notes.txt"] and not claim.lost
    time.sleep(1.1 * claims.lost_after)
    claims.sweep()
    assert files(claims) == ["mine-000001.json", "notes.txt"]
    Claims(claims.folder / "nowhere").sweep()
    assert not (claims.folder / "nowhere").exists()


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written_is_an_error(claims: Claims) -> None:
    claims.folder.mkdir(mode=0o500)
    with pytest.raises(PermissionError):
        claims.take("cell")


def test_a_full_disk_is_an_error_and_leaves_nothing(claims: Claims) -> None:
    code = (
        "import resource, sys; from pathlib import Path; from vlpbench.records import Claims\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))\n"
        "Claims(Path(sys.argv[1])).take('cell')"
    )
    done = subprocess.run([sys.executable, "-c", code, str(claims.folder)], capture_output=True, text=True)
    assert "File too large" in done.stderr
    assert files(claims) == [] and claims.take("cell") is not None


def test_an_interruption_while_taking_leaves_nothing(claims: Claims, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(self: Path, target: Path) -> Path:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", interrupted)
        with pytest.raises(KeyboardInterrupt):
            claims.take("cell")
    assert files(claims) == [] and claims.take("cell") is not None


def test_of_many_that_take_one_name_and_die_with_it_never_two_hold_it(claims: Claims) -> None:
    command = [sys.executable, "-c", HAMMER, str(claims.folder)]
    started = [
        subprocess.Popen([*command, str(seed), "12"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for seed in range(6)
    ]
    said = [one.communicate(timeout=120) for one in started]
    assert [(one.returncode, *texts) for one, texts in zip(started, said, strict=True)] == [(0, "", "")] * 6
    claims.sweep()
    assert files(claims) == []
