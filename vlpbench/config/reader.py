"""Reads a grid file: every key checked, every mistake collected, overrides laid over it."""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from vlpbench.config.gridfile import BESIDE, SCHEMA, GridFile, Row, parse_file
from vlpbench.config.keys import NAMED, SECTIONS, TOP, Layer, checked, flatten
from vlpbench.config.kinds import kinds_in
from vlpbench.config.known import Known
from vlpbench.config.lines import find_lines
from vlpbench.config.overrides import parse_overrides
from vlpbench.config.problems import GridError, Report, guess
from vlpbench.config.published import read_published
from vlpbench.config.recipes import read_recipe
from vlpbench.config.tries import refuse_double_axes, refuse_double_tries
from vlpbench.config.typed import WrongValue, typed

__all__ = ["read_grid", "said_grid"]

_HEADER: Mapping[str, Any] = {
    "schema": int, "name": str, "description": str, "plugins": tuple[str, ...], "seeds": tuple[int, ...],
    "reference": str, "floors": bool, "beside": tuple[str, ...],
}
_TABLES = ("base", "axes", "rows", "exclude", "tasks", *SECTIONS, *NAMED)
_OF_ROW = ("name", "published")
_EXCLUDED: Mapping[str, Any] = {"row": str, "seed": int}
"""What a rule under `[[exclude]]` may say that is no setting."""
_AT_MOST_ONCE = ("seeds", "tasks", "reference", "floors", "beside")


def read_grid(path: Path, overrides: Sequence[str] = (), known: Known | None = None) -> GridFile:
    """The grid file at `path` with `KEY=VALUE` overrides.

    Raises one GridError with all mistakes. `known` None checks only what can be told without plugins.
    """
    raw, text = parse_file(path)
    return _Reader(path, raw, Report(str(path), find_lines(text)), parse_overrides(overrides), known).read()


def said_grid(raw: dict[str, Any], overrides: Sequence[str], known: Known, name: str) -> GridFile:
    """A grid without a file: what its tables would hold, and where mistakes in them are said to be."""
    return _Reader(Path(name), copy.deepcopy(raw), Report(name), parse_overrides(overrides), known).read()


