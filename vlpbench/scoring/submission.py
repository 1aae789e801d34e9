"""Result files as the evaluation servers of VQA (visualqa.org) and COCO captioning want them, under official names.

Answers and captions go out as the model wrote them: the servers normalise and tokenise, and doing it twice is not the
same as once.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from vlpbench.errors import UserError, unknown
from vlpbench.files import readable, write_text
from vlpbench.scoring.documents import first_few
from vlpbench.scoring.ids import spelt, text_problem

__all__ = ["SubmissionName", "captioning_submission", "vqa_submission", "write_submission"]

Row = Mapping[str, Any]
PREDICTION = "prediction"
"""The column of a stored prediction that holds the words, in every task."""


@dataclass(frozen=True)
class SubmissionName:
    """What the name of a result file says; marks of `split` and `method` but letters, digits, dots become dashes."""

    split: str
    """The split as the server calls it: "test2014" (captioning), "test-dev2015" (VQA)."""
    method: str
    """Your name for what was run."""
    data: Literal["mscoco", "abstract_v002"] = "mscoco"
    """VQA only: `dataType`."""
    form: Literal["OpenEnded", "MultipleChoice"] = "OpenEnded"
    """VQA only: `taskType`."""

    def of(self, task: str) -> str:
        """The file name: COCO's `captions_[testName]_[alg]_results.json`, or VQA's, which starts with `vqa_`."""
        start = "captions" if task == "captioning" else f"vqa_{self.form}_{self.data}"
        return f"{start}_{readable(self.split)}_{readable(self.method)}_results.json"


def vqa_submission(rows: Iterable[Row]) -> list[dict[str, Any]]:
    """`[{"question_id": int, "answer": str}, ...]` from stored predictions (`question_id`, `prediction`), in order.

    UserError where a question comes twice, an id is no whole number, or an answer is no text.
    """
    return _submission(list(rows), "question_id", "answer")


def captioning_submission(rows: Iterable[Row]) -> list[dict[str, Any]]:
    """`[{"image_id": int, "caption": str}, ...]` from stored predictions (`image_id`, `prediction`), in order.

    UserError where an image comes twice, an id is no whole number, or a caption is no text.
    """
    return _submission(list(rows), "image_id", "caption")


_MADE: Mapping[str, Callable[[Iterable[Row]], list[dict[str, Any]]]] = {
    "vqa": vqa_submission, "captioning": captioning_submission,
}


def write_submission(folder: Path, task: str, rows: Iterable[Row], name: SubmissionName) -> Path:
    """Write the result file of a task ("vqa" or "captioning") into `folder`, whole or not at all; give its path.

    COCO's server takes the files of two splits in one zip archive, VQA's takes the file itself.
    """
    if task not in _MADE:
        raise unknown("task with an evaluation server", task, _MADE)
    path = folder / name.of(task)
    write_text(path, json.dumps(_MADE[task](rows), ensure_ascii=False) + "\n")
    return path


def _submission(rows: Sequence[Row], key: str, said: str) -> list[dict[str, Any]]:
    """Id and words of each row, checked."""
    if not rows:
        raise UserError("there is no prediction to submit")
    found: dict[int, dict[str, Any]] = {}
    wrong: list[str] = []
    for at, row in enumerate(rows):
        number, words = spelt(row.get(key)), row.get(PREDICTION)
        problem = text_problem(words)
        if not isinstance(number, int):
            wrong.append(f"number {at + 1}: {key!r} is no whole number ({row.get(key)!r})")
        elif number in found:
            wrong.append(f"number {at + 1}: {key} {number} comes twice")
        elif problem:
            wrong.append(f"{key} {number}: its {PREDICTION!r} {problem}")
        else:
            found[number] = {key: number, said: words}
    if wrong:
        raise UserError(f"{len(wrong)} of {len(rows)} predictions cannot be submitted: {first_few(wrong)}")
    return list(found.values())
