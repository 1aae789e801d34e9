"""Derive from a grid's `frame.parquet` everything else that is committed of it, or check that it is what is there.

    python results/reference/derive.py simvlm-ablation
    python results/reference/derive.py simvlm-ablation --check
    python results/reference/derive.py --check

`Results.export` writes the frame. From it alone come table.md, table.tex, differences.md (where the grid names its
reference), reproduction.md and .csv (where rows have published numbers), plots/*.svg, and what stands between markers
in the other Markdown files of the folder and in the README of the repository: `blocks.py` finds them, `quantities.py`
knows what they may name. So no number there is typed by hand. Without a GRID all folders that have a frame are meant.
With --check nothing is written: each file that is not what would be derived is named, and the exit code is 1.
"""

from __future__ import annotations

import io
import re
import sys
from pathlib import Path

import click
from blocks import refreshed
from quantities import Source

from vlpbench.cli.report_table import text_of_results
from vlpbench.errors import UserError, unknown
from vlpbench.files import write_text
from vlpbench.results.plots import all_plots, draw, svg
from vlpbench.results.reproduction import reproduction_text
from vlpbench.results.tables import Asked

HERE = Path(__file__).resolve().parent

TEXTS = ("grid", "task", "metric", "baseline", "row", "note")
"""Columns that hold no numbers. Those of others are shortened: their last digits differ between processors."""


def derived(folder: Path, readme: Path) -> dict[Path, str]:
    """Each file that is derived of a grid's folder -> what it should hold."""
    source = Source(folder)
    found = {folder / name: text for name, text in {**tables(source), **reproduced(source), **plots(source)}.items()}
    for page in [*sorted(folder.glob("*.md")), *([readme] if readme.is_file() else [])]:
        if page not in found:
            text = page.read_text(encoding="utf-8")
            found[page] = refreshed(text, source, page, is_shared=page == readme)
    return found


def tables(source: Source) -> dict[str, str]:
    """What `vlpbench report table` prints of the frame."""
    frame = (source.frame,)
    found = {
        "table.md": text_of_results(frame, Asked(), "md", None),
        "table.tex": text_of_results(frame, Asked(), "latex", None),
    }
    if any(order.reference for order in source.results.orders):
        found["differences.md"] = text_of_results(frame, Asked(what="differences"), "md", None)
    return {name: f"{text}\n" for name, text in found.items()}


def reproduced(source: Source) -> dict[str, str]:
    """What `vlpbench report reproduction` prints of it; nothing where no paper prints numbers for two rows."""
    import pandas as pd

    if not source.reproductions:
        return {}
    exact = reproduction_text(source.reproductions, "csv")
    lines = pd.read_csv(io.StringIO(exact), dtype=str, keep_default_na=False)
    lines = lines.apply(lambda column: column if column.name in TEXTS else column.map(_short))
    return {
        "reproduction.md": f"{reproduction_text(source.reproductions)}\n",
        "reproduction.csv": str(lines.to_csv(index=False)),
    }


def _short(text: str) -> str:
    """A number that is not whole with six digits that count; all else as it is."""
    return f"{float(text):.6g}" if re.fullmatch(r"-?\d+(\.\d+|\.?\d*e-?\d+)", text) else text


def plots(source: Source) -> dict[str, str]:
    """Every plot that the frame has what it needs for, as wide as a page; the picture says what drew it."""
    import matplotlib

    can, _ = all_plots(source.results, width="page")
    found = {}
    for kind, options in can:
        name = f"{kind}-{options['task']}" if "task" in options else kind
        try:
            picture = svg(draw(source.results, kind, **options))
        except UserError:  # one task of several may lack what the plot needs
            continue
        found[f"plots/{name}.svg"] = f"{picture}<!-- matplotlib {matplotlib.__version__} -->\n"
    return found


def is_same(path: Path, wanted: str) -> bool:
    """Whether a file holds what it should; of a picture drawn by another matplotlib its words are compared."""
    if not path.is_file():
        return False
    there = path.read_text(encoding="utf-8")
    if there == wanted or path.suffix != ".svg":
        return there == wanted
    return _drawer(there) != _drawer(wanted) and _words(there) == _words(wanted)


def _drawer(picture: str) -> str:
    return picture.rpartition("<!-- matplotlib ")[2]


def _words(picture: str) -> list[str]:
    """Its title, which tells all means, and all that is written in it."""
    return sorted(re.findall(r"<(?:text|dc:title)[^>]*>([^<]*)<", picture))


def left_over(folder: Path, found: dict[Path, str]) -> list[Path]:
    """Pictures that are no longer derived."""
    return [path for path in sorted((folder / "plots").glob("*.svg")) if path not in found]


def grids(home: Path, names: tuple[str, ...]) -> list[Path]:
    """The folders that are meant; UserError for a name without a frame."""
    known = {path.parent.name: path.parent for path in sorted(home.glob("*/frame.parquet"))}
    for name in names:
        if name not in known:
            raise unknown("reference grid", name, known, str(home))
    return [known[name] for name in names] or list(known.values())


@click.command(help=__doc__)
@click.argument("names", nargs=-1, metavar="[GRID]...")
@click.option("--check", is_flag=True, help="Write nothing: name each file that is not what would be derived.")
@click.option("--home", type=click.Path(path_type=Path), default=HERE, help="Folder of the grids' folders.")
def main(names: tuple[str, ...], check: bool, home: Path) -> None:
    """Derive, or check."""
    wrong = []
    for folder in grids(home, names):
        found = derived(folder, home.parent.parent / "README.md")
        for path in left_over(folder, found):
            wrong.append(f"{path}: nothing derives it")
            if not check:
                path.unlink()
        for path, text in found.items():
            if not is_same(path, text):
                wrong.append(f"{path}: not what the frame says" if path.is_file() else f"{path}: is missing")
                if not check:
                    write_text(path, text)
    for line in wrong:
        click.echo(line if check else line.partition(": ")[0])
    sys.exit(1 if wrong and check else 0)


if __name__ == "__main__":
    try:
        main()
    except UserError as error:
        click.echo(error, err=True)
        sys.exit(error.exit_code)
