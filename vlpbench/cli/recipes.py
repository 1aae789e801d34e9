"""`vlpbench recipes`: the named published systems, and what each says."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

import click

from vlpbench.cli.config_show import table_of
from vlpbench.cli.session import Session
from vlpbench.config.field_schema import field_docs
from vlpbench.config.keys import SECTIONS
from vlpbench.config.known import Known
from vlpbench.config.recipes import Recipe, read_recipe
from vlpbench.config.settings import CellSettings, Protocol
from vlpbench.config.typed import shown
from vlpbench.registry import load_registry

__all__ = ["recipes"]


@click.group()
def recipes() -> None:
    """List recipes (published systems as settings), show what a recipe says."""


@recipes.command("list")
@click.pass_obj
def list_recipes(session: Session) -> None:
    """List the recipes that this package and plugins bring, each with its description and paper.

    \b
    vlpbench recipes list
    """  # noqa: D301 (click reads \b)
    registry = load_registry(session.files, session.blocked)
    names = registry.names("recipe")
    width = max(map(len, names), default=0)
    for name in names:
        recipe = read_recipe(registry.recipe(name))
        paper = f"{recipe.paper}; " if recipe.paper else ""
        click.echo(f"{name:{width}}  {recipe.description}  ({paper}{registry.origin('recipe', name)})")
    if not names:
        click.echo("no recipes are installed; a plugin brings them by the hook vlpbench_recipes", err=True)


@recipes.command("info")
@click.argument("name", metavar="RECIPE")
@click.pass_obj
def show_recipe(session: Session, name: str) -> None:
    """Show what a RECIPE sets, with what each setting means, and how a grid names it.

    A grid's own settings stand over a recipe's: name the recipe and change one thing.

    \b
    vlpbench recipes info simvlm-small
    vlpbench -p my_recipes.py recipes info my-system
    """  # noqa: D301 (click reads \b)
    registry = load_registry(session.files, session.blocked)
    known = registry.known()
    recipe = read_recipe(registry.recipe(name), known)
    click.echo(f"{name}: {recipe.description}".rstrip())
    click.echo(f"paper: {recipe.paper or 'none is named'}; brought by {registry.origin('recipe', name)}")
    click.echo("\n".join(_lines(recipe, known)))
    click.echo(f'\nin a grid file:\n\n    [base]\n    recipe = "{name}"')


def _lines(recipe: Recipe, known: Known) -> Iterator[str]:
    """One line a setting, with its meaning; an empty line before each table."""
    said = {key: f"{key} = {shown(value)}" for key, value in recipe.settings.items()}
    width = min(56, max(map(len, said.values()), default=0))
    for _, keys in groupby(recipe.settings, key=table_of):
        yield ""
        for key in keys:
            meaning = meaning_of(key, known)
            yield f"{said[key]:{width}}  {meaning}".rstrip()


def meaning_of(key: str, known: Known) -> str:
    """The sentence under a setting in its config class; empty where there is none."""
    path = key.split(".")
    if len(path) == 1:
        return field_docs(CellSettings).get(key, "")
    if path[0] in SECTIONS:
        return field_docs(SECTIONS[path[0]]).get(path[1], "")
    classes = {"objective": known.objectives, "trunk": known.trunks}.get(path[0], {})
    cls = Protocol if path[0] == "protocol" else classes.get(path[1])
    return field_docs(cls).get(path[2], "") if cls is not None and len(path) > 2 else ""
