"""Whatever is raised becomes one line that a table and a terminal can show, and JSON that a record can hold."""

from __future__ import annotations

import errno
import json

import pytest

from vlpbench.errors import UserError
from vlpbench.files import as_json
from vlpbench.runner.cause import MOST_SAID, MOST_TRACED, PASSING, cause_of
from vlpbench.training.pace import Stopped


class Wordless(Exception):
    """An error whose own words fail."""

    def __str__(self) -> str:
        raise RuntimeError("not even a sentence")


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ArithmeticError("the third step"), "ArithmeticError: the third step"),
        (ValueError(), "ValueError"),
        (ValueError("one | two\nthree\n\n\tfour"), "ValueError: one | two three four"),
        (ValueError("a \x1b[31mred one"), "ValueError: a \N{REPLACEMENT CHARACTER}[31mred one"),
        (ValueError("half \ud800 of it"), "ValueError: half \N{REPLACEMENT CHARACTER} of it"),
        (ValueError("ein schöner Grund"), "ValueError: ein schöner Grund"),
        (Wordless(), "Wordless, whose words cannot be had (RuntimeError)"),
        (SystemExit(3), "code of this cell asked to end its process (SystemExit: 3)"),
        (KeyboardInterrupt(), "code of this cell asked to end its process (KeyboardInterrupt)"),
        (Stopped(), "code of this cell asked to end its process (Stopped)"),
        (MemoryError(), "out of memory:"),
        (OSError(errno.ENOSPC, "No space left on device", "stages/pretrain-1/weights.safetensors"),
         "no space is left on the disk of pretrain-1/weights.safetensors"),
        (OSError("Error writing bytes. Detail: [errno 28] No space left on device"),
         "no space is left on the disk of the results"),
        (OSError(errno.ENOENT, "No such file or directory"), "FileNotFoundError: [Errno 2] No such file or directory"),
    ],
)
def test_the_cause_is_one_line_of_plain_letters(error: BaseException, said: str) -> None:
    cause, details = cause_of(error)
    assert cause == said
    assert details["error"] == type(error).__name__
    assert details.get(PASSING, False) == ("no space" in said)
    as_json({"cause": cause, **details}).encode()


def test_an_error_for_people_keeps_its_place_and_remedy() -> None:
    cause, details = cause_of(UserError("no such file", "data/x.json", "look there"))
    assert (cause, details["place"], details["remedy"]) == ("no such file", "data/x.json", "look there")


def test_a_huge_error_fills_no_record() -> None:
    cause, details = cause_of(ValueError("begin " + "w" * 3_000_000 + " end"))
    assert cause.startswith("ValueError: begin") and cause.endswith(" end") and len(cause) < 1.1 * MOST_SAID
    assert len(details["traceback"]) < 1.1 * MOST_TRACED


def test_the_traceback_is_that_of_the_error() -> None:
    def third_step() -> None:
        raise ArithmeticError("x")

    try:
        third_step()
    except ArithmeticError as error:
        found = error
    assert "in third_step" in json.loads(json.dumps(cause_of(found)[1]))["traceback"]
