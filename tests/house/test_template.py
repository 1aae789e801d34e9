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

LEARNS = """
import numpy as np
import torch
from vlpbench.backbones.sizes import SIZES
from vlpbench.registry import load_registry
from vlpbench.training.build import Blueprint
from vlpbench.types import Batch, Vocabulary

registry = load_registry()
assert not registry.failures, registry.failures
cls = registry.objective("example-objective")
assert str(registry.origin("objective", cls.name)) == "vlpbench-example 0.1.0"
vocabulary = Vocabulary(size=50, pad=0, bos=1, eos=2, unk=3, mask=4)
plan = Blueprint(registry.stem("linear"), "", registry.trunk("encoder-decoder"), SIZES["nano"], 32, vocabulary, 6, 0)
backbone = plan.build(cls.needs)
objective = cls(cls.config_class(), backbone.spec)
tokens = np.array([[7, 8, 9, 2, 0, 0], [5, 6, 7, 8, 9, 2]])
host = Batch(None, tokens, tokens > 0, np.arange(2), np.arange(2), np.float32(0), vocabulary)
made = cls.corrupt(host, np.random.default_rng(0), cls.config_class())
extras = {name: torch.from_numpy(np.asarray(value)) for name, value in made.items()}
ids = torch.arange(2)
images = torch.randn(2, 3, 32, 32)
tokens = torch.from_numpy(tokens)
batch = Batch(images, tokens, tokens > 0, ids, ids, torch.zeros(()), vocabulary, True, extras, backbone.see(images))
losses = objective.loss(objective.encode(backbone, batch), batch).losses
assert losses.shape == (2,) and bool(torch.isfinite(losses).all()) and bool((losses > 0).all())
losses.sum().backward()
assert any(weight.grad is not None and bool(weight.grad.any()) for weight in backbone.parameters())
print("learns")
"""


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


def test_the_registry_finds_it_and_a_backbone_learns_by_it(package):
    assert run(["-c", LEARNS], package[0], package[1]) == "learns\n"


def test_the_words_to_replace_are_all_there_is(root):
    template = root / "plugins" / "_template"
    for path in template.rglob("*"):
        if path.is_file() and path.suffix in (".py", ".toml", ".md"):
            text = path.read_text(encoding="utf-8")
            for word in WORDS:
                text = text.replace(word, "")
            assert "example" not in text.lower(), f"{path.name} names the template in a way that is not replaced"
