"""Scenes with their texts as the JSON documents of real sets: COCO captions, VQAv2, Karpathy splits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from vlpbench.data.worlds.questions import Asked
from vlpbench.data.worlds.scene import Scene
from vlpbench.data.worlds.words import Lexicon

__all__ = ["QUESTIONS_APART", "Picture", "captions_document", "karpathy_document", "questions_documents",
           "scenes_document"]

QUESTIONS_APART = 1000
"""A question's id is its image's id times this, plus its number."""


@dataclass(frozen=True, slots=True)
class Picture:
    """One image with all that is said about it."""

    id: int
    """Image id, unique within the world."""
    file: str
    """File name relative to the image folder."""
    split: str
    """"train", "val" or "test"."""
    size: int
    """Pixels a side."""
    scene: Scene
    """What is to be seen."""
    oracle: str
    """The plain caption."""
    captions: tuple[str, ...]
    """Five captions, different unless they are brief."""
    asked: tuple[Asked, ...]
    """Questions with their true answers."""
    answers: tuple[tuple[str, ...], ...]
    """For each question what ten people said."""


def _info(world: str) -> dict[str, Any]:
    return {"description": f"vlpbench world {world}", "version": "1.0"}


def _images(pictures: Sequence[Picture]) -> list[dict[str, Any]]:
    return [{"id": p.id, "file_name": p.file, "width": p.size, "height": p.size, "license": 1} for p in pictures]


def captions_document(world: str, licence: dict[str, Any], pictures: Sequence[Picture]) -> dict[str, Any]:
    """COCO's captions form."""
    annotations = [
        {"id": p.id * len(p.captions) + i, "image_id": p.id, "caption": caption}
        for p in pictures
        for i, caption in enumerate(p.captions)
    ]
    return {"info": _info(world), "licenses": [licence], "images": _images(pictures), "annotations": annotations}


def questions_documents(
    world: str, licence: dict[str, Any], pictures: Sequence[Picture]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """VQAv2's two files, questions and annotations; the first also lists the images with their file names."""
    questions, annotations = [], []
    for p in pictures:
        for i, (asked, said) in enumerate(zip(p.asked, p.answers, strict=True)):
            key = {"question_id": p.id * QUESTIONS_APART + i, "image_id": p.id}
            questions.append({**key, "question": asked.text})
            answers = [
                {"answer": answer, "answer_confidence": "yes" if answer == asked.answer else "maybe", "answer_id": n}
                for n, answer in enumerate(said, 1)
            ]
            kinds = {"question_type": asked.form.kind, "answer_type": asked.form.answer_kind}
            annotations.append({**key, **kinds, "multiple_choice_answer": asked.answer, "answers": answers})
    both = {"info": _info(world), "license": licence, "data_type": world}
    kind = {"task_type": "Open-Ended", "data_subtype": pictures[0].split if pictures else ""}
    return (
        {**both, **kind, "images": _images(pictures), "questions": questions},
        {**both, "data_subtype": kind["data_subtype"], "annotations": annotations},
    )


def karpathy_document(world: str, pictures: Sequence[Picture]) -> dict[str, Any]:
    """The form of Karpathy's splits: all splits in one file, sentences with their tokens."""
    images = []
    for p in pictures:
        ids = [p.id * len(p.captions) + i for i in range(len(p.captions))]
        sentences = [
            {"tokens": caption.replace(",", "").split(), "raw": caption, "imgid": p.id, "sentid": i}
            for i, caption in zip(ids, p.captions, strict=True)
        ]
        images.append({"filename": p.file, "imgid": p.id, "split": p.split, "sentids": ids, "sentences": sentences})
    return {"dataset": world, "images": images}


def scenes_document(lexicon: Lexicon, pictures: Sequence[Picture]) -> dict[str, Any]:
    """What real sets do not know: by image id the oracle caption and each thing's box and words."""
    return {
        str(p.id): {
            "oracle": p.oracle,
            "things": [
                {**{name: lexicon.word(name, value) for name, value in sorted(thing.attributes.items())},
                 "box": list(thing.box), "variant": thing.variant}
                for thing in p.scene.things
            ],
        }
        for p in pictures
    }
