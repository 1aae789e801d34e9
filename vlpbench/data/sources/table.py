"""A table of image and caption, one pair a row: CSV, TSV or parquet, as image-text sets from the web come."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from vlpbench.contract.dataset import BadSample
from vlpbench.data.errors import DataError
from vlpbench.data.sources.from_files import FromFiles
from vlpbench.data.sources.json_file import decoded, missing, read_bytes, text_problem, whole_number
from vlpbench.data.sources.pictures import id_of
from vlpbench.errors import nearest
from vlpbench.types import Sample

__all__ = ["Table", "TableConfig"]


@dataclass(frozen=True)
class TableConfig:
    """`[data.NAME]` with `kind = "table"`."""

    folder: str = ""
    """Folder of the set, relative to `data.root`."""
    images: str = "images"
    """Folder of the pictures, relative to `folder`."""
    tables: Mapping[str, str] = field(default_factory=dict)
    """Table of each split, relative to `folder`: .csv or .tsv (UTF-8, first row names the columns) or .parquet."""
    image: str = "image"
    """Column of the image's file name; rows with one name become one sample. Empty: the texts have no images."""
    caption: str = "caption"
    """Column of the caption, one a row. Empty: images have none, which needs `label`."""
    label: str = ""
    """Column of the image's class, the same in all its rows, for probes and zero-shot classification; empty: none."""
    id: str = ""
    """Column of the image id; empty makes one from the file name."""
    limit: int = 0
    """Most samples of a split, the first ones of the table; 0 takes all."""


class Table(FromFiles):
    """Images with captions, classes or both, or texts alone, from the rows of a table."""

    name: ClassVar[str] = "table"
    config_class: ClassVar[type] = TableConfig

    def splits(self) -> tuple[str, ...]:
        """The splits that `tables` names a file for."""
        if not (self.config.caption or (self.config.label and self.config.image)):
            raise DataError("images of this table would have neither caption nor class", "data kind 'table': caption",
                            'name the column of captions (caption = "..."), of classes (label = "..."), or both')
        return self.by_split("tables", needed=True)

    def files(self) -> Mapping[str, Path]:
        """The tables."""
        return {f"table {split}": self.file("tables", split) for split in self.splits()}

    def _samples(self, split: str) -> Iterator[Sample | BadSample]:
        """Images in the order of their first row; every row's caption at its image."""
        path = self.file("tables", split)
        c = self.config
        columns = [column for column in (c.image, c.caption, c.id, c.label) if column]
        reader = _parquet if path.suffix == ".parquet" else _delimited
        texts: dict[str, list[str]] = {}
        classes: dict[str, str] = {}
        ids: dict[str, int] = {}
        owners: dict[int, str] = {}
        checked: dict[str, str | None] = {}
        for where, row in reader(path, columns):
            name, number, wrong = self._row(row, where, checked)
            if wrong is None and ids.get(name, number) != number:
                wrong = f"image {name!r} has another id ({ids[name]}) further up"
            elif wrong is None and owners.get(number, name) != name:
                wrong = f"id {number} is that of another image ({owners[number]!r}) further up"
            elif wrong is None and c.label and classes.get(name) not in (None, _class(row[c.label])):
                wrong = f"image {name!r} has another class ({classes[name]!r}) further up"
            if wrong:
                yield BadSample(f"{path.name}: {where}", wrong)
                continue
            ids[name], owners[number] = number, name
            texts.setdefault(name, []).extend([row[c.caption]] if c.caption else [])
            if c.label:
                classes[name] = _class(row[c.label])
        for name, found in texts.items():
            fields = {"label": classes[name]} if c.label else {}
            yield Sample(ids[name], name if c.image else "", tuple(found), fields=fields)

    def _row(self, row: Mapping[str, Any], where: str, checked: dict[str, str | None]) -> tuple[str, int, str | None]:
        """A row's image name (its place, for texts alone), its id, and what is wrong with it."""
        if len(row) == 0:
            return "", 0, "has not as many cells as there are columns"
        name = row[self.config.image] if self.config.image else where
        if self.config.image and name not in checked:
            checked[name] = self.pictures.problem(name)
        wrong = checked.get(name)
        if self.config.caption:
            wrong = wrong or text_problem(row[self.config.caption], "caption")
        if self.config.label:
            wrong = wrong or text_problem(_class(row[self.config.label]), "label")
        if not self.config.id:
            return str(name), id_of(str(name)), wrong
        number = whole_number(row[self.config.id])
        if number is None:
            wrong = wrong or f"id {row[self.config.id]!r} is not a whole number"
        return str(name), number or 0, wrong


def _class(cell: Any) -> Any:
    """A class as its name: numbers as texts (parquet has both), without space around; anything else as it is."""
    if isinstance(cell, int) and not isinstance(cell, bool):
        return str(cell)
    return cell.strip() if isinstance(cell, str) else cell


def _columns_needed(columns: list[str], known: list[str], path: Path) -> None:
    for column in columns:
        if column not in known:
            near = nearest(column, known)
            guess = f"did you mean {near!r}? " if near else ""
            raise DataError(f"{path.name} has no column {column!r}", str(path), f"{guess}columns: {', '.join(known)}")


def _delimited(path: Path, columns: list[str]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Place and cells of each row of a CSV or TSV file; an empty mapping where the number of cells is wrong."""
    text = decoded(read_bytes(path), path)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter="\t" if path.suffix == ".tsv" else ",", strict=True)
    try:
        known = next(reader, [])
        _columns_needed(columns, known, path)
        at = {column: known.index(column) for column in columns}
        for cells in reader:
            if cells:
                whole = len(cells) == len(known)
                yield f"line {reader.line_num}", {column: cells[i] for column, i in at.items()} if whole else {}
    except csv.Error as error:
        raise DataError(f"{path.name} is not a readable table: {error}", f"{path}, line {reader.line_num}",
                        "correct the quotes of that line, or save the table as parquet") from None


def _parquet(path: Path, columns: list[str]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Place and cells of each row of a parquet file."""
    import pyarrow as pa
    from pyarrow import parquet

    try:
        with parquet.ParquetFile(path) as file:
            _columns_needed(columns, file.schema_arrow.names, path)
            at = 0
            for part in file.iter_batches(columns=columns):
                for row in part.to_pylist():
                    at += 1
                    yield f"row {at}", row
    except FileNotFoundError:
        raise missing(path) from None
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"{path.name} is not a readable parquet file: {error}", str(path),
                        "write the file again: it may be cut off") from None
