"""What every `vlpbench score` command does with its scores: a table or JSON on stdout, rows in a file."""

from __future__ import annotations

import functools
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from vlpbench.errors import UserError
from vlpbench.scoring.per_example import Row, check_target, write_rows
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
            _write(per_example, rows)
            click.echo(f"{len(rows)} rows written to {per_example}", err=True)
        if as_json:
            plain = scored.plain()
            text = json.dumps(plain, indent=1, allow_nan=False, ensure_ascii=False)
            click.echo(text if _shown(text) == text else json.dumps(plain, indent=1, allow_nan=False))
        else:
            click.echo(_shown(scored.text))

    return wrapped


def _write(path: Path, rows: Sequence[Row]) -> None:
    """Write the rows, whole or not at all; UserError where the system does not let us."""
    try:
        write_rows(path, rows)
    except OSError as error:
        cause = f"the rows cannot be written: {error.strerror or error}"
        raise UserError(cause, f"--per-example {path}", "name another folder") from None


def _shown(text: str) -> str:
    """The text, with escapes for characters that stdout cannot show (groups of questions are named in any language)."""
    encoding = sys.stdout.encoding or "utf-8"
    return text.encode(encoding, "backslashreplace").decode(encoding)


def _refuse_overwriting(target: Path, given: Mapping[str, Any]) -> None:
    """UserError if the rows would take the place of a file that is read."""
    for name, value in given.items():
        if isinstance(value, Path) and value.resolve() == target.resolve():
            option = f"--{name.replace('_', '-')}"
            raise UserError(f"the rows would overwrite {target.name}, which is read as {option}",
                            f"--per-example {target}", "name another file")
