"""New plugins: what they are called, what is written, and that nothing is overwritten or left half written."""

from __future__ import annotations

import errno
import runpy
import tomllib

import pytest

import vlpbench
from vlpbench.errors import UserError
from vlpbench.grid import cells, open_grid
from vlpbench.registry import load_registry
from vlpbench.registry import new_package as room
from vlpbench.registry.checks import Unfit, check_component
from vlpbench.registry.new_name import NEW_KINDS, check_name
from vlpbench.registry.new_package import new_file, new_package
from vlpbench.runner.workbench import opened_here

FILES = (".github/workflows/tests.yml", ".gitignore", "LICENSE", "README.md", "grid.toml", "pyproject.toml",
         "src/vlpbench_half_said/__init__.py", "tests/conftest.py", "tests/test_conformance.py")
SMALL = [f"data.digits.{split}={many}" for split, many in (("train", 40), ("val", 8), ("test", 8))]


@pytest.fixture(scope="module")
def registry():
    return load_registry()


def everything(folder):
    """Name and text of every file."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8") for path in files}


@pytest.mark.parametrize("kind", NEW_KINDS)
def test_a_package_is_whole_and_nothing_of_the_template_is_left(kind, registry, tmp_path):
    made = new_package(kind, "half-said", tmp_path / "deep" / "er", registry)
    assert made.path == tmp_path / "deep" / "er" / "vlpbench-half-said"
    texts = everything(made.path)
    assert tuple(texts) == made.files
    assert set(FILES) <= set(texts)
    assert [name for name, text in texts.items() if "example" in (name + text).lower()] == []
    assert [path.name for path in made.path.parent.iterdir()] == ["vlpbench-half-said"]
    assert made.path.stat().st_mode & 0o777 == 0o755


@pytest.mark.parametrize("kind", NEW_KINDS)
def test_its_facts(kind, registry, tmp_path):
    texts = everything(new_package(kind, "half-said", tmp_path, registry).path)
    project = tomllib.loads(texts["pyproject.toml"])["project"]
    assert project["entry-points"] == {"vlpbench": {"half-said": "vlpbench_half_said"}}
    assert project["dependencies"] == [f"vlpbench>={vlpbench.__version__}"]
    assert project["name"] == "vlpbench-half-said" and "half-said" in project["description"]
    assert "test" in project["optional-dependencies"]
    assert "class HalfSaid(" in texts["src/vlpbench_half_said/__init__.py"]
    assert "from vlpbench_half_said import" in texts["tests/test_conformance.py"]
    for command in ("pip install -e '.[test]'", "plugins check half-said", "run grid grid.toml", "python -m build"):
        assert command in texts["README.md"]
    tomllib.loads(texts["README.md"].split("```toml\n")[1].split("```")[0])


@pytest.mark.parametrize("kind", NEW_KINDS)
def test_a_single_file_is_a_plugin_that_the_grid_of_the_package_can_use(kind, registry, tmp_path, monkeypatch):
    monkeypatch.setenv("VLPBENCH_DATA", "")  # so that what the grid sets goes away again
    file = new_file(kind, "half-said", tmp_path, registry).path
    folder = new_package(kind, "half-said", tmp_path, registry).path
    assert file.name == "half_said.py"
    assert file.read_text() == (folder / "src" / "vlpbench_half_said" / "__init__.py").read_text()
    if kind == "dataset":
        runpy.run_path(str(folder / "squares.py"))
    grid, loaded = open_grid(str(folder / "grid.toml"), [] if kind == "dataset" else SMALL, [file])
    assert loaded.failures == ()
    found = cells(grid, loaded, opened_here)
    assert len(found) >= 3
    assert [cell.reason for cell in found if cell.reason] == []
    assert "half-said" in str([cell.settings for cell in found])


def test_a_set_without_faults_is_drawn_for_the_data_set(registry, tmp_path):
    folder = new_package("dataset", "half-said", tmp_path, registry).path
    runpy.run_path(str(folder / "squares.py"))
    module = runpy.run_path(str(folder / "src" / "vlpbench_half_said" / "__init__.py"))
    dataset = module["HalfSaid"](module["Config"]("squares"), folder / "data", tmp_path)
    samples = [sample for split in dataset.splits() for sample in dataset.read(split)]
    assert len(samples) == 240 and all(len(sample.captions) == 2 for sample in samples)
    assert "/data/" in (folder / ".gitignore").read_text()


@pytest.mark.parametrize(("kind", "name", "cls"), [
    ("objective", "objective", "ObjectiveObjective"), ("objective", "config", "ConfigObjective"),
    ("stem", "none", "NoneStem"), ("stem", "size", "SizeStem"), ("trunk", "a2-3d", "A23d"),
    ("trunk", "example-trunk", "ExampleTrunk"), ("dataset", "image", "ImageDataset"),
    ("dataset", "value-error", "ValueErrorDataset"),
])
def test_a_class_never_hides_another(kind, name, cls, registry, tmp_path):
    file = new_file(kind, name, tmp_path, registry).path
    loaded = load_registry([file])
    assert loaded.failures == ()
    assert loaded.components[NEW_KINDS[kind], name].value.__name__ == cls


@pytest.mark.parametrize(("name", "right"), [
    ("HalfSaid", "half-said"), ("half_said", "half-said"), ("half said", "half-said"), ("-half-said-", "half-said"),
    ("half--said", "half-said"), ("2nd-half", "nd-half"), ("vlpbench-half-said", "half-said"), ("a/b", "a-b"),
    ("../half", "half"), ("half\n", "half"), ("", "half-said"), ("vlpbench", "half-said"), ("日本", "half-said"),
])
def test_a_wrong_name_is_told_the_nearest_right_one(name, right, registry, tmp_path):
    with pytest.raises(UserError) as caught:
        new_package("objective", name, tmp_path, registry)
    assert repr(right) in caught.value.remedy or f'"{right}"' in caught.value.remedy
    assert list(tmp_path.iterdir()) == []
    check_name(right)


@pytest.mark.parametrize("name", ["a", "a1", "half-said", "a-1-b", "1a", "A", "a_b", "a-", "-a", "a--b", "a b", "a.b"])
def test_a_name_is_right_as_the_registry_has_it(name, registry):
    cls = registry.objective("prefix-lm")
    named = type("Named", (cls,), {"name": name})
    try:
        check_component("objective", named)
    except Unfit:
        with pytest.raises(UserError):
            check_name(name)
    else:
        check_name(name)


@pytest.mark.parametrize(("kind", "name", "said"), [
    ("objective", "prefix-lm", "there is an objective 'prefix-lm' already: it comes with vlpbench"),
    ("objective", "none", "there is an objective 'none'"), ("objective", "train", "torch"),
    ("stem", "conv3", "there is a stem"), ("trunk", "dual", "there is a trunk"),
    ("dataset", "coco", "there is a data set"),
])
def test_a_taken_name(kind, name, said, registry, tmp_path):
    for write in (new_package, new_file):
        with pytest.raises(UserError, match=said) as caught:
            write(kind, name, tmp_path, registry)
        assert f"my-{name}" in caught.value.remedy
    assert list(tmp_path.iterdir()) == []


def test_a_name_that_an_installed_plugin_has(install, source, tmp_path):
    install("vlpbench-other", "other_module", source("other-one"), "half-said")
    install("vlpbench-broken", "broken_module", "import nothing_of_this_name")
    registry = load_registry()
    for name, owner in (("half-said", "vlpbench-other"), ("other", "vlpbench-other"), ("broken", "vlpbench-broken")):
        with pytest.raises(UserError, match="is installed already") as caught:
            new_package("stem", name, tmp_path / "out", registry)
        assert owner in str(caught.value)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(("name", "whose"), [
    ("class", "a word"), ("json", "a module of Python"), ("torch", "installed"), ("vlpbench", "half-said"),
])
def test_a_single_file_that_would_hide_a_module(name, whose, registry, tmp_path):
    with pytest.raises(UserError) as caught:
        new_file("stem", name, tmp_path, registry)
    assert whose in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_a_package_may_be_called_like_a_module_of_python(registry, tmp_path):
    assert new_package("dataset", "json", tmp_path, registry).path.name == "vlpbench-json"


def test_an_unknown_kind(registry, tmp_path):
    with pytest.raises(UserError, match="unknown kind of plugin 'objectives'") as caught:
        new_package("objectives", "half-said", tmp_path, registry)
    assert "did you mean 'objective'?" in caught.value.remedy


def test_nothing_is_overwritten(registry, tmp_path):
    (tmp_path / "vlpbench-half-said").mkdir()
    (tmp_path / "half_said.py").symlink_to(tmp_path / "nowhere.py")
    for write, name in ((new_package, "vlpbench-half-said"), (new_file, "half_said.py")):
        with pytest.raises(UserError, match=f"'{name}' already, and nothing is overwritten") as caught:
            write("stem", "half-said", tmp_path, registry)
        assert caught.value.place == str(tmp_path / name) and "--out" in caught.value.remedy
    assert list((tmp_path / "vlpbench-half-said").iterdir()) == []
    assert not (tmp_path / "nowhere.py").exists()


def test_whole_or_nothing(registry, tmp_path, monkeypatch):
    written = []

    def full(path, text):
        written.append(path)
        if len(written) == 3:
            raise OSError(errno.ENOSPC, "No space left on device")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    monkeypatch.setattr(room, "write_text", full)
    with pytest.raises(UserError, match=r"'vlpbench-half-said' cannot be written: No space left"):
        new_package("trunk", "half-said", tmp_path, registry)
    assert len(written) == 3
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_a_file(registry, tmp_path):
    (tmp_path / "file").write_text("")
    for write in (new_package, new_file):
        with pytest.raises(UserError, match="cannot be written") as caught:
            write("stem", "half-said", tmp_path / "file", registry)
        assert str(tmp_path / "file") in caught.value.place


def test_a_template_that_is_missing(registry, tmp_path, monkeypatch):
    monkeypatch.setattr(vlpbench, "__path__", [str(tmp_path / "vlpbench")])
    with pytest.raises(UserError, match="template of plugins is missing"):
        new_package("stem", "half-said", tmp_path, registry)


def test_an_installed_vlpbench_has_the_template_inside(tmp_path, monkeypatch):
    home = tmp_path / "vlpbench"
    home.mkdir()
    (home / "plugin_template").symlink_to(room.template())
    monkeypatch.setattr(vlpbench, "__path__", [str(home)])
    assert room.template() == home / "plugin_template"
