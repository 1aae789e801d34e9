"""What a data set must offer: splits of samples, a folder of images, and a fingerprint of what decides them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from vlpbench.contract.sealed import seal_reading
from vlpbench.types import Sample

__all__ = ["Archive", "BadSample", "Dataset"]


@dataclass(frozen=True)
class BadSample:
    """One sample, or one text of it, that cannot be used: where it stands and what is wrong with it."""

    where: str
    """File and place in it: "captions_train.json: annotation 17"."""
    what: str
    """What is wrong, in a sentence: "image 'a.jpg' does not exist"."""


class Archive(ABC):
    """Pictures that are no files of their own but lie in larger ones; by the names that samples have for them."""

    @abstractmethod
    def read(self, name: str) -> bytes:
        """A picture file's bytes. Several threads may ask at once. Raises DataError where they cannot be had."""

    @abstractmethod
    def digests(self, names: Sequence[str]) -> Mapping[str, str]:
        """The SHA-256 (hex) of each picture file, in the order of `names`."""

    @abstractmethod
    def part(self, name: str) -> int:
        """The number of the larger file that a picture lies in."""

    @property
    def together(self) -> int:
        """How many of the larger files a training reads at a time; 0 draws from all of them at once."""
        return 0


class Dataset(ABC):
    """A named set of samples in splits, read from files in the folder of the user's data, or written by a world.

    A reader checks form, not pictures: whether an image can be decoded is found out when the image store is built.
    While something trains or chooses, `read("test")` raises TestSplitRefused, whichever class has it (`sealed`).
    """

    name: ClassVar[str]
    """The `kind` that a grid file says."""
    version: ClassVar[int] = 1
    """Raised when the same files give other samples; part of a cell's id."""
    config_class: ClassVar[type]
    """A frozen dataclass: the keys of `[data.NAME]` beside `kind`."""
    cites: ClassVar[tuple[str, ...]] = ()
    """What a paper cites that uses it: BibTeX entries, or keys of vlpbench's own list (`vlpbench cite --all`)."""

    def __init_subclass__(cls, **named: Any) -> None:
        """Have the class's `read` obey the seal on test splits."""
        super().__init_subclass__(**named)
        seal_reading(cls)

    def __init__(self, config: Any, root: Path, cache: Path) -> None:
        """Remember where things are. Opens no file: a grid is checked before its data is touched.

        `root` is the user's data folder (`data.root`), `cache` a folder that may be written to and deleted.
        """
        self.config, self.root, self.cache = config, root, cache

    @property
    @abstractmethod
    def images(self) -> Path:
        """The folder that the image names of all samples are relative to."""

    @property
    def archive(self) -> Archive | None:
        """What holds the pictures where they are no files in `images`; None: they are."""
        return None

    @abstractmethod
    def splits(self) -> tuple[str, ...]:
        """The splits this set has, of "train", "val" and "test"."""

    @abstractmethod
    def read(self, split: str) -> Iterator[Sample | BadSample]:
        """The samples of a split in a fixed order; a broken one is given as a BadSample in its place.

        Raises DataError (of `vlpbench.data.errors`) where the file as a whole cannot be read.
        """

    @abstractmethod
    def fingerprint(self) -> str:
        """A hash of all that decides the samples: names and bytes of the annotation files and of the images."""

    def files_of(self, split: str) -> Sequence[Path]:
        """The files (or folders) that decide by being named for a split which samples it has; they need not exist.

        Training refuses those that are another split's test files. None for a set whose files say themselves which
        sample belongs to which split, and for one that is made.
        """
        return ()

    def prepare(self, heard: Any = None) -> None:
        """Write what has to be written first (a world); `heard(done, of)` is told of progress. Files: nothing."""

    def describe(self) -> Mapping[str, str]:
        """A few facts for `vlpbench data list`."""
        return {"kind": self.name}
