"""`vlpbench plugins list`: what each plugin brings, and which are broken, why, and what to do."""

from __future__ import annotations

import json
from typing import Any

import click

from vlpbench.cli.session import Session
from vlpbench.registry import Registry, load_registry

__all__ = ["list_plugins"]


@click.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of text.")
@click.pass_obj
def list_plugins(session: Session, as_json: bool) -> None:
    """List the good and the failed plugins; a broken one never keeps this command from working.

    \b
    vlpbench plugins list
    vlpbench -p my_objective.py plugins list     with a file that is not installed
    vlpbench -v plugins list                     with the traceback of each failure
    """  # noqa: D301 (click reads \b)
    registry = load_registry(session.files, session.blocked)
    if as_json:
        click.echo(json.dumps(described(registry), indent=1))
        return
    click.echo(text(registry, session.verbose))


def described(registry: Registry) -> dict[str, Any]:
    """All plugins as JSON: those loaded with what they bring, and those failed with cause and remedy."""
    return {
        "plugins": [
            {
                "name": one.name, "distribution": one.origin.distribution, "version": one.origin.version,
                "sha256": one.origin.sha256, "status": "loaded", "hooks": list(one.hooks),
                "brings": [f"{kind} {name}" for kind, name in _brought(registry, one.name)],
            }
            for one in registry.plugins
        ],
        "failures": [
            {
                "name": one.name, "distribution": one.distribution, "version": one.version, "status": "failed",
                "component": one.component, "cause": one.cause, "remedy": one.remedy, "traceback": one.traceback,
            }
            for one in registry.failures
        ],
    }


def _brought(registry: Registry, plugin: str) -> list[tuple[str, str]]:
    return [key for key, component in registry.components.items() if component.origin.plugin == plugin]


def text(registry: Registry, verbose: bool) -> str:
    """All plugins as lines to read."""
    lines = []
    for one in registry.plugins:
        lines.append(f"{one.name}  ({one.origin})")
        by_kind: dict[str, list[str]] = {}
        for kind, name in _brought(registry, one.name):
            by_kind.setdefault(kind, []).append(name)
        lines += [f"    {kind}: {', '.join(names)}" for kind, names in by_kind.items()]
        if "vlpbench_cell_finished" in one.hooks:
            lines.append("    watches finished cells")
    for failure in registry.failures:
        who = f"{failure.distribution} {failure.version}".strip() or "single file"
        lines.append(f"{failure.name}  ({who})  FAILED {failure.component}".rstrip())
        lines += [f"    cause: {failure.cause}", f"    to do: {failure.remedy}"]
        if verbose and failure.traceback:
            lines += [f"    | {line}" for line in failure.traceback.rstrip().splitlines()]
    return "\n".join(lines)
