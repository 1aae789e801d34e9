"""Real distributions in a folder of their own on the path: what `pip install` would leave there."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

PLUGIN = """
from vlpbench.plugin import Objective, Step, hookimpl

class {cls}(Objective):
    name = "{name}"
    {facts}
    def encode(self, backbone, batch):
        return {{}}
    def loss(self, features, batch):
        return Step(features["x"])

@hookimpl
def vlpbench_objectives():
    return [{cls}]
"""


def objective(name: str, facts: str = "", cls: str = "Mine") -> str:
    """The text of a plugin that brings one objective."""
    return PLUGIN.format(name=name, facts=facts, cls=cls)


@pytest.fixture
def source() -> Callable[..., str]:
    return objective


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Path]]:
    """install(distribution, module, text, ...) writes a module and its dist-info; both go away after the test."""
    site = tmp_path / "site"
    site.mkdir()
    monkeypatch.syspath_prepend(str(site))
    modules: list[str] = []

    def put(distribution: str, module: str, text: str | None, point: str = "", value: str = "") -> Path:
        version = "0.2"
        modules.append(module)
        if text is not None:
            (site / f"{module}.py").write_text(text, encoding="utf-8")
        info = site / f"{distribution.replace('-', '_')}-{version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n")
        (info / "entry_points.txt").write_text(f"[vlpbench]\n{point or module} = {value or module}\n")
        return site / f"{module}.py"

    yield put
    for module in modules:
        sys.modules.pop(module, None)