class _Reader:
    """Reads one parsed file; mistakes go into the report, and reading goes on."""

    def __init__(
        self, path: Path, raw: dict[str, Any], report: Report, said: dict[str, Any], known: Known | None
    ) -> None:
        self.path, self.raw, self.report, self.said, self.known = path, raw, report, said, known
        self.header: dict[str, Any] = {}
        self.typed: set[str] = set()
        for key in _AT_MOST_ONCE:
            if key in said:
                value = said.pop(key)
                raw[key] = [value] if key in ("seeds", "tasks", "beside") and not isinstance(value, list) else value
                self.typed.add(key)
        self.data_root = self._data_root()
        self.kinds = self._kinds()

    def read(self) -> GridFile:
        """The whole file, or GridError."""
        self._header()
        axes = self._axes()
        grid = GridFile(
            path=self.path, name=self.header.get("name", self.path.stem), axes=axes,
            description=self.header.get("description", ""), plugins=self.header.get("plugins", ()),
            base=self._base(), rows=self._rows(), exclude=self._exclude(),
            seeds=self.header.get("seeds", (0,)), reference=self.header.get("reference", ""),
            floors=self.header.get("floors", True), overrides=self._layer(self.said, ("-S",)),
            data_root=self.data_root, beside=self.header.get("beside", ()), lines=self.report.lines,
            typed=frozenset(self.typed),
        )
        refuse_double_axes(grid, self.report)
        refuse_double_tries(grid, self.report)
        self.report.raise_any()
        return grid

    def _data_root(self) -> str:
        """`data.root`, which is no data set; a relative one in a file is relative to the file."""
        table = self.raw.get("data")
        written = table.pop("root", "") if isinstance(table, dict) and not isinstance(table.get("root"), dict) else ""
        said = self.said.pop("data.root", "")
        for value in (written, said):
            if not isinstance(value, str):
                self.report.add(("data", "root"), "must be a text in quotes: a folder")
                return ""
        return said or (str(self.path.parent / written) if written else "")

    def _kinds(self) -> dict[str, str]:
        """The kind of each data set, wherever the file says it; what holds for all rows wins over what a row says."""
        rows = self._tables("rows", quiet=True)
        return kinds_in(*rows, self.raw.get("axes"), self.raw.get("base"), self.raw, self.said)

    def _header(self) -> None:
        for key, value in self.raw.items():
            if key in _HEADER:
                self._take(key, value)
            elif key not in _TABLES and key.split(".")[0] not in _TABLES:
                self._unknown(key)
        if self.header.get("schema", SCHEMA) != SCHEMA:
            self.report.add(("schema",), f"is {self.header['schema']}; this vlpbench reads {SCHEMA}")
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}", self.header.get("name", "x")):
            self.report.add(("name",), "must be letters, digits, dots and dashes: it names a folder")
        for one in self.header.get("beside", ()):
            if one not in BESIDE:
                self.report.add(self._at("beside"), f"unknown column {one!r}", guess(one, BESIDE))
        seeds = self.header.get("seeds", (0,))
        if not seeds or len(set(seeds)) < len(seeds) or min(seeds) < 0:
            self.report.add(self._at("seeds"), f"must be different whole numbers from 0 on, not {list(seeds)}")

    def _take(self, key: str, value: Any) -> None:
        found = self._typed(_HEADER[key], value, self._at(key))
        if found is not None:
            self.header[key] = found

    def _typed(self, kind: Any, value: Any, path: tuple[str | int, ...]) -> Any:
        """The value as `kind`; None, and a mistake, where it is none."""
        try:
            return typed(kind, value)
        except WrongValue as wrong:
            self.report.add(path, str(wrong), wrong.remedy)
            return None

    def _at(self, key: str, table: str = "") -> tuple[str, ...]:
        """Where a key of the header or of a table stands: in the file, or on the command line."""
        return ("-S", key) if key in self.typed else (*([table] if table else []), *key.split("."))

    def _unknown(self, key: str) -> None:
        if key in TOP:
            self.report.add((key,), "stands outside of a table", "put it under [base]")
        else:
            self.report.add((key,), f"unknown key {key!r}", guess(key, {*_HEADER, *_TABLES}))

    def _tables(self, key: str, quiet: bool = False) -> list[dict[str, Any]]:
        """An array of tables; what is none is reported."""
        value = self.raw.get(key, [])
        if isinstance(value, list) and all(isinstance(one, dict) for one in value):
            return value
        if not quiet:
            self.report.add((key,), f"must be tables, each under its own [[{key}]]")
        return []

    def _base(self) -> Layer:
        base: dict[str, Any] = {}
        table = self.raw.get("base", {})
        if isinstance(table, dict):
            base.update(self._layer(table, ("base",)))
        else:
            self.report.add(("base",), "must be a table of settings")
        for key in (*SECTIONS, "tasks", *NAMED):
            if key in NAMED and key in TOP and isinstance(self.raw.get(key), str):
                self._unknown(key)
            elif key in self.raw:
                base.update(self._layer({key: self.raw[key]}, ()))
        return base

    def _axes(self) -> dict[str, tuple[Any, ...]]:
        table = self.raw.get("axes", {})
        if not isinstance(table, dict):
            self.report.add(("axes",), "must be a table of settings, each with a list of values")
            return {}
        axes = dict(flatten(table))
        for key in [key for key in self.said if key in axes or key.startswith("axes.")]:
            value = self.said.pop(key)
            axes[key.removeprefix("axes.")] = value if isinstance(value, list) else [value]
            self.typed.add(key.removeprefix("axes."))
        return {key: self._axis(key, values) for key, values in axes.items()}

    def _axis(self, key: str, values: Any) -> tuple[Any, ...]:
        path = self._at(key, "axes")
        if key in ("seed", "seeds"):
            self.report.add(path, "seeds are no axis", 'write "seeds = [0, 1]" at the top of the file')
        elif key.startswith("tune."):
            self.report.add(path, "what is tried is no axis", "put it under [tune], or into a row")
        elif not isinstance(values, list) or not values:
            self.report.add(path, "must be a list of at least one value")
        else:
            return tuple(self._value(key, value, path) for value in values)
        return ()

    def _rows(self) -> tuple[Row, ...]:
        rows = []
        for number, table in enumerate(self._tables("rows")):
            changes = {key: value for key, value in table.items() if self._is_change(key, number)}
            name = table.get("name", "")
            if not isinstance(name, str):
                self.report.add(("rows", number, "name"), "must be a text in quotes")
                name = ""
            layer = self._layer(changes, ("rows", number), {**self.kinds, **kinds_in(changes, self.said)})
            published = read_published(table.get("published", {}), number, self.report)
            rows.append(Row(name, layer, published, number))
        return tuple(rows)

    def _is_change(self, key: str, number: int) -> bool:
        """Whether a key of a row changes a setting; one that a row cannot have is reported."""
        if key in _OF_ROW or key.split(".")[0] in (*TOP, *SECTIONS, *NAMED, "seed", "seeds"):
            return key not in _OF_ROW
        if key in _HEADER:
            self.report.add(("rows", number, key), "is said once for all rows", "put it at the top of the file")
        else:
            names = {*TOP, *SECTIONS, *NAMED, *_OF_ROW}
            self.report.add(("rows", number, *key.split(".")), f"unknown key {key!r}", guess(key.split(".")[0], names))
        return False

    def _exclude(self) -> tuple[Layer, ...]:
        found: list[Layer] = []
        for number, table in enumerate(self._tables("exclude")):
            free: dict[str, Any] = {key: table[key] for key in _EXCLUDED if key in table}
            for key, value in free.items():
                self._typed(_EXCLUDED[key], value, ("exclude", number, key))
            rest = {key: value for key, value in table.items() if key not in free}
            if not table:
                self.report.add(("exclude", number), "is empty: it would leave out every cell")
            if "recipe" in rest:
                remedy = "name the row, or a setting that the recipe decides"
                self.report.add(("exclude", number, "recipe"), "a cell does not remember its recipe", remedy)
            found.append({**self._layer(rest, ("exclude", number)), **free})
        return tuple(found)

    def _layer(
        self, table: Mapping[str, Any], before: tuple[str | int, ...], kinds: Mapping[str, str] | None = None
    ) -> Layer:
        found = {key: self._value(key, value, (*before, *key.split(".")), kinds) for key, value in flatten(table)}
        return {key: value for key, value in found.items() if not _is_empty_table(key, value)}

    def _value(
        self, key: str, value: Any, path: tuple[str | int, ...], kinds: Mapping[str, str] | None = None
    ) -> Any:
        try:
            found = checked(key, value, self.known, self.kinds if kinds is None else kinds)
            if key == "recipe" and self.known is not None:
                read_recipe(self.known.recipes[found], self.known)
            return found
        except WrongValue as wrong:
            self.report.add(path, str(wrong), wrong.remedy)
        except GridError as wrong:
            self.report.problems.extend(one for one in wrong.problems if one not in self.report.problems)
        return value


def _is_empty_table(key: str, value: Any) -> bool:
    """Whether a table says nothing; an empty `tune.tries` says that nothing is tried."""
    return value == {} and key.split(".")[0] in _TABLES and key != "tune.tries"
