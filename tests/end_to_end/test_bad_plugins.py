"""Plugins that fail in every way: each leaves a record with its cause, the others are done as without it."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

BAD = '''
def late(batch):
    return float(batch.progress) >= 0.5

def bad(name, act, where="loss"):
    body = {"name": name}
    if where == "__init__":
        def __init__(self, config, spec):
            Objective.__init__(self, config, spec)
            act()
        body[where] = __init__
    elif where == "corrupt":
        body[where] = staticmethod(lambda batch, rng, config: act() or {} if late(batch) else {})
    elif where == "match":
        def __init__(self, config, spec):
            Objective.__init__(self, config, spec)
            self.head = torch.nn.Linear(1, 1)
        body |= {
            where: lambda self, backbone, image, text: act(), "trains": frozenset({"match"}), "__init__": __init__,
            "loss": lambda self, features, batch: Step(self.head(1 - features["x"][:, None]).square().sum(1)),
        }
    elif where == "encode":
        def encode(self, backbone, batch):
            act() if late(batch) else None
            return Good.encode(self, backbone, batch)
        body[where] = encode
    else:
        def loss(self, features, batch):
            factor = act() if late(batch) else None
            return Step(Good.loss(self, features, batch).losses * (1 if factor is None else factor))
        body[where] = loss
    FOUND.append(type(name, (Good,), body))

def throw(error):
    raise error

def leak():
    kept = []
    while True:
        kept.append(torch.ones(2**20))

def deaf():
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    while True:
        math.sqrt(2)

def prints():
    for _ in range(400):
        print("o" * 9999)
        print("e" * 9999, file=sys.stderr)
        os.write(1, b"c" * 9999)
    subprocess.Popen([sys.executable, "-c", "while 1: print('g' * 9999)", os.environ["MARK"]])

def world():
    os.environ.clear()
    os.chdir("/")
    os.umask(0o077)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    torch.set_num_threads(2)
    torch.manual_seed(5)
    threading.Thread(target=time.sleep, args=(10000,)).start()

def once():
    with open(os.environ["MARK"], "a") as file:
        file.write("x")
        if file.tell() == 1:
            raise OSError("the first time")

bad("constructs", lambda: throw(LookupError("no start today")), "__init__")
bad("third", lambda: throw(ArithmeticError("the third step")), "encode")
bad("evaluated", lambda: throw(RuntimeError("no match today")), "match")
bad("infinite", lambda: math.nan)
bad("leaves", lambda: sys.exit(0))
bad("aborts", os.abort)
bad("stops", lambda: throw(__import__("vlpbench.training.pace").training.pace.Stopped()))
bad("huge", lambda: throw(ValueError("\\x1b[31m|\\n\\ud800" + "w" * 3_000_000)))
bad("leaks", leak, "encode")
bad("prints", prints)
bad("world", world)
bad("closes", lambda: os.closerange(3, 256), "encode")
bad("deaf", deaf)
bad("sleeps", lambda: time.sleep(10000), "corrupt")
bad("asleep", lambda: time.sleep(10000), "__init__")
bad("once", once, "__init__")
'''

CAUSES = {
    "constructs": "LookupError: no start today",
    "third": "ArithmeticError: the third step",
    "evaluated": "RuntimeError: no match today",
    "infinite": "the loss is not finite at step 2",
    "leaves": "code of this cell asked to end its process (SystemExit: 0)",
    "aborts": "signal SIGABRT",
    "stops": "code of this cell asked to end its process (Stopped)",
    "huge": "ValueError: \N{REPLACEMENT CHARACTER}[31m| \N{REPLACEMENT CHARACTER}www",
    "leaks": "out of memory",
}
DONE = ("good", "prints", "world", "closes")
MATCH = 'backbone = "linear/dual-fusion/nano"\ntasks = ["retrieval@match@zero-shot"]\n'


def rows_of(names: Any) -> dict[str, str]:
    return {name: f'objective = "{name}"\n' + (MATCH if name == "evaluated" else "") for name in names}


@dataclass(frozen=True)
class Bad:
    """All bad rows, run once."""

    ground: Any
    said: Any
    mark: Path


@pytest.fixture(scope="module")
def bad(ground: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Any:
    mark = tmp_path_factory.mktemp("mark") / "mark"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MARK", str(mark))
        found = ground(rows_of([*DONE[:1], *CAUSES, *DONE[1:]]), BAD)
        yield Bad(found, found.run("--jobs", "2", "--memory", "1.5"), mark)


def test_each_failure_is_a_record_with_its_cause(bad: Bad) -> None:
    assert bad.said.code == 1
    assert {row: bad.ground.cell(row).state() for row in CAUSES} == dict.fromkeys(CAUSES, "failed")
    causes = {row: bad.ground.cell(row).status()["cause"] for row in CAUSES}
    assert {row: said for row, said in causes.items() if CAUSES[row] not in said} == {}
    assert all("\n" not in said and "\x1b" not in said and len(said) < 1200 for said in causes.values())
    assert "\x1b[31m" not in bad.said.out + bad.said.err, "no stranger steers the terminal"


def test_the_table_is_printed_with_all_rows(bad: Bad) -> None:
    lines = [line for line in bad.said.out.splitlines() if line.startswith("|")]
    shown = {line.split("|")[1].strip(): line for line in lines}
    assert all("failed" in shown[row] for row in CAUSES) and not any("failed" in shown[row] for row in DONE)
    assert max(map(len, bad.said.out.splitlines())) < 2000


def test_the_others_are_done_to_the_same_bytes(bad: Bad, ground: Callable[..., Any]) -> None:
    alone = ground(rows_of(["good"]), BAD)
    assert alone.run().code == 0
    assert bad.ground.bytes("good") == alone.bytes("good")
    assert {row: bad.ground.cell(row).state() for row in DONE} == dict.fromkeys(DONE, "done")
    tasks = {row: bad.ground.cell(row).read("scores.json")["tasks"] for row in DONE}
    assert all(told == tasks["good"] for told in tasks.values()), "what a plugin does to its process changes no number"


def test_a_log_of_megabytes_is_cut_and_nothing_runs_on(bad: Bad) -> None:
    assert (bad.ground.cell("prints").path / "log.txt").stat().st_size < 8 * 2**20
    mine = [one for one in psutil.process_iter(["cmdline"]) if str(bad.mark) in (one.info["cmdline"] or ())]
    assert mine == []


def test_what_failed_is_left_alone_until_somebody_asks(bad: Bad) -> None:
    before = bad.ground.starts()
    assert bad.ground.run().code == 1
    assert bad.ground.starts() == before
    tries = bad.ground.cell("constructs").tries()
    said = bad.ground.say("grid", "retry", str(bad.ground.file), "constructs", "--results", str(bad.ground.results))
    assert said.code == 0 and "constructs, seed 0: forgotten that it failed" in said.out
    again = bad.ground.run()
    assert again.code == 1 and re.findall(r"(\S+), seed 0: started", again.err) == ["constructs"]
    assert (tries, bad.ground.cell("constructs").tries()) == (1, 1)


def test_cells_that_hang_are_ended_with_their_time(ground: Callable[..., Any]) -> None:
    hanging = ground(rows_of(["deaf", "sleeps", "asleep"]), BAD)
    start = time.monotonic()
    said = hanging.run("--jobs", "3", "--timeout", "8s")
    assert said.code == 1 and time.monotonic() - start < 80
    states = hanging.states()
    assert [states[f"{row}/0"] for row in ("deaf", "sleeps", "asleep")] == ["timeout"] * 3
    assert hanging.cell("deaf").status()["cause"] == "it took longer than its 8 s"


def test_rules_of_when_to_give_up(ground: Callable[..., Any], tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setenv("MARK", str(tmp_path / "mark"))
    three = {name: f'objective = "constructs"\noptim.lr = 1e-{at + 3}' for at, name in enumerate("abc")}
    found = ground({**three, "once": 'objective = "once"'}, BAD)
    failed = lambda said: re.findall(r"(\w+), seed 0: FAILED", said.err)  # noqa: E731
    said = found.run("--jobs", "1", "--fail-fast")
    assert (said.code, failed(said)) == (1, ["a"])
    said = found.run("--jobs", "1", "--max-failures", "2")
    assert (said.code, failed(said)) == (1, ["b", "c"])
    said = found.run("--jobs", "1", "--retries", "1")
    assert failed(said) == [] and "once, seed 0: tried again: OSError: the first time" in said.err
    assert found.states()["once/0"] == "done" and (tmp_path / "mark").read_text() == "xx"
    said = found.run("--jobs", "1", "--retry-failed", "--max-failures", "1", "--retries", "1")
    assert failed(said) == ["a"] and said.err.count("a, seed 0: started") == 2


def test_a_plugin_that_fails_in_cells_alone_is_named(ground: Callable[..., Any]) -> None:
    child = "\nimport multiprocessing\nif multiprocessing.parent_process():\n    raise ImportError('not in a child')\n"
    observer = "\n@hookimpl\ndef vlpbench_cell_finished(record):\n    raise OSError('I hear nothing')\n"
    found = ground(rows_of(["good"]), child + observer)
    said = found.run()
    assert said.code == 1
    cause = found.cell("good").status()["cause"]
    assert "exit code 1" in cause and "ImportError" in cause and "not in a child" in cause
    assert "I hear nothing" in said.err
