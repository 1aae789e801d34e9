"""A Java program cannot hang, deadlock, change its locale, outlive Python, or fail without saying why."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from vlpbench.metrics.external.java import Unavailable, find_java, java_program, run_java

SLEEPS = """
import subprocess
child = subprocess.Popen(["sleep", "300"])
with open("numbers.part", "w") as file:
    file.write(f"{os.getpid()} {child.pid}")
os.rename("numbers.part", "numbers")
time.sleep(300)
"""


def numbers(folder: Path) -> list[int]:
    """The numbers of the processes that the sleeping stand-in has started, as soon as it has written them."""
    until = time.monotonic() + 30
    while not (folder / "numbers").exists():
        assert time.monotonic() < until
        time.sleep(0.02)
    return [int(word) for word in (folder / "numbers").read_text().split()]


def test_java_home_comes_before_the_path(stand_in, tmp_path, monkeypatch):
    script = stand_in("")
    (tmp_path / "elsewhere").mkdir()
    other = tmp_path / "elsewhere" / "java"
    other.write_text("#!/bin/sh\n")
    other.chmod(0o755)
    monkeypatch.setenv("PATH", str(other.parent))
    assert find_java() == str(script)
    script.chmod(0o644)  # a file that cannot be run is no Java
    assert find_java() == str(other)
    monkeypatch.setenv("JAVA_HOME", "")
    assert find_java() == str(other)


def test_no_java_is_said_in_one_sentence(no_java):
    with pytest.raises(Unavailable) as caught:
        find_java()
    assert str(caught.value) == (
        "no Java runtime was found: install a Java runtime (8 or later) and put `java` on the PATH"
    )
    assert caught.value.remedy in str(caught.value)
    with pytest.raises(Unavailable, match="no Java runtime"):
        run_java(["-version"], "", 5)


def test_text_goes_both_ways_in_utf8(stand_in, tmp_path):
    stand_in("sys.stdout.buffer.write(os.getcwd().encode() + b' ' + sys.stdin.buffer.read())")
    assert run_java([], "café 日本 😀 \ud83d|", 20, tmp_path) == f"{tmp_path} café 日本 😀 \ufffd|"
    assert run_java([], "", 20, tmp_path) == f"{tmp_path} "


def test_the_locale_is_fixed_whatever_the_environment_says(stand_in, monkeypatch):
    stand_in("json.dump([sys.argv[1:], os.environ.get('_JAVA_OPTIONS')], sys.stdout)")
    options, overruling = json.loads(run_java(["-jar", "x.jar"], None, 20))
    assert options[-2:] == ["-jar", "x.jar"] and overruling is None
    assert {"-Duser.language=en", "-Duser.country=US", "-Dfile.encoding=UTF-8"} <= set(options[:-2])
    monkeypatch.setenv("_JAVA_OPTIONS", "-Duser.language=de -Xss1m")
    _, overruling = json.loads(run_java([], "", 20))
    assert overruling.startswith("-Duser.language=de -Xss1m -Duser.language=en ")


def test_no_pipe_fills_up(stand_in):
    stand_in("""
        sys.stderr.write("warning\\n" * 200_000)
        sys.stdout.reconfigure(line_buffering=True)
        for line in sys.stdin:
            sys.stdout.write(line * 2)
    """)
    text = "a line of text\n" * 20_000
    assert len(run_java([], text, 60)) == 2 * len(text)
    with java_program([], 60) as program:
        assert program.ask(["word"] * 20_000, 40_000) == ["word"] * 40_000


def test_a_failure_has_the_last_lines_of_standard_error(stand_in):
    stand_in("sys.exit('Picked up JAVA_TOOL_OPTIONS: -Dx\\none\\ntwo\\nthree\\nOutOfMemoryError: Java heap space')")
    with pytest.raises(Unavailable) as caught:
        run_java(["-jar", "/some where/tool.jar"], "text " * 100_000, 20, remedy="buy memory")
    said = "the Java program tool.jar failed (exit status 1, its last words: two / three / OutOfMemoryError: Java heap"
    assert str(caught.value) == said + " space): buy memory"
    stand_in("print('0.5'); sys.exit(3)")
    with pytest.raises(Unavailable, match=r"exit status 3, it said nothing\): look at these lines"):
        run_java([], "", 20)


def test_a_file_that_is_no_program_is_unavailable(stand_in):
    stand_in("").write_bytes(b"\x00\x01\x02")
    with pytest.raises(Unavailable, match="could not be started"):
        run_java([], "", 20)


def test_a_program_that_ends_in_the_middle_of_its_answers_has_failed(stand_in):
    stand_in("print('first', flush=True); sys.stdout.write('sec'); sys.exit(0)")
    with pytest.raises(Unavailable, match="exit status 0"), java_program([], 20) as program:
        program.ask(["question"], 2)


@pytest.mark.parametrize("text", [None, "x" * 1_000_000], ids=["no input", "much input"])
def test_the_time_limit_kills_the_program_and_what_it_started(stand_in, tmp_path, ends, text):
    stand_in(SLEEPS)
    begun = time.monotonic()
    with pytest.raises(Unavailable, match=r"did not finish within 3 s and was stopped: allow it more"):
        run_java([], text, 3, tmp_path)
    assert time.monotonic() - begun < 15
    assert all(ends(number) for number in numbers(tmp_path))


def test_an_error_in_the_block_kills_the_program(stand_in, tmp_path, ends):
    stand_in(SLEEPS)
    with pytest.raises(ValueError, match="not in list"), java_program([], 300, tmp_path):
        numbers(tmp_path).index(-1)
    assert all(ends(number) for number in numbers(tmp_path))


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_an_interrupted_or_killed_python_leaves_no_program_behind(stand_in, tmp_path, ends, python_path, how):
    stand_in(SLEEPS)
    code = "from vlpbench.metrics.external.java import run_java; run_java([], None, 300)"
    command = [sys.executable, "-c", code]
    with subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.DEVNULL) as python:
        try:
            found = numbers(tmp_path)
            python.send_signal(how)
            assert python.wait(30) != 0
        finally:
            python.kill()
    assert all(ends(number) for number in found)
