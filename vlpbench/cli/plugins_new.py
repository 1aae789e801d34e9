"""`vlpbench plugins new`: a plugin to begin with, as a package that installs and passes its tests, or as one file."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from vlpbench.cli.session import Session
from vlpbench.registry import load_registry
from vlpbench.registry.new_name import NEW_KINDS
from vlpbench.registry.new_package import NewPlugin, new_file, new_package

__all__ = ["new"]


@click.command()
@click.argument("kind", type=click.Choice(list(NEW_KINDS)), metavar="objective|stem|trunk|dataset")
@click.argument("name")
@click.option(
    "--out", "folder", type=click.Path(path_type=Path, file_okay=False), metavar="FOLDER", default=Path(),
    help="Where to write it; by default here.",
)
@click.option("--single-file", is_flag=True, help="Write the module alone, to be used with -p, instead of a package.")
@click.pass_obj
def new(session: Session, kind: str, name: str, folder: Path, single_file: bool) -> None:
    """Write a new plugin: a small one that works, to be changed into yours.

    NAME is what a grid will say. The package vlpbench-NAME has the module, tests (vlpbench's kit and known answers), a
    grid to try it in, a README, and a file for CI. Nothing is overwritten.

    \b
    vlpbench plugins new objective half-said
    vlpbench plugins new dataset my-captions --out plugins
    vlpbench plugins new objective half-said --single-file     half_said.py, no package
    """  # noqa: D301 (click reads \b)
    write = new_file if single_file else new_package
    written = write(kind, name, folder, load_registry(session.files, session.blocked))
    click.echo("\n".join(_told_file(written) if single_file else _told_package(written, name)))


def _told_package(written: NewPlugin, name: str) -> list[str]:
    """The tree, and what to do next."""
    return [
        f"{written.path}/", *_tree(written.files), "", "Next:",
        f"  cd {shlex.quote(str(written.path))}", "  pip install -e '.[test]'", f"  vlpbench plugins check {name}",
        *(f"  {line}" for line in written.tries),
    ]


def _tree(files: tuple[str, ...]) -> list[str]:
    """Paths as a tree: a line a folder and a file, two spaces a level."""
    lines: list[str] = []
    above: tuple[str, ...] = ()
    for file in files:
        *folders, last = file.split("/")
        for depth, one in enumerate(folders):
            if above[: depth + 1] != tuple(folders[: depth + 1]):
                lines.append(f"{'  ' * (depth + 1)}{one}/")
        above = tuple(folders)
        lines.append(f"{'  ' * (len(folders) + 1)}{last}")
    return lines


def _told_file(written: NewPlugin) -> list[str]:
    """The file, and what to do next."""
    path = shlex.quote(str(written.path))
    return [
        str(written.path), "", "Next:",
        f"  vlpbench plugins check {path}", f"  vlpbench -p {path} run grid my-grid.toml", "where the grid says:",
        *(f"  {line}".rstrip() for line in written.settings.splitlines()),
    ]
