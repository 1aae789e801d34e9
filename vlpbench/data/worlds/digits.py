"""The world `digits`: scenes of real handwritten digits in colours, with captions and questions; no download."""

from __future__ import annotations

import dataclasses
import functools
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

from vlpbench.contract.dataset import BadSample, Dataset
from vlpbench.data.sources.vqa import Vqa, VqaConfig
from vlpbench.data.worlds.digit_scenes import DigitsConfig, fingerprint, plan
from vlpbench.data.worlds.writing import complete, write
from vlpbench.errors import unknown
from vlpbench.types import Sample

__all__ = ["Digits", "DigitsConfig"]


class Digits(Dataset):
    """Written once to the cache in the formats of real sets, then read by the reader of real sets.

    Samples carry the fields `oracle` (the plain caption), `labels` (for each thing its words by attribute) and `boxes`
    (for each thing x, y, width, height in pixels).
    """

    name: ClassVar[str] = "digits"
    version: ClassVar[int] = 1
    config_class: ClassVar[type] = DigitsConfig
    config: DigitsConfig

    def __init__(self, config: DigitsConfig, root: Path, cache: Path) -> None:
        """`root` is not used: a world needs no data of the user's."""
        super().__init__(config, root, cache)
        self._written = False

    @functools.cached_property
    def folder(self) -> Path:
        """Where this world is or will be: one folder for each setting of the knobs."""
        return self.cache / "worlds" / f"{self.name}-{self.version}-{self.fingerprint()[:16]}"

    @property
    def images(self) -> Path:
        """The folder of the PNG files."""
        return self.folder / "images"

    def splits(self) -> tuple[str, ...]:
        """All three."""
        return tuple(self.config.scenes())

    def fingerprint(self) -> str:
        """A hash of the knobs, the version and the handwriting; the world need not be written."""
        return fingerprint(self.config, self.name, self.version)

    def prepare(self, heard: Callable[[int, int], None] | None = None) -> None:
        """Write the world unless it is there; `heard(done, of)` counts images. Raises UserError if the disk refuses."""
        if not self._written and not complete(self.folder, self.fingerprint()):
            write(self.folder, plan(self.config, self.name, self.version), heard)
        self._written = True

    def read(self, split: str) -> Iterator[Sample | BadSample]:
        """The samples of a split in the order of their ids; the world is written first where it is missing."""
        if split not in self.splits():
            raise unknown("split", split, self.splits(), f"data set {self.name!r}")
        self.prepare()
        known = json.loads((self.folder / f"scenes_{split}.json").read_text(encoding="utf-8"))
        for sample in self._reader().read(split):
            if isinstance(sample, Sample):
                fields = {**sample.fields, **_fields(known[str(sample.id)])}
                sample = dataclasses.replace(sample, fields=fields)
            yield sample

    def describe(self) -> Mapping[str, str]:
        """Sizes and contents, for `vlpbench data list`."""
        c = self.config
        return {
            "kind": self.name,
            "pictures": f"{c.size} x {c.size}, {c.digits_min} to {c.digits_max} digits of {c.classes} classes "
            f"in {c.colours} colours, {c.grid} x {c.grid} cells",
            "splits": ", ".join(f"{split} {number}" for split, number in c.scenes().items()),
            "texts": f"5 captions and up to {c.questions} questions an image, 10 answers a question",
            "source": "handwriting of scikit-learn (UCI, CC BY 4.0); written once, no download",
        }

    def _reader(self) -> Vqa:
        """The reader of real files, pointed at the world's folder."""
        questions, annotations, captions = (
            {split: f"{form}_{split}.json" for split in self.splits()}
            for form in ("questions", "annotations", "captions")
        )
        config = VqaConfig(self.folder.name, "images", questions, annotations, captions)
        return Vqa(config, root=self.folder.parent, cache=self.cache)


def _fields(known: Mapping[str, Any]) -> dict[str, Any]:
    """What a scene's entry says, as sample fields."""
    labels = [{key: word for key, word in thing.items() if isinstance(word, str)} for thing in known["things"]]
    return {"oracle": known["oracle"], "labels": labels, "boxes": [thing["box"] for thing in known["things"]]}
