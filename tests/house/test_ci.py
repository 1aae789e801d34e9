"""What a stranger types is what is judged: the README's commands, tox's rooms and the CI entry agree."""

from __future__ import annotations

import configparser
import os
import re

BLOCK = re.compile(r"```sh\n(.*?)```", re.DOTALL)


def test_the_readme_has_its_two_commands(root):
    readme = (root / "README.md").read_text(encoding="utf-8")
    run, test = (block.strip() for block in BLOCK.findall(readme)[:2])
    assert run == "python3 -m venv .venv && .venv/bin/pip install . && .venv/bin/vlpbench run grid"
    assert test == "python3 -m venv .venv-test && .venv-test/bin/pip install tox && .venv-test/bin/tox"
    assert readme.index("<!-- test command -->") == readme.index("```sh\n" + test) - len("<!-- test command -->\n")


def test_one_environment_alone_installs_torch(root):
    tox = configparser.ConfigParser(interpolation=None)
    tox.read(root / "tox.ini", encoding="utf-8")
    named = [name.strip() for name in tox["tox"]["env_list"].split(",")]
    assert named == ["lint", "contracts", "docs", "py"]
    heavy = [name for name in named if tox[f"testenv:{name}"].get("skip_install") != "true"]
    assert heavy == ["py"]


def test_the_ci_entry_runs_the_readme(root):
    entry = root / ".ci" / "run"
    if not entry.exists():  # a source distribution does not hold it
        assert (root / "PKG-INFO").exists()
        return
    assert os.access(entry, os.X_OK)
    assert "<!-- test command -->" in entry.read_text(encoding="utf-8")
