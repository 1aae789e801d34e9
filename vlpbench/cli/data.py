"""`vlpbench data`: which sets there are, writing them, and what is wrong with them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence

import click

from vlpbench.cli.data_show import show_data
from vlpbench.cli.preparing import tell_preparing
from vlpbench.cli.session import Session
from vlpbench.config.field_schema import field_docs
from vlpbench.config.settings import Portion
from vlpbench.config.typed import described, fields_of, plain, shown
from vlpbench.contract.dataset import Dataset
from vlpbench.data.check import check
from vlpbench.data.folders import cache_folder, data_root
from vlpbench.device import Device
from vlpbench.grid import Cell, cells, open_grid, open_source
from vlpbench.registry import Registry, load_registry
from vlpbench.runner.grid_run import prepare
from vlpbench.runner.workbench import opened_here

__all__ = ["data"]


@click.group()
def data() -> None:
    """List, prepare, look at and check data sets.

    Sets are read from the folder in VLPBENCH_DATA; worlds and image stores are written to VLPBENCH_CACHE.
    """


@data.command("list")
@click.argument("grid", required=False)
@click.pass_obj
def list_data(session: Session, grid: str | None) -> None:
    """List the kinds of data sets with their keys; of a GRID, its data sets.

    \b
    vlpbench data list
    vlpbench data list my-grid.toml
    """  # noqa: D301 (click reads \b)
    click.echo(f"data folder {data_root()}, cache {cache_folder()}", err=True)
    if grid is not None:
        read, registry = open_grid(grid, (), session.files, session.blocked)
        for name, dataset in _of(cells(read, registry, opened_here), registry).items():
            click.echo(f"{name:16} " + ", ".join(f"{key} {value}" for key, value in dataset.describe().items()))
        return
    registry = load_registry(session.files, session.blocked)
    for kind in registry.names("data set"):
        cls = registry.dataset(kind)
        click.echo(f"{kind:16} {(cls.__doc__ or '').strip().splitlines()[0]}")
        click.echo("\n".join(_keys(cls.config_class)))
    click.echo("every set        Beside the keys of its kind.")
    click.echo("\n".join(_keys(Portion)))


def _keys(config: type) -> Iterator[str]:
    """One line a key of a config class: its default, or its type where it has none, and what it means."""
    try:
        defaults = plain(config())
    except TypeError:  # a stranger's class may ask for keys that have none
        defaults = {}
    for key, form in fields_of(config).items():
        said = f"{key} = {shown(defaults[key])}" if key in defaults else key
        yield f"    {said:24} {field_docs(config).get(key) or described(form)}"


@data.command("prepare")
@click.argument("grid", default="demo")
@click.pass_obj
def prepare_data(session: Session, grid: str) -> None:
    """Write the worlds of a GRID, its image stores and its tokenizers, so that no run has to wait for them."""
    read, registry = open_grid(grid, (), session.files, session.blocked)
    found = [cell for cell in cells(read, registry, opened_here) if cell.reason is None]
    prepare(found, registry, Device.choose("cpu"), tell_preparing)
    for name, dataset in _of(found, registry).items():
        click.echo(f"{name}: splits {', '.join(dataset.splits())}, pictures in {dataset.images}")


data.add_command(show_data)


@data.command("check")
@click.argument("grid", default="demo")
@click.option("--no-pictures", is_flag=True, help="Do not decode the pictures.")
@click.pass_obj
def check_data(session: Session, grid: str, no_pictures: bool) -> int:
    """Read every sample of a GRID's data sets and list what is broken, shared by splits, or cut.

    The exit code is 1 if anything is broken.
    """
    broken = 0
    read, registry = open_grid(grid, (), session.files, session.blocked)
    found = cells(read, registry, opened_here)
    for name, dataset in _of(found, registry).items():
        dataset.prepare(counter(name))
        report = check(dataset, found[0].settings.text, pictures=not no_pictures, heard=counter(name))
        click.echo(f"{name} ({dataset.name})")
        click.echo("\n".join(f"  {line}" for line in report.lines()))
        broken += report.problems
    return 1 if broken else 0


def _of(found: Sequence[Cell], registry: Registry) -> dict[str, Dataset]:
    """The data sets of some cells by name."""
    sources = {name: source for cell in found for name, source in cell.settings.sources.items()}
    return {name: open_source(source, registry, opened_here) for name, source in sources.items()}


def counter(name: str) -> Callable[[int, int], None]:
    """Shows how far something is, on a terminal."""

    def heard(done: int, of: int) -> None:
        if sys.stderr.isatty():
            click.echo(f"\r{name}: {done}/{of}", nl=done == of, err=True)

    return heard
