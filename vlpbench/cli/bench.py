"""`vlpbench bench`: how fast a cell's pretraining is on this machine, and what it must compute."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import click

from vlpbench.cli.bench_text import account_lines, account_told, speed_lines
from vlpbench.cli.choosing import cell_called
from vlpbench.cli.options import SET
from vlpbench.cli.preparing import tell_preparing
from vlpbench.cli.session import Session
from vlpbench.data.joint_loader import JointLoader
from vlpbench.device import Device, prepare_process
from vlpbench.errors import UserError
from vlpbench.grid import cells, open_grid
from vlpbench.registry import load_registry
from vlpbench.runner.batches import pretraining_loader
from vlpbench.runner.bench import PATIENCE
from vlpbench.runner.bench import bench as measured
from vlpbench.runner.bench_parts import account_of
from vlpbench.runner.grid_run import prepare
from vlpbench.runner.synthetic import synthetic_bench, synthetic_loader
from vlpbench.runner.synthetic_cell import synthetic_cell
from vlpbench.runner.workbench import Workbench, opened_here
from vlpbench.training.pace import Pace

__all__ = ["bench"]

_CHOICE = click.Choice(["auto", "always", "never"])


@click.command()
@click.argument("grid", default="", metavar="[GRID")
@click.argument("cell_id", default="", metavar="[ID]]")
@click.option("--backbone", default="", metavar="NAME", help="stem/trunk/size; by default conv3/encoder-decoder/nano.")
@click.option("--objective", default="", metavar="SUM", help="A weighted sum of objectives; by default prefix-lm.")
@SET
@click.option("--batch", type=click.IntRange(min=1), metavar="N", help="Pairs of a step; by default the size's own.")
@click.option("--steps", type=click.IntRange(min=1), metavar="N", help="Steps to time; by default five seconds long.")
@click.option("--device", "kind", type=click.Choice(["auto", "cpu", "cuda"]), default="auto", show_default=True,
              help="Where; auto takes the GPU where there is one.")
@click.option("--workers", type=click.IntRange(min=0), default=0, metavar="N", help="Threads that make batches ahead.")
@click.option("--compile", "compiled", type=_CHOICE, default="auto", show_default=True,
              help="Whether steps are compiled; auto does on a GPU where the cell's training is long enough.")
@click.option("--resident", type=_CHOICE, default="auto", show_default=True,
              help="Whether all pictures lie in the GPU's memory.")
@click.option("--recompute", is_flag=True, help="Compute each layer again in the backward pass.")
@click.option("--account", "only_account", is_flag=True, help="Train nothing: count work and memory of each part.")
@click.option("--peak", type=click.FloatRange(min=0, min_open=True), default=790.0, show_default=True,
              metavar="TFLOPS", help="With --account: TFLOP/s of matrix products of the device meant.")
@click.option("--bandwidth", type=click.FloatRange(min=0, min_open=True), default=4.3, show_default=True,
              metavar="TB", help="With --account: TB/s of its memory.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of text.")
@click.pass_obj
def bench(
    session: Session, /, grid: str, cell_id: str, only_account: bool, as_json: bool, kind: str, steps: int | None,
    **how: Any,
) -> None:
    """Measure pairs a second, TFLOP/s and memory of a pretraining, and what each of its parts takes.

    A backbone and an objective are tried on made-up pictures and texts, the cell of a GRID on its own data. An ID may
    be cut short; without one the grid's first row that pretrains is taken. TFLOP/s are counted on shapes (forward and
    backward, a multiply and an add apart); the peak they are compared with is measured beside them.

    \b
    vlpbench bench
    vlpbench bench --backbone conv3/encoder-decoder/base --objective prefix-lm --compile always
    vlpbench bench demo 98224391dd64 --json
    vlpbench bench --backbone conv3/dual/base --objective contrastive --account
    """  # noqa: D301 (click reads \b)
    rates = how.pop("peak") * 1e12, how.pop("bandwidth") * 1e12
    device = Device.choose(kind)
    prepare_process(device)
    made = {name: how.pop(name) for name in ("backbone", "objective", "batch", "overrides")}
    pace = Pace(**how)
    if grid:
        work, loader, inputs = _of_grid(session, grid, cell_id, made, device, pace)
    else:
        shapes_of = Device("cuda") if only_account and kind == "auto" else device  # a batch worth a GPU
        work, loader = _made_up(session, made, device, pace, shapes_of)
        inputs = "made up"
    if only_account:
        counted = account_of(work, loader.host(0))
        told = account_told(work.settings, counted, *rates)
        click.echo(json.dumps(told, indent=1) if as_json else "\n".join(account_lines(told)))
        return
    patience = PATIENCE if steps is None else dataclasses.replace(PATIENCE, least=steps, most=steps)
    found = measured(work, loader, inputs, lambda said: click.echo(f"measuring: {said}", err=True), patience).told()
    click.echo(json.dumps(found, indent=1) if as_json else "\n".join(speed_lines(found)))


def _made_up(
    session: Session, made: dict[str, Any], device: Device, pace: Pace, shapes_of: Device
) -> tuple[Workbench, JointLoader]:
    """A cell by its names, with inputs of `shapes_of`'s usual number."""
    registry = load_registry(session.files, session.blocked)
    said = [*made["overrides"], *([] if made["batch"] is None else [f"budget.batch={made['batch']}"])]
    work = synthetic_bench(
        synthetic_cell(made["objective"], made["backbone"], registry, shapes_of, said), registry, device, pace
    )
    return work, synthetic_loader(work)


def _of_grid(
    session: Session, grid: str, cell_id: str, made: dict[str, Any], device: Device, pace: Pace
) -> tuple[Workbench, JointLoader, str]:
    """A grid's cell with its own data, and what it is called."""
    for name in ("backbone", "objective"):
        if made[name]:
            raise UserError(
                f"a cell of {grid!r} has its own {name}", f"--{name}", f"leave it out, or say -S {name}={made[name]}"
            )
    read, registry = open_grid(grid, made["overrides"], session.files, session.blocked)
    cell = cell_called(cells(read, registry, opened_here), cell_id, grid)
    if made["batch"] is not None:
        budget = dataclasses.replace(cell.settings.budget, batch=made["batch"])
        cell = dataclasses.replace(cell, settings=dataclasses.replace(cell.settings, budget=budget))
    prepare([cell], registry, device, tell_preparing)
    work = Workbench(cell, registry, device, pace)
    return work, pretraining_loader(work), f"{cell.grid}: {cell.row}, seed {cell.seed}"
