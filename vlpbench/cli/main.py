"""`vlpbench`: loads a group of commands when it is called; turns what goes wrong into words and exit codes."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path

import click

from vlpbench import __version__
from vlpbench.cli.lazy import LazyGroup
from vlpbench.cli.session import Session, remarks
from vlpbench.errors import UserError
from vlpbench.registry.switches import strictness

__all__ = ["cli", "main"]

GROUPS = {
    "run": ("vlpbench.cli.run:run", "Run a grid, or some of its cells."),
    "grid": ("vlpbench.cli.grid:grid", "List grids, show what one says, and where its cells stand."),
    "report": ("vlpbench.cli.report:report", "Turn results into tables, plots, a page, and a paper's answers."),
    "cite": ("vlpbench.cli.cite:cite", "BibTeX of all that a grid used."),
    "diff": ("vlpbench.cli.diff:diff", "Say why two cells, or two runs of a grid, differ."),
    "score": ("vlpbench.cli.score:score", "Score files of predictions in the official layouts, without a model."),
    "export": ("vlpbench.cli.model:export", "Take a finished cell's model along in a folder."),
    "caption": ("vlpbench.cli.model:caption", "Have a finished cell describe pictures of your own."),
    "ask": ("vlpbench.cli.model:ask", "Ask a finished cell about a picture of your own."),
    "config": ("vlpbench.cli.config:config", "What settings there are, and what a cell's are."),
    "data": ("vlpbench.cli.data:data", "List, prepare, look at and check data sets."),
    "recipes": ("vlpbench.cli.recipes:recipes", "List published systems as settings, show what one says."),
    "plugins": ("vlpbench.cli.plugins:plugins", "What plugins bring, and which are broken."),
    "bench": ("vlpbench.cli.bench:bench", "How fast a pretraining is on this machine, and where its time goes."),
    "info": ("vlpbench.cli.info:info", "This machine and these packages, for a report of a fault."),
    "completion": ("vlpbench.cli.completion:completion", "The script with which a shell completes what you type."),
}

_EPILOG = """\b
Exit codes
  0    all went well (cells that cannot be run, for a stated reason, included)
  1    a cell failed, or something unforeseen happened
  2    wrong usage or settings
  3    a plugin that is needed is broken
  4    nothing was selected
  130  interrupted

\b
Environment variables
  VLPBENCH_DATA            folder of your data sets
  VLPBENCH_CACHE           folder in which worlds and image stores are written
  VLPBENCH_PLUGINS         the installed plugins to load, by commas; empty: none; not set: all
  VLPBENCH_STRICT_PLUGINS  1: as --strict-plugins
  VLPBENCH_TRACE_PLUGINS   1: tell each import and each hook of a plugin on stderr"""


@click.group(
    cls=LazyGroup, groups=GROUPS, epilog=_EPILOG, context_settings={"help_option_names": ["-h", "--help"]}
)
@click.option(
    "-p", "files", multiple=True, type=click.Path(path_type=Path), metavar="FILE.py",
    help="Load a plugin from a single file that is not installed. May be repeated.",
)
@click.option(
    "--no-plugin", "blocked", multiple=True, metavar="NAME",
    help="Leave an installed plugin out, by its name or its distribution's. May be repeated.",
)
@click.option("--strict-plugins", "strict", is_flag=True, help="Stop if any plugin fails, whether it is needed or not.")
@click.option("-v", "verbose", is_flag=True, help="Show tracebacks.")
@click.version_option(__version__, prog_name="vlpbench")
@click.pass_context
def cli(
    context: click.Context, files: tuple[Path, ...], blocked: tuple[str, ...], strict: bool, verbose: bool
) -> None:
    """Compare vision-language pretraining objectives and backbones under one budget.

    \b
    vlpbench run grid                     the demo: three objectives, a table in minutes
    vlpbench run grid my-grid.toml        your own grid
    vlpbench run grid demo --dry-run      what would be run, and what cannot be
    vlpbench config show my-grid.toml     the settings of a cell, and where each came from
    vlpbench report table results/demo    the table again
    """  # noqa: D301 (click reads \b)
    context.obj = Session(files, blocked, verbose)
    if strict:
        context.with_resource(strictness(True))
    for remark in remarks(blocked):
        click.echo(f"Warning: {remark}", err=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; give the exit code. Results go to stdout, all else to stderr."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    verbose = _is_verbose(given)
    try:
        code = cli.main(given, prog_name="vlpbench", standalone_mode=False)
        sys.stdout.flush()
        return code if isinstance(code, int) else 0
    except click.ClickException as wrong:
        wrong.show()
        return wrong.exit_code
    except UserError as wrong:
        if verbose:
            traceback.print_exc()
        click.echo(f"Error: {wrong}", err=True)
        return wrong.exit_code
    except (KeyboardInterrupt, click.Abort):
        click.echo("Interrupted. What was finished is kept; the same command goes on from there.", err=True)
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as wrong:  # noqa: BLE001 (the last resort before the user)
        if verbose:
            traceback.print_exc()
        hint = "" if verbose else " (vlpbench -v ... shows where)"
        click.echo(f"Error: unforeseen {type(wrong).__name__}: {wrong}{hint}", err=True)
        return 1


def _is_verbose(arguments: Sequence[str]) -> bool:
    """Whether `-v` stands before the command, where it belongs."""
    before = []
    for one in arguments:
        if one in GROUPS:
            break
        before.append(one)
    return "-v" in before
