"""Files that list answers: the closed vocabularies that other codebases train and score on (3,129 answers, say)."""

from __future__ import annotations

import json
from pathlib import Path

from vlpbench.errors import UserError
from vlpbench.scoring.documents import first_few, read_text
from vlpbench.scoring.ids import text_problem

__all__ = ["read_vocabulary"]


def read_vocabulary(option: str, path: Path) -> list[str]:
    """A list of answers: a JSON list, a JSON object answer -> index or index -> answer, or one answer a line.

    Empty lines of a plain list are passed over; UserError where answers are no texts or there are none.
    """
    text = read_text(option, path)
    if not text.lstrip().startswith(("[", "{")):
        found = [line.strip() for line in text.splitlines() if line.strip()]
        if not found:
            raise UserError(f"{path.name} holds no answers", f"{option} {path}", "write one answer a line")
        return found
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        raise UserError(
            f"{path.name} is not JSON: {error.msg}", f"{option} {path}, line {error.lineno}, column {error.colno}",
            'write a JSON list, ["yes", "no"], or one answer a line',
        ) from None
    if isinstance(value, dict):
        by_index = all(key.isdigit() for key in value) and all(isinstance(one, str) for one in value.values())
        value = list(value.values() if by_index else value)
    wrong = [one for one in value if text_problem(one)]
    if wrong or not value:
        cause = f"{len(wrong)} answers are no texts: {first_few(wrong)}" if wrong else "there are no answers in it"
        raise UserError(f"{path.name}: {cause}", f"{option} {path}", 'write ["yes", "no"] or {"yes": 0, "no": 1}')
    return list(value)
