"""What a JSON file looks like, so that a swapped pair or a file of another task is recognised and said."""

from __future__ import annotations

from typing import Any, Literal

from vlpbench.errors import UserError
from vlpbench.scoring.documents import Document

__all__ = ["Kind", "check_kinds", "kind_of"]

Kind = Literal["VQA annotations", "VQA predictions", "VQA questions", "caption annotations", "caption predictions"]

LAYOUT: dict[Kind, str] = {
    "VQA annotations": '{"annotations": [{"question_id": 1, "answers": [{"answer": "yes"}, ...], ...}, ...]}',
    "VQA predictions": '[{"question_id": 1, "answer": "yes"}, ...]',
    "VQA questions": '{"questions": [{"question_id": 1, "question": "Is it red?", ...}, ...]}',
    "caption annotations": '{"images": [{"id": 1}, ...], "annotations": [{"image_id": 1, "caption": "A dog."}, ...]}',
    "caption predictions": '[{"image_id": 1, "caption": "a dog"}, ...]',
}
"""The official layout of each kind, as an error shows it."""
KEYS: dict[Kind, tuple[str, str]] = {
    "VQA annotations": ("question_id", "answers"),
    "VQA predictions": ("question_id", "answer"),
    "caption annotations": ("image_id", "caption"),
    "caption predictions": ("image_id", "caption"),
}
"""What a row of each kind must have; it may have more, even the keys of another kind."""


def kind_of(value: Any) -> Kind | None:
    """What the file looks like by its first row, or None."""
    if isinstance(value, dict):
        if isinstance(value.get("annotations"), list):
            first = _first(value["annotations"])
            if "answers" in first or "multiple_choice_answer" in first:
                return "VQA annotations"
            return "caption annotations" if "caption" in first else None
        return "VQA questions" if isinstance(value.get("questions"), list) else None
    first = _first(value)
    if "answers" in first and "question_id" in first:
        return "VQA annotations"
    if "answer" in first:
        return "VQA predictions"
    return "caption predictions" if "caption" in first else None


def check_kinds(wanted: dict[Kind, Document]) -> None:
    """UserError if one of the files looks like something else than what it was given as: swapped, or another task's."""
    found = {
        kind: kind if _fits(kind, document.value) else kind_of(document.value) for kind, document in wanted.items()
    }
    wrong = {kind: other for kind, other in found.items() if other not in (None, kind)}
    swapped = [kind for kind, other in wrong.items() if other is not None and wrong.get(other) == kind]
    if swapped:
        one, two = (wanted[kind] for kind in swapped[:2])
        raise UserError(
            f"{one.option} and {two.option} are swapped: {one.path.name} holds {swapped[1]}, {two.path.name} holds "
            f"{swapped[0]}", f"{one.where}, {two.where}", f"give {one.option} {two.path} {two.option} {one.path}",
        )
    for kind, other in wrong.items():
        held = wanted[kind]
        raise UserError(f"{held.path.name} holds {other}, not {kind}", held.where, f"give {LAYOUT[kind]}")
    for kind, document in wanted.items():
        top = "object" if LAYOUT[kind].startswith("{") else "list"
        if found[kind] is None and not isinstance(document.value, dict if top == "object" else list):
            keys = f" (an object with {', '.join(document.value) or 'nothing in it'})" if top == "list" else ""
            cause = f"{document.path.name} does not hold {kind}: its top level is no {top}"
            raise UserError(cause + (keys if isinstance(document.value, dict) else ""), document.where,
                            f"give {LAYOUT[kind]}")


def _fits(kind: Kind, value: Any) -> bool:
    """Whether the first row has what this kind needs, in the official layout: then further keys say nothing."""
    whole = isinstance(value, dict)
    if kind not in KEYS or whole != LAYOUT[kind].startswith("{"):
        return False
    return set(KEYS[kind]) <= _first(value.get("annotations") if whole else value).keys()


def _first(value: Any) -> dict[str, Any]:
    """The first row of a list of objects; empty for all else."""
    return value[0] if isinstance(value, list) and value and isinstance(value[0], dict) else {}
