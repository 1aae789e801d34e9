"""VQA scores as a table for people: a column a rule, a row a group, and what must be said under it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vlpbench.scoring.layout import Cell, columns, said

__all__ = ["vqa_text"]

RULES_SAID = (
    "always: both sides normalised; 2021: only where people disagree (the evaluator of visualqa.org today); 2016: its "
    "older rule, most published numbers. Name the rule beside the number"
)
EXACT_SAID = (
    "one answer a question, so no leave-one-out accuracy: exact compares as written (but for blanks at the ends), "
    "exact_normalised after the VQA evaluator's normalisation"
)


def vqa_text(found: Mapping[str, Any], counts: Mapping[str, Mapping[str, int]]) -> str:
    """The table of what `score_vqa` found; `counts`: number of questions by group."""
    rules = list(found["overall"])
    rows: list[list[Cell]] = [["overall", *found["overall"].values(), found["questions"]]]
    for key, what in (("per_answer_type", "answer type"), ("per_question_type", "question type")):
        rows += [[f"{what}: {name}", *scores.values(), counts[key][name]] for name, scores in found[key].items()]
    extra = _extra(found)
    exact = "exact" in rules
    notes = [EXACT_SAID if exact else RULES_SAID, *found["notes"]]
    head = "exact match, percent" if exact else "VQA accuracy, percent"
    return columns([head, *rules, "questions"], rows) + (f"\n\n{extra}" if extra else "") + "\n" + said(notes)


def _extra(found: Mapping[str, Any]) -> str:
    """The scores of choices and of a closed vocabulary."""
    rows: list[list[Cell]] = []
    if "multiple_choice" in found:
        rows.append(["multiple choice, percent", found["multiple_choice"]])
        rows.append(["  choosing at random, percent", found["multiple_choice_chance"]])
    if "vocabulary" in found:
        listed = found["vocabulary"]
        rows += [
            ["closed vocabulary, percent (all questions; answers as written)", listed["score"]],
            ["  its ceiling, percent", listed["ceiling"]],
            ["  ceiling of VQA accuracy (always) with these answers, percent", listed["accuracy_ceiling"]],
            ["  score of the answerable questions alone (ViLT, METER, BEiT-3), percent", listed["score_of_answerable"]],
            ["  questions that it cannot answer, counted as 0", listed["unanswerable"]],
            ["  predictions that are not in it, counted as 0", listed["predictions_outside"]],
        ]
    return columns(["beside it", ""], rows) if rows else ""
