"""COCO caption annotations and results, joined by image id in the order in which pycocoevalcap takes the images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from vlpbench.scoring.documents import Document, Rows, listed, read_document, rows_of
from vlpbench.scoring.ids import Id, id_notes, ids, matched, text_problem
from vlpbench.scoring.kinds import check_kinds

__all__ = ["Captioned", "read_captions"]


@dataclass(frozen=True)
class Captioned:
    """Predicted captions and references of the same images. An image is known by its place, 0 to N - 1."""

    images: Sequence[Id]
    """Image ids by place: the order of `images` in the annotations, which decides which caption stands next to which
    when all are cut into tokens (the official tokenizer looks over the end of a line)."""
    predictions: Mapping[int, str]
    """Place -> predicted caption, as written."""
    references: Mapping[int, Sequence[str]]
    """Place -> reference captions in file order, as written."""
    annotated: int
    """Number of annotated images, scored or not."""
    notes: tuple[str, ...]
    """What must be said about the files."""


def read_captions(annotations: Path, predictions: Path, subset: bool) -> Captioned:
    """Both files, checked against each other; `subset` lets images go that have no prediction.

    UserError names what is malformed, missing, doubled or too many.
    """
    annotated = read_document("--annotations", annotations)
    results = read_document("--predictions", predictions)
    check_kinds({"caption annotations": annotated, "caption predictions": results})
    references = _references(annotated)
    rows = rows_of(results, "prediction", results.value)
    given = ids(rows, "image_id")
    captions = rows.column("caption", text_problem, "write each caption as text; an empty one is \"\"")
    order = matched(given, {name: at for at, name in enumerate(references)}, rows, annotated, "image", subset)
    scored = [name for at, name in enumerate(references) if at in order]
    predicted = dict(zip(given, captions, strict=True))
    notes = [*id_notes(rows, "image_id"), *_notes(rows, captions, references)]
    if len(scored) < len(references):
        notes.append(f"a subset: {len(scored)} of {len(references)} annotated images; CIDEr weighs words by the "
                     "references of these alone, so its number belongs to this subset")
    return Captioned(
        scored,
        {at: predicted[name] for at, name in enumerate(scored)},
        {at: references[name] for at, name in enumerate(scored)},
        len(references),
        tuple(notes),
    )


def _references(document: Document) -> dict[Id, list[str]]:
    """Image id -> its captions; images in the order of the file's `images`, or of their first caption."""
    rows = rows_of(document, "annotation", listed(document, "annotations"))
    owners = ids(rows, "image_id")
    captions = rows.column("caption", text_problem)
    found: dict[Id, list[str]] = {}
    if isinstance(document.value, dict) and document.value.get("images"):
        pictures = rows_of(document, "image", document.value["images"])
        found = {name: [] for name in ids(pictures, "id")}
    for name, caption in zip(owners, captions, strict=True):
        found.setdefault(name, []).append(caption)
    return {name: texts for name, texts in found.items() if texts}


def _notes(rows: Rows, captions: Sequence[str], references: Mapping[Id, Sequence[str]]) -> list[str]:
    """What must be said about captions that are empty or hold line breaks."""
    said = []
    empty = sum(not caption.strip() for caption in captions)
    if empty:
        said.append(f"empty predicted captions, scored as they are: {empty} of {len(rows)}")
    texts = [*captions, *(text for given in references.values() for text in given)]
    broken = sum(len(text.strip().splitlines()) > 1 for text in texts)
    if broken:
        said.append(f"captions with a line break, read as a space: {broken}; the official tokenizer would move "
                    "all later captions to other images")
    return said
