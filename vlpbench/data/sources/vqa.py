"""Questions about images in VQAv2's form: a questions file and an annotations file a split (visualqa.org)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from vlpbench.contract.dataset import BadSample
from vlpbench.data.errors import DataError
from vlpbench.data.sources.coco import Captions, read_captions
from vlpbench.data.sources.from_files import FromFiles
from vlpbench.data.sources.json_file import read_json, rows, unique_rows
from vlpbench.data.sources.questions import Asked, read_questions
from vlpbench.types import Sample

__all__ = ["Vqa", "VqaConfig"]


@dataclass(frozen=True)
class VqaConfig:
    """`[data.NAME]` with `kind = "vqa"`."""

    folder: str = ""
    """Folder of the set, relative to `data.root`."""
    images: str = "images"
    """Folder of the pictures, relative to `folder`."""
    questions: Mapping[str, str] = field(default_factory=dict)
    """Questions file of each split, relative to `folder`."""
    annotations: Mapping[str, str] = field(default_factory=dict)
    """Annotations file (the answers) of each split; a split without one has questions whose answers are hidden."""
    captions: Mapping[str, str] = field(default_factory=dict)
    """Captions file (COCO's form) of each split, where images have captions too."""
    image_pattern: str = ""
    """File name of an image, where neither the questions file nor the captions file lists `images`: text with
    {image_id}, {split} and {data_subtype}, such as "COCO_val2014_{image_id:012d}.jpg"."""
    limit: int = 0
    """Most samples (images) of a split, the first ones of the file; 0 takes all."""


class Vqa(FromFiles):
    """Images with questions, answers and, if wanted, captions."""

    name: ClassVar[str] = "vqa"
    cites: ClassVar[tuple[str, ...]] = ("antol2015vqa", "goyal2017vqa2")
    config_class: ClassVar[type] = VqaConfig

    def splits(self) -> tuple[str, ...]:
        """The splits that `questions` names a file for."""
        return self.by_split("questions", needed=True)

    def files(self) -> Mapping[str, Path]:
        """Questions, annotations and captions files."""
        known = self.splits()
        named: dict[str, Path] = {}
        for key in ("questions", "annotations", "captions"):
            for split in self.by_split(key):
                if split not in known:
                    raise DataError(f"{key}.{split} is named, but questions.{split} is not",
                                    f"data kind {self.name!r}: {key}", f"name questions.{split}, or drop this one")
                named[f"{key} {split}"] = self.file(key, split)
        return named

    def _samples(self, split: str) -> Iterator[Sample | BadSample]:
        """Images in the order in which they are listed (else first asked about), each with all its texts."""
        files = self.files()
        path = files[f"questions {split}"]
        document = read_json(path)
        asked = read_questions(document, path, files.get(f"annotations {split}"))
        written = read_captions(files[f"captions {split}"]) if f"captions {split}" in files else Captions({}, {}, ())
        names, bad = self._names(split, document, path, written, asked)
        for number, name in names.items():
            yield self._sample(number, name, asked, written, path)
        for question_id, image in asked.images.items():
            if image not in names:
                yield BadSample(f"{path.name}: question {question_id}", f"image_id {image} is not among the images")
        yield from (*bad, *asked.problems, *written.problems)

    def _sample(self, number: int, name: Any, asked: Asked, written: Captions, path: Path) -> Sample | BadSample:
        questions, texts = asked.by_image.get(number, ()), written.texts.get(number, ())
        wrong = self.pictures.problem(name) or (None if questions or texts else "has neither question nor caption")
        if wrong:
            return BadSample(f"{path.name}: image {number}", wrong)
        right = {q.id: asked.right[q.id] for q in questions if q.id in asked.right}
        return Sample(number, name, texts, questions, {"right_choice": right} if right else {})

    def _names(
        self, split: str, document: Mapping[str, Any], path: Path, written: Captions, asked: Asked
    ) -> tuple[dict[int, Any], list[BadSample]]:
        """File names by image id, in order: as listed in the questions file, in the captions file, or by pattern."""
        listed: dict[int, Any] = {}
        bad: list[BadSample] = []
        if "images" in document:
            found, bad = unique_rows(rows(document, "images", path), "image", "id", path)
            listed = {number: row.get("file_name") for number, row in found.items()}
        for number, name in written.names.items():
            listed.setdefault(number, name)
        if listed:
            return listed, bad
        if not self.config.image_pattern:
            raise DataError(f"{path.name} does not list its images, and no pattern of their names is given",
                            f"data kind {self.name!r}: image_pattern",
                            'set image_pattern, such as "COCO_{data_subtype}_{image_id:012d}.jpg"')
        subtype = str(document.get("data_subtype", split))
        return {number: self._by_pattern(number, split, subtype) for number in asked.by_image}, bad

    def _by_pattern(self, number: int, split: str, subtype: str) -> str:
        try:
            return str(self.config.image_pattern.format(image_id=number, split=split, data_subtype=subtype))
        except (KeyError, IndexError, ValueError, AttributeError) as error:
            raise DataError(f"{self.config.image_pattern!r} is not a usable pattern ({error})",
                            f"data kind {self.name!r}: image_pattern",
                            "use {image_id}, {split} and {data_subtype} only, such as {image_id:012d}") from None
