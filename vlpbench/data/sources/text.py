"""Plain text: each line, or each paragraph between blank lines, is a text without a picture."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Literal

from vlpbench.contract.dataset import BadSample
from vlpbench.data.errors import DataError
from vlpbench.data.fingerprint import fingerprint
from vlpbench.data.sources.from_files import FromFiles
from vlpbench.data.sources.json_file import missing
from vlpbench.types import Sample

__all__ = ["Text", "TextConfig"]

_MARK = b"\xef\xbb\xbf"
"""The byte order mark that some editors put before the first line."""


@dataclass(frozen=True)
class TextConfig:
    """`[data.NAME]` with `kind = "text"`."""

    folder: str = ""
    """Folder of the set, relative to `data.root`."""
    files: Mapping[str, str] = field(default_factory=dict)
    """Text file (UTF-8) of each split, relative to `folder`."""
    unit: Literal["line", "paragraph"] = "line"
    """What one text is: a line, or the lines between two blank ones, joined by spaces."""
    limit: int = 0
    """Most samples of a split, the first ones of the file; 0 takes all."""
    images: ClassVar[str] = ""
    """No setting: what has no pictures has no folder of them."""


class Text(FromFiles):
    """Texts alone, read line by line: a file may be larger than memory."""

    name: ClassVar[str] = "text"
    config_class: ClassVar[type] = TextConfig

    def splits(self) -> tuple[str, ...]:
        """The splits that `files` names a file for."""
        return self.by_split("files", needed=True)

    def files(self) -> Mapping[str, Path]:
        """The text files."""
        return {f"text {split}": self.file("files", split) for split in self.splits()}

    def _samples(self, split: str) -> Iterator[Sample | BadSample]:
        """The texts in their order, each under the number of the line on which it begins."""
        path = self.file("files", split)
        units = _lines if self.config.unit == "line" else _paragraphs
        for number, raw in units(path):
            try:
                text = raw.decode("utf-8")
            except UnicodeDecodeError as error:
                line = number + raw[: error.start].count(b"\n")
                yield BadSample(f"{path.name}: line {line}", f"is not UTF-8 (0x{raw[error.start]:02x})")
                continue
            said = " ".join(part for line in text.split("\n") if (part := line.strip()))
            if said:  # blank lines are how people set corpora, not a fault
                yield Sample(number, captions=(said,))

    def fingerprint(self) -> str:
        """A hash of the files, the unit and the limit; no text is read for it twice."""
        facts = {"kind": self.name, "version": self.version, "unit": self.config.unit, "limit": self.config.limit}
        return fingerprint(facts, self.files(), self.images, (), self.cache)


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """Number (from 1) and bytes of each line; DataError if there is no such file."""
    try:
        with path.open("rb") as file:
            for number, raw in enumerate(file, start=1):
                yield number, raw.removeprefix(_MARK) if number == 1 else raw
    except FileNotFoundError:
        raise missing(path) from None
    except OSError as error:
        raise DataError(f"{path.name} cannot be read: {error.strerror}", str(path), "give a readable file") from None


def _paragraphs(path: Path) -> Iterator[tuple[int, bytes]]:
    """Number of the first line and bytes of each run of lines that are not blank."""
    begun, held = 0, []
    for number, raw in _lines(path):
        if raw.strip():
            begun = begun or number
            held.append(raw)
        elif held:
            yield begun, b"".join(held)
            begun, held = 0, []
    if held:
        yield begun, b"".join(held)
