"""`vlpbench export`, `caption`, `ask`: a finished cell taken along, or tried on a picture of one's own."""

from __future__ import annotations

from pathlib import Path

import click

from vlpbench.cli.session import Session
from vlpbench.registry import load_registry
from vlpbench.runner.export import export_cell, load_cell
from vlpbench.runner.finished import Finished

__all__ = ["ask", "caption", "export"]

_CELL = click.argument("cell", type=click.Path(path_type=Path), metavar="CELL")
_TASK = click.option("--task", default="", metavar="TASK", help="Which of the cell's tasks to ask; the first that can.")
_DEVICE = click.option(
    "--device", type=click.Choice(["auto", "cpu", "cuda"]), default="auto", show_default=True,
    help="Where the model runs; auto takes the GPU where there is one.",
)


@click.command()
@_CELL
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), metavar="FOLDER")
@click.pass_obj
def export(session: Session, cell: Path, folder: Path) -> None:
    """Write the model of a finished CELL to a new FOLDER: weights (safetensors), settings, tokenizer.

    CELL is a cell's folder in results. The new folder gives the model back anywhere vlpbench is installed:

    \b
    vlpbench export results/demo/cells/prefix-lm-s0-0123456789ab my-model

    \b
    import vlpbench
    model = vlpbench.load_cell("my-model")
    model.caption(["photo.jpg"]), model.ask("photo.jpg", "how many are there?"), model.evaluate("vqa")
    """  # noqa: D301 (click reads \b)
    model = _load(session, cell, "cpu")
    export_cell(model, folder)
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    click.echo(f"{folder}: {size / 2**20:.1f} MiB; tasks {', '.join(model.tasks)}", err=True)


@click.command()
@_CELL
@click.argument("images", nargs=-1, required=True, type=click.Path(path_type=Path, dir_okay=False), metavar="IMAGE...")
@_TASK
@_DEVICE
@click.pass_obj
def caption(session: Session, cell: Path, images: tuple[Path, ...], task: str, device: str) -> None:
    """Write a caption of each IMAGE by a finished CELL (its folder in results, or an exported one).

    \b
    vlpbench caption my-model photo.jpg another.png
    """  # noqa: D301 (click reads \b)
    said = _load(session, cell, device).caption(images, task)
    for image, sentence in zip(images, said, strict=True):
        click.echo(f"{image}: {sentence}" if len(images) > 1 else sentence)


@click.command()
@_CELL
@click.argument("image", type=click.Path(path_type=Path, dir_okay=False), metavar="IMAGE")
@click.argument("question")
@_TASK
@_DEVICE
@click.pass_obj
def ask(session: Session, cell: Path, image: Path, question: str, task: str, device: str) -> None:
    """Answer a QUESTION about an IMAGE by a finished CELL (its folder in results, or an exported one).

    The number is the answer's probability among all answers that the model can give.

    \b
    vlpbench ask my-model photo.jpg "how many are there?"
    """  # noqa: D301 (click reads \b)
    answer, sure = _load(session, cell, device).ask(image, question, task)
    click.echo(f"{answer}  ({sure:.2f})")


def _load(session: Session, cell: Path, device: str) -> Finished:
    return load_cell(cell, device, load_registry(session.files, session.blocked))
