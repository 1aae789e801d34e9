"""What every `vlpbench score` command does with its scores: a table or JSON on stdout, rows in a file."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click

from vlpbench.errors import UserError
from vlpbench.scoring.per_example import check_target, write_rows
from vlpbench.scoring.scored import Scored

__all__ = ["answered"]


def answered(command: Callable[..., Scored]) -> Callable[..., None]:
    """Add --json and --per-example to a command that returns its scores, and print and write them."""

    @click.option("--json", "as_json", is_flag=True, help="Print one JSON object, numbers unrounded.")
    @click.option("--per-example", type=click.Path(path_type=Path), metavar="FILE",
                  help="Also write one row a question, image or query: FILE.parquet, or JSON lines to FILE.jsonl.")
    @functools.wraps(command)
    def wrapped(as_json: bool, per_example: Path | None, **given: Any) -> None:
        if per_example is not None:
            check_target(per_example)
            _refuse_overwriting(per_example, given)
        scored = command(**given)
        if per_example is not None:
            rows = scored.rows()
            write_rows(per_example, rows)
            click.echo(f"{len(rows)} rows written to {per_example}", err=True)
        if as_json:
            click.echo(json.dumps(scored.plain(), indent=1, allow_nan=False, ensure_ascii=False))
        else:
            click.echo(scored.text)

    return wrapped


def _refuse_overwriting(target: Path, given: Mapping[str, Any]) -> None:
    """UserError if the rows would take the place of a file that is read."""
    for name, value in given.items():
        if isinstance(value, Path) and value.resolve() == target.resolve():
            option = f"--{name.replace('_', '-')}"
            raise UserError(f"the rows would overwrite {target.name}, which is read as {option}",
                            f"--per-example {target}", "name another file")
