"""A package of each kind as `plugins new` writes it: built, put beside vlpbench, found, and right by its own tests."""

from __future__ import annotations

import ast
import io
import os
import subprocess
import sys
import tokenize
import zipfile
from pathlib import Path

import pytest

import vlpbench
from vlpbench.registry import load_registry
from vlpbench.registry.new_name import NEW_KINDS
from vlpbench.registry.new_package import new_package

pytest.importorskip("hatchling", reason="hatchling builds the template's wheel")

LEARNS = """
import numpy as np
import torch
from vlpbench.backbones.sizes import SIZES
from vlpbench.registry import load_registry
from vlpbench.training.build import Blueprint
from vlpbench.types import Batch, Vocabulary

registry = load_registry()
assert not registry.failures, registry.failures
cls = registry.objective("half-said")
assert str(registry.origin("objective", cls.name)) == "vlpbench-half-said 0.1.0"
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
def packages(tmp_path_factory):
    """packages(kind) -> (folder, site): a new package, and its wheel unpacked as an installer would; made once."""
    registry, made = load_registry(), {}

    def package(kind):
        if kind not in made:
            place = tmp_path_factory.mktemp(kind)
            folder = new_package(kind, "half-said", place, registry).path
            run(["-m", "hatchling", "build", "-t", "wheel", "-d", str(place)], folder, place)
            (wheel,) = place.glob("*.whl")
            zipfile.ZipFile(wheel).extractall(place / "site")
            made[kind] = folder, place / "site"
        return made[kind]

    return package


@pytest.mark.parametrize("kind", NEW_KINDS)
def test_the_wheel_holds_the_module_alone_and_one_entry_point(packages, kind):
    site = packages(kind)[1]
    assert {path.name.split("-")[0] for path in site.iterdir()} == {"vlpbench_half_said"}
    (points,) = site.glob("*.dist-info/entry_points.txt")
    assert points.read_text().split() == ["[vlpbench]", "half-said", "=", "vlpbench_half_said"]
    (metadata,) = site.glob("*.dist-info/METADATA")
    assert f"Requires-Dist: vlpbench>={vlpbench.__version__}\n" in metadata.read_text()


@pytest.mark.parametrize("kind", NEW_KINDS)
def test_it_passes_its_own_tests(packages, kind):
    folder, site = packages(kind)
    said = run(["-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "error"], folder, site)
    assert " passed" in said  # one of them asks `vlpbench plugins list` for its name


def test_a_backbone_learns_by_the_objective(packages):
    assert run(["-c", LEARNS], *packages("objective")) == "learns\n"


def test_the_objective_is_short(root):
    text = (root / "plugins/_template/objective/src/vlpbench_example/__init__.py").read_text(encoding="utf-8")
    assert len(lines_of_code(text)) < 40


def lines_of_code(text):
    """The lines that hold code: no comment, no docstring, no blank."""
    sentences = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Expr)]
    docstrings = [node for node in sentences if isinstance(node.value, ast.Constant)]
    told = {line for node in docstrings for line in range(node.lineno, node.end_lineno + 1)}
    silent = (tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER)
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    return {line for one in tokens if one.type not in silent for line in range(one.start[0], one.end[0] + 1)} - told
