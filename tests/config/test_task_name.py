"""Names of tasks: taken apart and put together again, and what is near to a wrong one."""

from __future__ import annotations

import pytest

from vlpbench.config.task_name import PROTOCOLS, TASKS, TaskName, parse_task
from vlpbench.errors import UserError


@pytest.mark.parametrize("name", TASKS)
def test_every_name_reads_as_it_is_written(name: str) -> None:
    found = parse_task(name)
    assert str(found) == name
    assert found.protocol in PROTOCOLS[found.task, found.form]


def test_no_two_names_are_one() -> None:
    assert len(set(TASKS)) == len(TASKS) == sum(len(ways) for ways in PROTOCOLS.values())
    assert len({parse_task(name) for name in TASKS}) == len(TASKS)


@pytest.mark.parametrize(
    ("name", "task", "form", "protocol"),
    [
        ("vqa", "vqa", "", "fine-tune"),
        ("vqa@decoder", "vqa", "decoder", "fine-tune"),
        ("vqa@choices@zero-shot", "vqa", "choices", "zero-shot"),
        ("captioning@zero-shot", "captioning", "", "zero-shot"),
        ("retrieval@match", "retrieval", "match", "fine-tune"),
        ("retrieval@match@zero-shot", "retrieval", "match", "zero-shot"),
        ("classification@probe", "classification", "", "probe"),
    ],
)
def test_parts(name: str, task: str, form: str, protocol: str) -> None:
    assert parse_task(name) == TaskName(task, form, protocol)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("wrong", "near"),
    [
        ("retreival@match", "retrieval@match"),
        ("retrieval@zero-shot@match", "retrieval@zero-shot"),
        ("retrieval@zero_shot", "retrieval@zero-shot"),
        ("retrieval@fine-tune", "retrieval"),
        ("vqa@zero-shot", "vqa"),
        ("VQA", ""),
        ("", ""),
        ("vqa@", "vqa"),
        ("@zero-shot", ""),
        ("classification", "classification@"),
    ],
)
def test_a_wrong_name_says_what_was_meant(wrong: str, near: str) -> None:
    with pytest.raises(UserError, match="unknown task") as caught:
        parse_task(wrong)
    assert f"did you mean '{near}" in caught.value.remedy or not near
    assert all(name in caught.value.remedy for name in TASKS)
