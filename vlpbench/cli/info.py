"""`vlpbench info`: this machine and these packages, without any name of a person or host."""

from __future__ import annotations

import json
from importlib.metadata import PackageNotFoundError, version

import click

from vlpbench import __version__
from vlpbench.cli.session import Session
from vlpbench.data.folders import cache_folder, data_root
from vlpbench.device import Device, environment
from vlpbench.registry import load_registry

__all__ = ["info"]

_PACKAGES = ("torch", "timm", "torchvision", "numpy", "pandas", "pluggy", "pydantic", "click", "tokenizers")


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of text.")
@click.pass_obj
def info(session: Session, as_json: bool) -> None:
    """Show versions, device, folders and plugins: what a report of a fault should hold."""
    registry = load_registry(session.files, session.blocked)
    facts = {
        "vlpbench": __version__, **environment(Device.choose()),
        **{name: _version(name) for name in _PACKAGES},
        "data folder": str(data_root()), "cache folder": str(cache_folder()),
        "plugins": ", ".join(f"{one.name} ({one.origin})" for one in registry.plugins),
        "failed plugins": ", ".join(one.name for one in registry.failures) or "none",
    }
    if as_json:
        click.echo(json.dumps(facts, indent=1))
        return
    for key, value in facts.items():
        click.echo(f"{key:16} {value}")


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "missing"
