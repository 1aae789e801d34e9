"""How the examples of each task are told in a gallery: which columns they take, and what becomes of them.

An example is a question, a picture to caption or to classify, or a query. What a row said of it is an entry:
[text, probability or None, score or None]; for a query, [place of the right answer, the first items found].
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from vlpbench.results.metric_names import factor, printed_name

__all__ = ["FOUND", "Form", "about", "entry", "form_of", "picture_of", "worth"]

FOUND = 5
"""How many items of a query's answer are shown."""


@dataclass(frozen=True)
class Form:
    """What a gallery takes of one task's predictions."""

    kind: str
    """vqa, captioning, retrieval or classification."""
    key: str
    """The column that tells examples apart."""
    scores: tuple[str, ...]
    """Columns that may hold an example's score, the usual one first."""
    scale: float
    """What a stored score is multiplied by to be in the frame's scale: 100 where it is stored as a share."""
    asked: tuple[str, ...]
    """Columns that say what the example is."""
    said: tuple[str, ...]
    """Columns that say what a row made of it."""

    def printed(self, metric: str) -> str:
        """What is said over a score."""
        if self.kind == "retrieval":
            return "place of the right answer"
        return f"{printed_name(metric)} ×100" if factor(metric) != 1 else f"{metric.replace('_', ' ')}, %"


_FORMS = (
    Form("vqa", "question_id", ("accuracy", "multiple_choice", "exact_normalised", "exact"), 100.0,
         ("image_id", "question", "answers", "choices", "right_choice"), ("prediction", "probability")),
    Form("captioning", "image_id", ("CIDEr", "ROUGE_L", "Bleu_4", "Bleu_1"), 1.0,
         ("image_id", "references"), ("prediction",)),
    Form("retrieval", "query", ("rank",), 1.0, ("direction", "text"), ("found",)),
    Form("classification", "image_id", ("accuracy",), 1.0,
         ("image_id", "label"), ("prediction", "probability")),
)


def form_of(task: str) -> Form | None:
    """The form of a task by its name (`vqa@decoder`); None for one that galleries do not know."""
    return next((form for form in _FORMS if form.kind == task.partition("@")[0]), None)


def picture_of(form: Form, key: Any, row: Mapping[str, Any]) -> str:
    """The id of the picture that an example is about, as text; a query's own name says it."""
    if form.kind == "retrieval":
        return str(key).rpartition("/")[0] or str(key)
    return str(row.get("image_id"))


def about(form: Form, row: Mapping[str, Any]) -> dict[str, Any]:
    """What an example asks, and what is right: `truth` is a list of [text, how many people said so]."""
    if form.kind == "vqa":
        given = Counter(str(one) for one in row.get("answers") or ()).most_common()
        told: dict[str, Any] = {"ask": row.get("question"), "truth": [list(one) for one in given]}
        if row.get("choices"):
            told |= {"choices": list(row["choices"]), "truth": [[row.get("right_choice"), 1]]}
        return told
    if form.kind == "captioning":
        return {"ask": "", "truth": [[one, 1] for one in row.get("references") or ()]}
    if form.kind == "classification":
        return {"ask": "", "truth": [[row.get("label"), 1]]}
    return {"ask": row.get("text") or "", "way": row.get("direction"), "truth": []}


def entry(form: Form, metric: str, row: Mapping[str, Any]) -> list[Any]:
    """What a row said of an example, in the scale of print."""
    score = row.get(metric)
    if form.kind == "retrieval":
        return [None if score is None else round(score + 1, 1), list((row.get("found") or ())[:FOUND])]
    sure = row.get("probability")
    printed = None if score is None else round(score * form.scale * factor(metric), 1)
    return [row.get("prediction"), None if sure is None else round(sure, 3), printed]


def worth(form: Form, score: Any) -> Any:
    """A score, or an array of such, as a number of which more is better and differences can be compared."""
    return 1 / (1 + score) if form.kind == "retrieval" else score
