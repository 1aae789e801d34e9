"""`vlpbench report plot`: pictures of results, for a paper or to look at."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vlpbench.errors import UserError
from vlpbench.files import readable
from vlpbench.results import plots
from vlpbench.results.frame import load
from vlpbench.results.plots import FORMATS, PLOTS, all_plots, alternative, form_of, write

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from vlpbench.results.frame import Results

__all__ = ["draw"]

_KINDS = "; ".join(f"{plot.name}: {plot.sentence}" for plot in PLOTS.values())


@click.command("plot")
@click.argument("results", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="RESULTS...")
@click.option("--kind", metavar="NAME", help=f"One plot alone. {_KINDS}.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
              help="With --kind: where to, by its ending a PDF, SVG or PNG; by default GRID-KIND.pdf in this folder.")
@click.option("--all", "folder", type=click.Path(path_type=Path, file_okay=False), metavar="FOLDER",
              help="All that can be drawn, into this folder (default where no --kind is given: plots).")
@click.option("--format", "form", type=click.Choice(FORMATS), help="Format of all plots [default: pdf].")
@click.option("--task", help="Scores of this task; by default the first, with --all each.")
@click.option("--metric", help="This metric of the task.")
@click.option("--x", metavar="NAME", help="compute: flops, samples, seconds, parameters, ...; curves: step, samples.")
@click.option("--stage", help="curves: pretrain, or a task's fine-tune.")
@click.option("--smooth", type=int, metavar="N", help="curves: the mean of N logged points.")
@click.option("--rows", metavar="SETTING", help="heatmap: the setting that goes down [default: objective].")
@click.option("--columns", metavar="SETTING", help="heatmap: the setting that goes across [default: backbone].")
@click.option("--width", metavar="NAME", help="column (3.3 inches) or page (6.75) [default: column].")
def draw(
    results: tuple[Path, ...], kind: str | None, out: Path | None, folder: Path | None, form: str | None,
    **options: Any,
) -> None:
    """Draw the results in RESULTS... (results folders, or exported frames): one kind of plot, or all.

    Each line that is printed is a file, with what it shows in words: a text for those who cannot see it.

    \b
    vlpbench report plot results/demo
    vlpbench report plot results/demo --kind bars --task vqa --out vqa.pdf
    vlpbench report plot results/demo --kind compute --x flops --width page --out compute.svg
    """  # noqa: D301 (click reads \b)
    told = {name: value for name, value in options.items() if value is not None}
    if kind is None:
        if out is not None:
            raise UserError("a file holds one plot, and no kind is named", f"--out {out}",
                            f"add --kind ({', '.join(PLOTS)}), or name a folder with --all")
        _draw_all(load(*results), folder or Path("plots"), form or "pdf", told)
        return
    if folder is not None:
        raise UserError("one kind or all", f"--kind {kind} --all {folder}", "leave one of them out")
    if out is not None and form is not None and form != form_of(out):
        raise UserError(f"{out.name} is no {form}", f"--format {form}", "leave --format out: the file's name says it")
    loaded = load(*results)
    path = out or Path(f"{_grid(loaded)}-{kind}.{form or 'pdf'}")
    form_of(path)
    _put(plots.draw(loaded, kind, **told), path)


def _draw_all(results: Results, folder: Path, form: str, told: Mapping[str, Any]) -> None:
    """Each plot that these results have what it needs for; for the others the reason."""
    can, cannot = all_plots(results, **told)
    taken = {name for _, options in can for name in options}
    if lost := sorted(set(told) - taken):
        place = f"--{lost[0]} {told[lost[0]]}"
        raise UserError("none of the plots that can be drawn takes this option", place, "leave it out")
    refused: list[UserError] = []
    for kind, options in can:
        name = f"{_grid(results)}-{kind}" + (f"-{readable(options['task'])}" if "task" in options else "")
        try:
            figure = plots.draw(results, kind, **options)
        except UserError as error:  # it has no such task, metric or axis: others may
            refused.append(error)
            cannot.setdefault(kind, error.cause)
        else:
            _put(figure, folder / f"{name}.{form}")
    if refused and len(refused) == len(can):
        raise refused[0]
    for kind, reason in cannot.items():
        click.echo(f"no {kind}: {reason}", err=True)


def _put(figure: Figure, path: Path) -> None:
    """Write a plot and say where it is; UserError where the system does not let us."""
    try:
        write(figure, path)
    except OSError as error:
        cause = f"the plot cannot be written: {error.strerror or error}"
        raise UserError(cause, str(path), "name another folder") from None
    click.echo(f"{path}: {alternative(figure)}")


def _grid(results: Results) -> str:
    """The grids' names as part of a file name."""
    return readable("-".join(dict.fromkeys(order.name for order in results.orders)) or "results")
