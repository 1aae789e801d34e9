"""`vlpbench info`: this machine and these packages, without any name of a person or host."""

from __future__ import annotations

import getpass
import json
import os
import platform
import re
import shutil
import subprocess
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import click
import psutil
import torch

from vlpbench import __version__
from vlpbench.cli.session import Session
from vlpbench.data.folders import cache_folder, data_root
from vlpbench.device import Device, environment
from vlpbench.registry import Registry, load_registry

__all__ = ["info"]

_PACKAGES = (
    "torch", "torchvision", "timm", "numpy", "pandas", "scikit-learn", "tokenizers", "safetensors", "pluggy",
    "pydantic", "click", "rich", "pycocotools", "pycocoevalcap",
)

Facts = Mapping[str, Mapping[str, Any]]
"""Heading -> what -> value."""


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of text.")
@click.pass_obj
def info(session: Session, as_json: bool) -> None:
    """Show versions, device, folders and plugins: what a report of a fault should hold.

    Names no person, user or host: the home folder is ~, a user's name in a path is USER.

    \b
    vlpbench info
    vlpbench info --json > environment.json
    """  # noqa: D301 (click reads \b)
    facts = gathered(load_registry(session.files, session.blocked))
    if as_json:
        click.echo(json.dumps(facts, indent=1))
        return
    width = max(len(key) for table in facts.values() for key in table)
    for heading, table in facts.items():
        click.echo(heading)
        for key, value in table.items():
            told = ", ".join(value) or "none" if isinstance(value, list) else value
            click.echo(f"  {key:{width}}  {told}")


def gathered(registry: Registry) -> Facts:
    """All facts by heading."""
    device = Device.choose()
    about = dict(environment(device))
    build = f"{about.pop('torch')}, {_build(device.kind)}"
    capability = about.pop("cpu_capability")
    return {
        "versions": {"vlpbench": __version__, "python": about.pop("python"),
                     **{name: _version(name) for name in _PACKAGES}},
        "machine": {
            "system": about.pop("system"), "device": about.pop("device"), "processor": _processor(),
            "cpu capability": capability, "cores": about.pop("cores"),
            "threads": f"{psutil.cpu_count()} in hardware, {_usable()} for this process", **about,
            "torch build": build, "java": _java(),
        },
        "folders": {
            "data": anonymous(str(data_root())), "cache": anonymous(str(cache_folder())),
            "free in the cache": f"{_free(cache_folder()) / 2**30:.0f} GiB",
        },
        "plugins": {
            "loaded": [f"{one.name} ({one.origin})" for one in registry.plugins],
            "failed": [anonymous(one.sentence()) for one in registry.failures],
        },
    }


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "missing"


def _processor() -> str:
    """The processor's model, as the system tells it."""
    path = Path("/proc/cpuinfo")
    text = path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
    found = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
    return found[1].strip() if found else platform.processor() or platform.machine()


def _usable() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _build(kind: str) -> str:
    """What torch was built for, and whether it finds it."""
    told = re.search(r"\b(CUDA|HIP)_VERSION=([\w.]+)", torch.__config__.show())
    if told is None:
        return "for processors only"
    return f"{told[1]} {told[2]}, " + ("no GPU is visible" if kind == "cpu" else "a GPU is visible")


def _java() -> str:
    """The version of Java that METEOR and SPICE would run with; "absent" where there is none."""
    program = shutil.which("java")
    if program is None:
        return "absent"
    try:
        told = subprocess.run([program, "-version"], capture_output=True, text=True, timeout=20, check=False).stderr
    except (OSError, subprocess.TimeoutExpired) as wrong:
        return f"does not start: {type(wrong).__name__}"
    found = re.search(r'version "([^"]+)"', told)
    return found[1] if found else "present, version unknown"


def _free(folder: Path) -> int:
    """Bytes that can still be written where `folder` is, or will be."""
    there = next(one for one in (folder, *folder.parents) if one.exists())
    return shutil.disk_usage(there).free


def anonymous(text: str) -> str:
    """A text with paths in it, without the home folder and without the names of user and host."""
    home = str(Path.home())
    if len(home) > 1:
        text = re.sub(rf"{re.escape(home)}(?=/|\\|$|[\s:'\"])", "~", text)
    for name, word in ((_user(), "USER"), (platform.node(), "HOST")):
        if name:
            text = re.sub(rf"(?<=[/\\]){re.escape(name)}(?=[/\\]|$)", word, text)
    return text


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a process without an entry in the list of users, as in some containers
        return ""
