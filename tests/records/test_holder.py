"""What a claim's file says comes back, and is said in a sentence."""

from __future__ import annotations

import json

import pytest

from vlpbench.records.holder import Holder, content_of, holder_of
from vlpbench.records.processes import this_machine

HOLDER = Holder(
    "cell ä", "0f", this_machine(), 4711, "123", "2026-01-01T00:00:00+00:00", True, 7, "pretrain", 40, 562,
    {"loss": 0.1},
)


def test_it_comes_back() -> None:
    assert holder_of(content_of(HOLDER)) == HOLDER
    assert HOLDER.here and not Holder("x", "0f", "another").here


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({}, "process 4711 on this machine, pretrain step 40 of 562"),
        ({"of": 0}, "process 4711 on this machine, pretrain step 40"),
        ({"done": 0}, "process 4711 on this machine, pretrain step 0 of 562"),
        ({"done": 0, "of": 0}, "process 4711 on this machine, pretrain"),
        ({"stage": ""}, "process 4711 on this machine"),
        ({"host": "0", "stage": "vqa"}, "process 4711 on another machine, vqa step 40 of 562"),
    ],
)
def test_its_sentence(changes: dict[str, object], sentence: str) -> None:
    found = holder_of(json.dumps(json.loads(content_of(HOLDER)) | changes).encode())
    assert found is not None and found.sentence() == sentence


@pytest.mark.parametrize(
    "changes",
    [{"pid": "x"}, {"pid": 1e999}, {"figures": []}, {"figures": {"loss": "x"}}, {"token": ""}, {"beat": None}],
)
def test_what_is_not_as_written_is_nobody(changes: dict[str, object]) -> None:
    assert holder_of(json.dumps(json.loads(content_of(HOLDER)) | changes).encode()) is None


def test_a_part_of_it_is_nobody() -> None:
    content = content_of(HOLDER)
    assert all(holder_of(content[:kept]) is None for kept in range(len(content)))
    assert Holder("cell").sentence() == "a process that has not said which it is"
