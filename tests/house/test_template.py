"""The plugin template is a whole package: it is built, put beside vlpbench, found, and passes its own tests."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import vlpbench

pytest.importorskip("hatchling", reason="hatchling builds the template's wheel")
WORDS = ("vlpbench-example", "vlpbench_example", "example-objective", "ExampleObjective")


def run(arguments, folder, site):
    """Run Python where `site` and the tested vlpbench are importable, and the checkout is not."""
    where = os.pathsep.join([str(site), str(Path(vlpbench.__path__[0]).parent)])
    environment = {**os.environ, "PYTHONPATH": where, "PYTHONSAFEPATH": "1"}
    done = subprocess.run(
        [sys.executable, *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def package(root, tmp_path_factory):
    """(folder, site): a copy of the template, and its wheel unpacked as an installer would."""
    folder = tmp_path_factory.mktemp("template") / "package"
    shutil.copytree(root / "plugins" / "_template", folder, ignore=shutil.ignore_patterns("__pycache__", ".*"))
    site = folder.parent / "site"
    run(["-m", "hatchling", "build", "-t", "wheel", "-d", str(folder.parent)], folder, site)
    (wheel,) = folder.parent.glob("*.whl")
    zipfile.ZipFile(wheel).extractall(site)
    return folder, site


def test_the_wheel_holds_the_module_alone(package):
    tops = {path.name.split("-")[0] for path in package[1].iterdir()}
    assert tops == {"vlpbench_example"}


def test_it_passes_its_own_tests(package):
    folder, site = package
    assert " passed" in run(["-m", "pytest", "-q", "-p", "no:cacheprovider"], folder, site)


def test_the_words_to_replace_are_all_there_is(root):
    template = root / "plugins" / "_template"
    for path in template.rglob("*"):
        if path.is_file() and path.suffix in (".py", ".toml", ".md"):
            text = path.read_text(encoding="utf-8")
            for word in WORDS:
                text = text.replace(word, "")
            assert "example" not in text.lower(), f"{path.name} names the template in a way that is not replaced"
