"""COCO captions: one JSON file a split with `images` and `annotations` (cocodataset.org, format "captions")."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from vlpbench.contract.dataset import BadSample
from vlpbench.data.sources.from_files import FromFiles
from vlpbench.data.sources.json_file import read_json, rows, text_problem, unique_rows, whole_number
from vlpbench.types import Sample

__all__ = ["Captions", "Coco", "CocoConfig", "read_captions"]


@dataclass(frozen=True)
class CocoConfig:
    """`[data.NAME]` with `kind = "coco"`."""

    folder: str = ""
    """Folder of the set, relative to `data.root`."""
    images: str = "images"
    """Folder of the pictures, relative to `folder`."""
    captions: Mapping[str, str] = field(default_factory=dict)
    """Captions file of each split, relative to `folder`."""
    limit: int = 0
    """Most samples of a split, the first ones of the file; 0 takes all."""


@dataclass(frozen=True)
class Captions:
    """What a captions file says."""

    names: Mapping[int, Any]
    """File name by image id, in file order; not yet checked."""
    texts: Mapping[int, tuple[str, ...]]
    """Captions by image id, in file order."""
    problems: tuple[BadSample, ...]
    """What cannot be used: repeated ids, empty captions, annotations of unknown images."""


def read_captions(path: Path) -> Captions:
    """Read a captions file through pycocotools' index; DataError where the file as a whole cannot be read."""
    document = read_json(path)
    images, problems = unique_rows(rows(document, "images", path), "image", "id", path)
    annotations, bad = unique_rows(rows(document, "annotations", path), "annotation", "id", path)
    problems += bad
    good = []
    for number, row in annotations.items():
        image = whole_number(row.get("image_id"))
        wrong = text_problem(row.get("caption"), "caption")
        if image is None or image not in images:
            wrong = f"image_id {row.get('image_id')!r} is not among the images"
        if wrong:
            problems.append(BadSample(f"{path.name}: annotation {number}", wrong))
        else:
            good.append({"id": number, "image_id": image, "caption": row["caption"]})
    index = _index({"images": [{"id": number} for number in images], "annotations": good})
    texts = {number: tuple(row["caption"] for row in index.imgToAnns.get(number, ())) for number in images}
    return Captions({number: row.get("file_name") for number, row in images.items()}, texts, tuple(problems))


def _index(document: dict[str, Any]) -> Any:
    """The index that pycocotools makes of a document; what it prints is dropped."""
    from pycocotools.coco import COCO

    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO()
        coco.dataset = document
        coco.createIndex()
    return coco


class Coco(FromFiles):
    """Images with captions, in COCO's captions form."""

    name: ClassVar[str] = "coco"
    cites: ClassVar[tuple[str, ...]] = ("lin2014coco", "chen2015cococaptions")
    config_class: ClassVar[type] = CocoConfig

    def splits(self) -> tuple[str, ...]:
        """The splits that `captions` names a file for."""
        return self.by_split("captions", needed=True)

    def files(self) -> Mapping[str, Path]:
        """The captions files."""
        return {f"captions {split}": self.file("captions", split) for split in self.splits()}

    def _samples(self, split: str) -> Iterator[Sample | BadSample]:
        """Images in the order of the file, each with its captions in the order of the file."""
        path = self.file("captions", split)
        read = read_captions(path)
        for number, name in read.names.items():
            wrong = self.pictures.problem(name) or (None if read.texts[number] else "has no caption")
            if wrong:
                yield BadSample(f"{path.name}: image {number}", wrong)
            else:
                yield Sample(number, name, read.texts[number])
        yield from read.problems
