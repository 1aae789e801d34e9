"""What ships: the package alone, typed, with its grids and the plugin template."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import vlpbench

pytest.importorskip("hatchling", reason="hatchling builds the wheel")


@pytest.fixture(scope="module")
def names(root, tmp_path_factory):
    """The names in a wheel built from this tree."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=root, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    return zipfile.ZipFile(wheel).namelist()


def test_only_the_package(names):
    assert {name.split("/")[0].split("-")[0] for name in names} == {"vlpbench"}


def test_every_source_file_and_grid(root, names):
    kinds = (".py", ".toml", ".typed", ".html", ".css", ".js", ".bib")
    ours = [path for path in (root / "vlpbench").rglob("*") if path.suffix in kinds or path.name == "py.typed"]
    assert len(ours) > 10
    assert {path.relative_to(root).as_posix() for path in ours} <= set(names)


def test_the_template(root, names):
    template = root / "plugins" / "_template"
    paths = [path for path in template.rglob("*") if path.is_file() and path.suffix != ".pyc"]
    kept = [path.relative_to(template).as_posix() for path in paths]
    shipped = {name.removeprefix("vlpbench/plugin_template/") for name in names if "plugin_template" in name}
    assert "package/pyproject.toml" in kept
    assert shipped == set(kept)


def test_the_wheel_is_what_is_tested(root):
    if os.environ.get("VLPBENCH_TESTED") != "wheel":
        pytest.skip("not run by tox: the checkout itself may be what is tested")
    assert not Path(vlpbench.__path__[0]).resolve().is_relative_to(root / "vlpbench")
