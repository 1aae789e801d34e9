"""`vlpbench data show`: one training batch exactly as a model sees it, as text and as a picture."""

from __future__ import annotations

import shutil
from pathlib import Path

import click

from vlpbench.cli.choosing import cells_of_row
from vlpbench.cli.options import SET
from vlpbench.cli.preparing import tell_preparing
from vlpbench.cli.session import Session
from vlpbench.device import Device
from vlpbench.errors import UserError
from vlpbench.grid import Cell, cells, open_grid
from vlpbench.runner.grid_run import prepare
from vlpbench.runner.showing import look
from vlpbench.runner.showing_picture import draw_look
from vlpbench.runner.showing_text import LEGEND
from vlpbench.runner.workbench import Workbench, opened_here

__all__ = ["show_data"]


@click.command("show")
@click.argument("grid", default="demo")
@click.option("--row", default="", metavar="NAME", help="Row of the grid; by default the first that pretrains.")
@click.option("--task", default="", metavar="TASK", help="A batch of this task's fine-tune instead of pretraining.")
@click.option("--texts", is_flag=True, help="The step's texts without pictures instead of its pairs.")
@click.option("--step", default=0, show_default=True, metavar="N", help="Which batch, from 0.")
@click.option("--count", default=4, show_default=True, type=click.IntRange(min=1), help="Samples to show.")
@click.option("--ids", is_flag=True, help="Print the ids of tokens, too.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE.png", help="Draw a picture, too.")
@SET
@click.pass_obj
def show_data(session: Session, /, grid: str, overrides: tuple[str, ...], out: Path | None, **which: str | int) -> None:
    """Show one batch of a GRID as the model sees it: pictures, tokens, and what each objective made of them.

    \b
    vlpbench data show
    vlpbench data show my-grid.toml --row prefix-lm --step 7 --out batch.png
    vlpbench data show my-grid.toml --task vqa
    vlpbench data show simvlm-ablation --texts
    """  # noqa: D301 (click reads \b)
    read, registry = open_grid(grid, overrides, session.files, session.blocked)
    cell = _cell(cells(read, registry, opened_here), str(which["row"]), bool(which["task"]))
    device = Device.choose("cpu")
    prepare([cell], registry, device, tell_preparing)
    bench = Workbench(cell, registry, device)
    seen = look(bench, int(which["step"]), str(which["task"]), bool(which["texts"]))
    count = min(int(which["count"]), len(seen.batch))
    click.echo(f"{cell.row}, seed {cell.seed}: {seen.headline()}")
    for split, told in bench.left_out().items():
        click.echo(f"left out of {split}: {told['count']} (first: {told['first'][0]})")
    for row in range(count):
        click.echo()
        click.echo("\n".join(seen.sample(row, _width(), bool(which["ids"]))))
    click.echo(f"\n{LEGEND}")
    if out is not None:
        draw_look(seen, count, out)
        click.echo(f"drawn in {out}", err=True)


def _cell(found: list[Cell], row: str, any_row: bool) -> Cell:
    """The first cell of a row; without a name, the first that can be shown."""
    wanted = cells_of_row(found, row)
    usable = [cell for cell in wanted if cell.reason is None]
    if not usable:
        raise UserError(wanted[0].reason or "" if wanted else "the grid has no cells", f"row {row!r}" if row else "")
    trained = [cell for cell in usable if any_row or cell.settings.objective != "none"]
    return (trained or usable)[0]


def _width() -> int:
    """Characters of a line: the terminal's, but enough to read where there is none."""
    return max(60, shutil.get_terminal_size((110, 24)).columns - 1)
