"""Logs keep their first and last words, also while somebody writes to them."""

from __future__ import annotations

import os

from vlpbench.runner.launchers.logs import HEAD, LEFT_OUT, TAIL, shorten


def test_a_short_log_is_left_alone(tmp_path):
    log = tmp_path / "log.txt"
    assert shorten(log) is False, "there is none"
    log.write_bytes(b"x" * 300)
    assert shorten(log, 100, 100) is False
    assert log.read_bytes() == b"x" * 300


def test_the_middle_of_a_long_one_goes_between_lines(tmp_path):
    log = tmp_path / "log.txt"
    lines = [f"line {number} ü".encode() for number in range(4000)]
    log.write_bytes(b"\n".join(lines) + b"\n")
    assert shorten(log, 10_000, 10_000) is True
    said = log.read_text(encoding="utf-8")
    before, after = said.split(LEFT_OUT.decode())
    first, last = before.split("\n"), after.splitlines()
    assert first[0] == "line 0 ü" and last[-1] == "line 3999 ü"
    assert {*first, *last} - {""} <= {line.decode() for line in lines}, "no line is cut in two"
    assert 15_000 < log.stat().st_size <= 20_000 + len(LEFT_OUT)


def test_a_line_without_an_end_is_cut_where_it_must_be(tmp_path):
    log = tmp_path / "log.txt"
    log.write_bytes(b"a" * 200_000 + b"b" * 100_000)
    assert shorten(log, 50_000, 50_000)
    assert log.read_bytes() == b"a" * 50_000 + LEFT_OUT + b"b" * 50_000


def test_who_writes_on_stands_behind_and_the_log_stays_short(tmp_path):
    log = tmp_path / "log.txt"
    writer = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    try:
        for number in range(50):
            os.write(writer, f"round {number}\n".encode() + b"x" * 9_999 + b"\n")
            shorten(log, 20_000, 20_000)
            assert log.stat().st_size <= 3 * 20_000 + 10_100
    finally:
        os.close(writer)
    said = log.read_bytes()
    assert said.startswith(b"round 0\n") and b"round 49\n" in said[-20_000:]
    assert said.count(LEFT_OUT) == 1
    assert b"\0" not in said


def test_a_log_has_room_for_what_people_read():
    assert HEAD >= 2**20 and TAIL >= 2**20
    assert HEAD + 2 * TAIL <= 16 * 2**20
