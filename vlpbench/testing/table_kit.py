"""All checks of report tables by name, and how to run them: on a small grid of finished, failed and waiting cells."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, get_args

from vlpbench.contract.report_table import ReportTable
from vlpbench.errors import UserError
from vlpbench.registry import Origin
from vlpbench.registry.checks import Unfit, check_component
from vlpbench.results import Results, load
from vlpbench.results.tables import Table, html, latex, markdown
from vlpbench.results.tables.asked import What
from vlpbench.results.tables.brought import brought_table
from vlpbench.results.tables.long import long_table
from vlpbench.testing.findings import Check, CheckFailed, Finding, ask, find
from vlpbench.testing.pytest_support import parametrized
from vlpbench.testing.small_grid import small_results

if TYPE_CHECKING:
    import pytest

__all__ = ["check_table", "parametrize_table_checks", "table_checks"]

_CSV = "csv and json"


def check_metadata(cls: type[ReportTable]) -> None:
    """Name, version and description are what the registry takes; the name is none of our own tables."""
    try:
        check_component("table", cls)
    except Unfit as wrong:
        raise CheckFailed(str(wrong), wrong.remedy) from wrong
    if cls.name in get_args(What):
        raise CheckFailed(f"`name` is {cls.name!r}, a table of vlpbench's own", "take another name")
    if not isinstance(cls.description, str) or not cls.description.strip():
        raise CheckFailed(f"`description` is {cls.description!r}", "write the sentence that stands over the table")


def check_frame(cls: type[ReportTable]) -> str:
    """A frame comes of the small grid's results; tells how large it is."""
    found = _table(cls, load(small_results()))
    return f"{len(found.lines)} lines, {len(found.columns)} columns beside their names"


def check_formats(cls: type[ReportTable]) -> None:
    """Every format prints it: Markdown, LaTeX, HTML, CSV and JSON."""
    found = _table(cls, load(small_results()))
    writers = {"md": markdown, "latex": latex, "html": html, _CSV: _for_programs}
    for name, write in writers.items():
        try:
            write(found)
        except Exception as wrong:
            raise CheckFailed(f"{name} cannot be written of the frame: {type(wrong).__name__}: {wrong}",
                              "let its cells be numbers, words or None") from wrong


def check_pure(cls: type[ReportTable]) -> None:
    """Asked twice it gives the same table, and the results are as they were."""
    results = load(small_results())
    before = results.frame.copy(deep=True)
    first = _table(cls, results)
    if not results.frame.equals(before):
        raise CheckFailed("frame() changes `results.frame`", "work on a copy: results.frame.copy()")
    if _for_programs(first) != _for_programs(_table(cls, results)):
        raise CheckFailed("frame() gives another table when it is asked again", "let it depend on the results alone")


def check_nothing_finished(cls: type[ReportTable]) -> None:
    """Of a grid that has just begun there is a table, too, or a UserError that says why not."""
    results = load(small_results())
    waiting = results.frame["status"] != "done"
    nothing = replace(results, frame=results.frame[waiting].reset_index(drop=True),
                      held=tuple(one for one in results.held if not one.scores))
    try:
        cls().frame(nothing)
    except UserError:
        return


def _table(cls: type[ReportTable], results: Results) -> Table:
    """What `report table` would print; the author's own error is raised as it is, so that its line is found."""
    found: Any = cls().frame(results)
    try:
        return brought_table(_Given.of(cls, found), Origin("kit", "", ""), results)
    except UserError as wrong:
        raise CheckFailed(f"frame() {wrong.cause.partition(') ')[2] or wrong.cause}", wrong.remedy) from wrong


class _Given(ReportTable):
    """A table whose frame is there already."""

    found: Any = None

    @classmethod
    def of(cls, author: type[ReportTable], found: Any) -> type[ReportTable]:
        """A class that says what the author's says, and gives `found`."""
        facts = {"name": author.name, "version": author.version, "description": author.description, "found": found}
        return type(author.__name__, (cls,), facts)

    def frame(self, results: Any) -> Any:
        """What was found."""
        return self.found


def _for_programs(table: Table) -> str:
    lines = long_table(table)
    return f"{lines.to_csv(index=False)}{lines.to_json(orient='records', double_precision=15)}"


_CHECKS: Mapping[str, Check] = MappingProxyType({
    "metadata": check_metadata,
    "frame": check_frame,
    "formats": check_formats,
    "pure": check_pure,
    "nothing-finished": check_nothing_finished,
})


def table_checks() -> dict[str, Check]:
    """name -> a function that takes a ReportTable class and raises CheckFailed."""
    return {name: partial(ask, name, check) for name, check in _CHECKS.items()}


def check_table(cls: type[ReportTable], *, only: Iterable[str] = ()) -> list[Finding]:
    """The findings of all checks (or of those named in `only`) on a report table; a small grid is run first."""
    return find(_CHECKS, cls, only)


def parametrize_table_checks(
    tables: Sequence[type[ReportTable]], expected_failures: Mapping[str, str] | None = None
) -> pytest.MarkDecorator:
    """A decorator that gives `test(table, check)` each report table with each check; call check(table)."""
    return parametrized("table", [(one.name, one) for one in tables], table_checks(), expected_failures or {})
