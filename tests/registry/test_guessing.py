from __future__ import annotations

import pytest

from vlpbench.registry import PluginError, load_registry
from vlpbench.registry.guessing import Guess, guesses

TEXT = '''
import no_such_thing
from vlpbench import plugin
from vlpbench.plugin import Objective, Stem

class Plain:
    name = "not-this"

class First(Objective):
    name: str = "first"
    api_version = 1

class Second(First):
    name, version = "second", 2

class Third(plugin.Stem):
    name = other = "third"

class Fourth(Somebody):
    name = "fourth"

class Fifth(Objective):
    name = make_name()
'''


def test_names_are_read_from_classes_with_their_kinds(tmp_path):
    (tmp_path / "mine.py").write_text(TEXT)
    assert guesses(tmp_path / "mine.py") == (
        Guess("first", "objective", 1), Guess("second", "objective"), Guess("third", "stem"), Guess("fourth"),
    )
    assert [str(one) for one in guesses(tmp_path / "mine.py")][-2:] == ["stem third", "fourth"]


def test_of_a_package_all_files_count(tmp_path):
    package = tmp_path / "pack"
    for folder in ("deep", "recipes", "grids"):
        (package / folder).mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "deep" / "some.py").write_text(TEXT)
    for name in ("recipes/declip.toml", "grids/noise.toml", "pyproject.toml", "other.toml"):
        (package / name).write_text("")
    found = {str(one) for one in guesses(package / "__init__.py")}
    in_classes = {"objective first", "objective second", "stem third", "fourth"}
    assert found == {*in_classes, "recipe declip", "grid noise", "other"}


@pytest.mark.parametrize("text", ["def broken(:\n", "x = 1\0\n", "(" * 5000, "\udcff"])
def test_what_cannot_be_read_says_nothing(tmp_path, text):
    (tmp_path / "mine.py").write_bytes(text.encode(errors="surrogateescape"))
    assert guesses(tmp_path / "mine.py") == ()
    assert guesses(tmp_path / "gone.py") == ()


def test_a_failed_package_is_known_by_what_lies_in_its_other_files(install, tmp_path):
    install("vlpbench-pack", "pack_plugin", None, value="pack_plugin.entry")
    package = tmp_path / "site" / "pack_plugin"
    (package / "recipes").mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "entry.py").write_text("import no_such_thing\n")
    (package / "objectives.py").write_text(TEXT)
    (package / "recipes" / "declip.toml").write_text("")
    registry = load_registry()
    for kind, name in (("objective", "second"), ("stem", "third"), ("recipe", "declip")):
        with pytest.raises(PluginError, match=rf"{kind} '{name}' is not there: .*no module named 'no_such_thing'"):
            registry._find(kind, name)
    assert ("recipe", "declip") in registry.known().broken
