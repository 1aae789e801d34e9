"""`vlpbench plugins new` as it is typed: the tree, what to do next, and what it says to mistakes."""

from __future__ import annotations

import json

import pytest

from vlpbench.cli.main import main

TOLD = """vlpbench-half-said/
  .github/
    workflows/
      tests.yml
  .gitignore
  LICENSE
  README.md
  grid.toml
  pyproject.toml
  src/
    vlpbench_half_said/
      __init__.py
  tests/
    conftest.py
    test_conformance.py
    test_known_answers.py

Next:
  cd vlpbench-half-said
  pip install -e '.[test]'
  vlpbench plugins check half-said
  vlpbench run grid grid.toml
"""


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_a_package(tmp_path, capsys):
    assert main(["plugins", "new", "objective", "half-said"]) == 0
    told = capsys.readouterr()
    assert told.out == TOLD
    assert told.err == ""
    assert (tmp_path / "vlpbench-half-said" / ".github" / "workflows" / "tests.yml").is_file()


def test_what_comes_first_for_a_data_set(capsys):
    assert main(["plugins", "new", "dataset", "half-said", "--out", "my plugins"]) == 0
    told = capsys.readouterr().out
    steps = [line.strip() for line in told.partition("Next:")[2].splitlines() if line]
    assert steps[0] == "cd 'my plugins/vlpbench-half-said'"
    assert steps[3:] == ["python squares.py", "vlpbench data check grid.toml", "vlpbench run grid grid.toml"]


def test_a_single_file(tmp_path, capsys):
    assert main(["plugins", "new", "stem", "half-said", "--single-file"]) == 0
    told = capsys.readouterr().out
    assert told.startswith("half_said.py\n")
    assert "vlpbench -p half_said.py run grid my-grid.toml\n" in told
    assert 'stem = ["linear", "half-said"' in told
    assert [path.name for path in tmp_path.iterdir()] == ["half_said.py"]
    assert main(["-p", "half_said.py", "plugins", "list", "--json"]) == 0
    assert ["stem half-said"] in [one["brings"] for one in json.loads(capsys.readouterr().out)["plugins"]]


@pytest.mark.parametrize(("words", "said"), [
    (["objective", "HalfSaid"], "did you mean 'half-said'?"),
    (["objective", "prefix-lm"], "there is an objective 'prefix-lm' already"),
    (["half-said", "objective"], "is not one of"),
    (["objective"], "Missing argument 'NAME'"),
])
def test_mistakes(words, said, tmp_path, capsys):
    assert main(["plugins", "new", *words]) == 2
    told = capsys.readouterr()
    assert said in told.err and told.out == ""
    assert list(tmp_path.iterdir()) == []


def test_twice(capsys):
    assert main(["plugins", "new", "trunk", "half-said"]) == 0
    capsys.readouterr()
    assert main(["plugins", "new", "trunk", "half-said"]) == 2
    assert "there is a folder 'vlpbench-half-said' already" in capsys.readouterr().err
