"""`vlpbench report table`: from records to a table, in any format a paper takes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import click

from vlpbench.cli.plugin_table import plugin_table
from vlpbench.cli.session import Session
from vlpbench.errors import UserError
from vlpbench.results import load
from vlpbench.results.tables import Asked, Table, build, html, latex, long, markdown
from vlpbench.results.tables.asked import What
from vlpbench.results.tables.build import plain_scores
from vlpbench.results.tables.long import long_table

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["print_table", "table_text", "text_of_results"]

_FORMATS: Mapping[str, Callable[[Table], str]] = {"md": markdown, "html": html, "latex": latex}
_OURS: Sequence[Any] = get_args(What)
_ABOUT: Mapping[str, Any] = {"seeds": "seeds", "examples": "examples", "both": "seeds and examples"}


def _names(_: click.Context, _parameter: click.Parameter, said: str | None) -> tuple[str, ...] | None:
    """A list of names with commas between them; None where nothing is said."""
    return None if said is None else tuple(name.strip() for name in said.split(",") if name.strip())


def _where(_: click.Context, _parameter: click.Parameter, said: tuple[str, ...]) -> dict[str, str]:
    """Settings with their values."""
    for one in said:
        if "=" not in one:
            raise UserError(f"{one!r} is no setting with a value", "--where", "say --where objective=prefix-lm")
    return {key.strip(): value.strip() for key, _, value in (one.partition("=") for one in said)}


@click.command("table")
@click.argument("results", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="RESULTS...")
@click.option(
    "--what", metavar=f"{'|'.join(_OURS)}|NAME", default="scores", show_default=True,
    help="scores: mean and spread; differences: each row beside the baseline, with intervals and tests; cost: what "
    "each row is made of, and what it took; NAME: a table of a plugin (`vlpbench plugins list`).",
)
@click.option(
    "--format", "form", type=click.Choice(["md", "csv", "html", "latex", "json"]), default="md", show_default=True,
    help="md: the table and what must be said under it; latex: a table environment with booktabs; csv, json: one line "
    "a row, task, metric.",
)
@click.option(
    "--rows", metavar="KEY,...", callback=_names, help="Settings that make the lines, such as objective,optim.lr; by "
    "default the grid's named rows.",
)
@click.option("--columns", metavar="KEY,...", callback=_names, help="Settings that make columns.")
@click.option(
    "--where", metavar="KEY=VALUE", multiple=True, callback=_where, help="Only cells with this. May be repeated."
)
@click.option("--task", "tasks", multiple=True, metavar="TASK", help="Only this task. May be repeated.")
@click.option("--metric", "metrics", multiple=True, metavar="NAME", help="Only this metric. May be repeated.")
@click.option(
    "--beside", metavar="NAME,...", callback=_names, help="Columns right after the row's name, such as "
    "image_tokens,flops; by default those that the grid names under `beside`, none with --beside ''.",
)
@click.option(
    "--baseline", metavar="ROW", help="Row that differences are taken to; by default the grid's `reference`, none with "
    "--baseline ''. With --rows, one of the lines.",
)
@click.option(
    "--about", type=click.Choice(list(_ABOUT)), default="seeds", show_default=True,
    help="What tests and intervals are about: the recipe over new seeds, these very models on new examples, or both.",
)
@click.option("--alpha", type=float, default=0.05, show_default=True, help="Level of tests, after Holm's correction.")
@click.option(
    "--bold", type=click.Choice(["significant", "best", "none"]), default="significant", show_default=True,
    help="significant: the best and all that are not significantly worse; best: the best alone.",
)
@click.option(
    "--spread", type=click.Choice(["std", "interval", "none"]), default="std", show_default=True,
    help="What stands behind ±: standard deviation over seeds, half of the t interval of the mean, nothing.",
)
@click.option("--decimals", type=int, default=1, show_default=True, help="Digits behind the point of a score.")
@click.option(
    "--caption/--no-caption", "caption", default=None, help="A paper's caption; by default in latex and html."
)
@click.pass_obj
def print_table(
    session: Session, /, results: tuple[Path, ...], what: Any, form: str, caption: bool | None, **choices: Any
) -> None:
    """Print mean ± standard deviation over seeds of the grid in each RESULTS folder. Works while a grid runs.

    \b
    vlpbench report table results/demo
    vlpbench report table results/demo --baseline none --what differences --metric accuracy
    vlpbench report table results/sizes --rows objective --columns size --task vqa --format latex
    """  # noqa: D301 (click reads \b)
    choices["target"] = _ABOUT[choices.pop("about")]
    choices |= {name: choices[name] or () for name in ("rows", "columns")}
    if what in _OURS:
        click.echo(text_of_results(results, Asked(what=what, **choices), form, caption))
    else:
        click.echo(_text(plugin_table(session, results, what, Asked(**choices)), form, caption))


def table_text(folders: tuple[Path, ...]) -> str:
    """What stands under a run: the scores in Markdown, what must be said of them, and what each row cost.

    The scores are there whatever becomes of the tests: numbers that were days in the making are not lost to a fault in
    what is said about them.
    """
    try:
        return text_of_results(folders, Asked(), "md", caption=False)
    except UserError:
        raise
    except Exception as error:  # noqa: BLE001 (whatever the fault, it is named under the table)
        said = f"nothing was tested: {type(error).__name__}: {error}; `vlpbench report table` shows where"
        return markdown(replace(plain_scores(load(*folders)), notes=(said,)))


def text_of_results(folders: tuple[Path, ...], asked: Asked, form: str, caption: bool | None) -> str:
    """A table of these folders in a format; `caption` None: where papers have one."""
    found = load(*folders)
    if form in ("csv", "json"):
        return _for_programs(long(found, asked), form)
    text = _text(build(found, asked), form, caption)
    if form != "md" or asked.what != "scores" or asked.is_pivot:
        return text
    costs = build(found, replace(asked, what="cost", beside=None))
    return f"{text}\n\n{markdown(replace(costs, caption='', notes=()))}" if costs.lines else text


def _text(table: Table, form: str, caption: bool | None) -> str:
    """A table as it is in a format."""
    if form in ("csv", "json"):
        return _for_programs(long_table(table), form)
    with_caption = form != "md" if caption is None else caption
    return _FORMATS[form](table if with_caption else table.for_screen())


def _for_programs(lines: pd.DataFrame, form: str) -> str:
    if form == "csv":
        return str(lines.to_csv(index=False)).rstrip("\n")
    return str(lines.to_json(orient="records", indent=1, double_precision=15))
