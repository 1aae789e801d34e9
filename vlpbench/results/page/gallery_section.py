"""One task of one grid in a gallery: the examples drawn, and what every row and seed said of each."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from vlpbench.results.page.gallery_draw import Drawn, draw, gaps
from vlpbench.results.page.gallery_forms import Form, about, entry, picture_of, worth
from vlpbench.results.page.gallery_records import Predictions
from vlpbench.results.page.pictures import LARGE, SMALL, Album, PictureSet

__all__ = ["Answered", "Section"]


@dataclass(frozen=True)
class Answered:
    """One finished cell that was asked this task."""

    row: str
    """Its row."""
    seed: int
    """Its seed."""
    is_blind: bool
    """Whether every picture was grey."""
    predictions: Predictions
    """What it said."""


@dataclass
class Section:
    """Built in three steps: `choose` examples, `show` their pictures, then what was found (`finish`)."""

    form: Form
    """The task's."""
    cells: Sequence[Answered]
    """At least one."""
    chosen: dict[Any, Drawn] = field(default_factory=dict)
    """The examples shown, and why each is."""
    of: int = 0
    """Of how many examples they were drawn."""
    notes: list[str] = field(default_factory=list)
    """What must be said of the section."""
    _told: list[dict[Any, list[Any]]] = field(default_factory=list)
    """Of each cell, example -> entry."""
    _rows: dict[Any, dict[str, Any]] = field(default_factory=dict)
    """The examples' own columns."""
    _pictures: PictureSet = field(default_factory=PictureSet)
    """Where their pictures come from."""

    @cached_property
    def metric(self) -> str:
        """The column of scores: the usual one, as far as all cells have it."""
        by_all = frozenset.intersection(*(cell.predictions.names for cell in self.cells))
        return next((name for name in self.form.scores if name in by_all), self.form.scores[0])

    @property
    def seeds(self) -> list[int]:
        """Ascending."""
        return sorted({cell.seed for cell in self.cells})

    def choose(self, most: int) -> None:
        """Draw at most `most` examples and read what was said of them; of queries, as many each way."""
        first = self.cells[0].predictions
        keys = first.column(first.key)
        differing = self._differing(keys)
        images = first.column("image_id")
        pictures = [picture_of(self.form, key, {"image_id": one}) for key, one in zip(keys, images, strict=True)]
        ways: dict[Any, list[int]] = {}
        for at, way in enumerate(first.column("direction")):
            ways.setdefault(way, []).append(at)
        drawn = [
            draw([keys[at] for at in places], differing[places], [pictures[at] for at in places], most // len(ways))
            for places in ways.values()
        ]
        in_turn = [one for some in itertools.zip_longest(*(way.items() for way in drawn)) for one in some if one]
        self.chosen = dict(sorted(in_turn, key=lambda one: one[1] == "differ"))
        self.of = len(keys)
        self._rows = first.rows(self.chosen, self.form.asked)
        for cell in self.cells:
            rows = cell.predictions.rows(self.chosen, [*self.form.said, self.metric])
            self._told.append({key: entry(self.form, self.metric, row) for key, row in rows.items()})

    def _differing(self, keys: Sequence[Any]) -> Any:
        """How far rows are apart at each example; of rows that saw pictures, where there are two."""
        seeing = [cell for cell in self.cells if not cell.is_blind]
        if len({cell.row for cell in seeing}) < 2:
            seeing = list(self.cells)
        scores: dict[str, list[Any]] = {}
        for cell in seeing:
            scores.setdefault(cell.row, []).append(worth(self.form, cell.predictions.numbers(self.metric, keys)))
        return gaps(scores)

    def show(self, pictures: PictureSet, album: Album, rows: Sequence[str]) -> list[dict[str, Any]]:
        """The examples, JSON-able: `rows` x seeds of entries, each with its picture's number."""
        if pictures.contradicts(self._claims()):
            pictures = PictureSet(reason="picture not shown: the data set says other things than the run was asked")
        if pictures.note:
            self.notes.append(pictures.note)
        self._pictures = pictures
        said = {(cell.row, cell.seed): told for cell, told in zip(self.cells, self._told, strict=True)}
        return [
            {
                "id": str(key), "drawn": drawn, **about(self.form, self._rows[key]),
                "picture": album.number(pictures, picture_of(self.form, key, self._rows[key]), LARGE),
                "said": [[said.get((row, seed), {}).get(key) for seed in self.seeds] for row in rows],
            }
            for key, drawn in self.chosen.items()
        ]

    def _claims(self) -> Iterable[tuple[str, str]]:
        """What the records say of pictures, as the data set should."""
        for key, row in self._rows.items():
            for text in (row.get("question"), row.get("text"), row.get("label"), *(row.get("references") or ())):
                if text is not None:
                    yield picture_of(self.form, key, row), str(text)

    def finish(self, examples: Sequence[dict[str, Any]], album: Album) -> list[dict[str, Any]]:
        """What queries found, each item once with its text or picture; entries and `right` then count in it."""
        if self.form.kind != "retrieval":
            return []
        own = self._captions({one["id"] for one in examples})
        place: dict[str, int] = {}
        for one in examples:
            owner = one["id"].rpartition("/")[0]
            one["right"] = [place.setdefault(name, len(place)) for name in own.get(one["id"]) or [owner] if name]
            for said in (said for row in one["said"] for said in row if said):
                said[1] = [place.setdefault(name, len(place)) for name in said[1]]
        texts = self._texts(place)
        for one in examples:
            one["ask"] = one["ask"] or texts.get(one["id"], "")
        return [
            {"text": texts.get(name, name)} if "/" in name
            else {"picture": album.number(self._pictures, name, SMALL)}
            for name in place
        ]

    def _captions(self, pictures: set[str]) -> Mapping[str, list[str]]:
        """The names of the texts of each of these pictures."""
        own: dict[str, list[str]] = {}
        for name in self.cells[0].predictions.column("query"):
            picture = str(name).rpartition("/")[0]
            if picture in pictures:
                own.setdefault(picture, []).append(name)
        return own

    def _texts(self, names: Iterable[str]) -> Mapping[str, str]:
        """The texts that these names stand for; older records lack them, and the data set knows them."""
        wanted = frozenset({*(name for name in names if "/" in name), *self.chosen})
        rows = self.cells[0].predictions.rows(wanted, ["text"])
        known = {name: rows.get(name, {}).get("text") or self._pictures.caption(str(name)) for name in wanted}
        return {name: text for name, text in known.items() if text}
