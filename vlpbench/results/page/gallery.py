"""What every row said, example by example, with the pictures: the data of a page's gallery.

`assets/gallery.js` shows what `gallery` returns. All of it is JSON: texts of data sets stay texts.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

from vlpbench.errors import UserError
from vlpbench.registry import Registry, load_registry
from vlpbench.results.page.gallery_forms import form_of
from vlpbench.results.page.gallery_records import Predictions
from vlpbench.results.page.gallery_section import Answered, Section
from vlpbench.results.page.pictures import Album, PictureSet, open_pictures
from vlpbench.results.records import Record

if TYPE_CHECKING:
    from vlpbench.results.frame import Results

__all__ = ["gallery"]

_COMPACT = (
    "compact records keep no predictions: a page of the results folder that they were copied from shows what rows said"
)
"""Said where there is nothing else to show."""

_MOST_BYTES = 10 << 20
"""How long all pictures of a gallery may be as text."""


@dataclass
class _Group:
    """The cells of one grid that were asked one task on the same data."""

    first: Record
    """The first of them."""
    task: str
    """The task's full name."""
    scored: Mapping[str, Any]
    """What the first one's scores say of the task."""
    cells: list[Answered] = field(default_factory=list)
    """Those whose predictions can be read."""
    notes: list[str] = field(default_factory=list)
    """Of the others, why not."""
    compact: int = 0
    """How many of the others are compact records, which keep no predictions."""

    @property
    def source(self) -> tuple[Mapping[str, Any], str, str | None]:
        """The settings of its data set, its split, and the fingerprint that the set had."""
        return _source(self.first, self.scored)


def gallery(
    results: Results, most: int = 60, plugins: Callable[[], Registry] = load_registry
) -> dict[str, Any]:
    """What `assets/gallery.js` shows: at most `most` examples of each task of each grid, and their pictures.

    Failed cells are absent; a row that cannot be asked a task says why. `plugins` loads the registry that knows
    the kinds of data sets. Predictions and pictures that cannot be read are told of, never an error.
    """
    every = _groups(results.records())
    groups = [group for group in every if group.cells and most > 0]
    album, opened = Album(_MOST_BYTES), _Opened(plugins)
    shown = []
    for group in groups:
        form = form_of(group.task)
        assert form is not None  # others are no groups
        section, rows = Section(form, group.cells, notes=group.notes), _rows(results, group)
        section.choose(most)
        if group.compact:
            every_one = group.compact + len(group.cells)
            section.notes.append(f"{group.compact} of {every_one} cells are not shown: {_COMPACT}")
        shown.append((group, section, rows, section.show(opened.of(group), album, [row["name"] for row in rows])))
    return {
        "sections": [
            {
                "grid": group.first.order.name, "task": group.task, "data": group.scored.get("data", ""),
                "split": group.scored.get("split", ""), "kind": section.form.kind,
                "score": section.form.printed(section.metric), "of": section.of, "rows": rows, "seeds": section.seeds,
                "found": section.finish(examples, album), "examples": examples, "notes": section.notes,
            }
            for group, section, rows, examples in shown  # after all pictures that are asked about: those found
        ],
        "pictures": album.entries, **({"empty": _COMPACT} if any(group.compact for group in every) else {}),
    }


class _Opened:
    """Sets of pictures, each opened once; the registry is loaded when the first is."""

    def __init__(self, plugins: Callable[[], Registry]) -> None:
        self._registry, self._sets = cache(plugins), dict[str, PictureSet]()

    def of(self, group: _Group) -> PictureSet:
        """The pictures that a group's cells were asked about."""
        source, split, fingerprint = group.source
        key = json.dumps(group.source, sort_keys=True)
        if key not in self._sets:
            if not source:
                self._sets[key] = PictureSet(reason="picture not shown: the record does not say where it is from")
                return self._sets[key]
            self._sets[key] = open_pictures(source, split, fingerprint, self._registry())
        return self._sets[key]


def _groups(records: Iterable[Record]) -> list[_Group]:
    """Finished cells by grid, task and what they were scored on, in the order of the grids' tasks."""
    groups: dict[str, _Group] = {}
    for record, task, scored in _scored(records):
        key = json.dumps([record.order.name, task, *_source(record, scored)], sort_keys=True)
        group = groups.setdefault(key, _Group(record, task, scored))
        form = form_of(task)
        if form is None:
            continue
        if record.cell.is_compact:
            group.compact += 1
            continue
        path = record.cell.examples(task)
        row, seed = record.line
        try:
            predictions = Predictions.at(path, form.key)
        except UserError:
            group.notes.append(f"{row}, seed {seed}: the record keeps no predictions that can be read")
        else:
            blind = bool(record.asked["settings"].get("blind"))
            group.cells.append(Answered(row, seed, blind, predictions))
    grids = list(dict.fromkeys(one.first.order.name for one in groups.values()))
    return sorted(groups.values(), key=lambda one: (grids.index(one.first.order.name), _place(one)))


def _place(group: _Group) -> int:
    """Where a group's task stands in its grid."""
    tasks = group.first.order.tasks
    return tasks.index(group.task) if group.task in tasks else len(tasks)


def _scored(records: Iterable[Record]) -> Iterator[tuple[Record, str, Mapping[str, Any]]]:
    """Each finished cell with each task that has scores."""
    for record in records:
        for task, scored in record.scores["tasks"].items():
            if "values" in scored:
                yield record, task, scored


def _source(record: Record, scored: Mapping[str, Any]) -> tuple[Mapping[str, Any], str, str | None]:
    data = scored.get("data", "")
    source = record.asked["settings"].get("sources", {}).get(data, {})
    return source, scored.get("split", "test"), record.asked.get("fingerprints", {}).get(data)


def _rows(results: Results, group: _Group) -> list[dict[str, Any]]:
    """The rows of a group's grid in its order: whether they are blind, and why one was not asked."""
    found = {cell.row: {"name": cell.row, "blind": cell.is_blind, "why": ""} for cell in reversed(group.cells)}
    grid = group.first.order.name
    for record in results.records():
        said = record.scores["tasks"].get(group.task, {})
        if record.order.name == grid and "reason" in said and "values" not in said:
            blind = bool(record.asked["settings"].get("blind"))
            found.setdefault(record.line[0], {"name": record.line[0], "blind": blind, "why": said["reason"]})
    place = {row: at for at, row in enumerate(group.first.order.rows)}
    return sorted(found.values(), key=lambda row: place.get(row["name"], len(place)))
