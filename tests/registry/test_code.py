"""A change of any file that decides numbers changes a hash; a change of any other, and another folder, do not."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest

from vlpbench.config.settings import CellSettings
from vlpbench.registry import load_registry
from vlpbench.registry.code import _HOME, ROOMS, _files_of, _ours, _rooms, code_of, code_of_class

SETTINGS = CellSettings(
    objective="contrastive + 2*language-model", backbone="timm:resnet18/dual-fusion/nano",
    sources={"a": {"kind": "digits"}, "b": {"kind": "coco"}},
)


@pytest.fixture(scope="module")
def registry():
    return load_registry()


@pytest.fixture
def package(tmp_path, monkeypatch, source):
    """package(name) writes a package with a helper and makes the class of the objective in it."""
    site = tmp_path / "code"
    monkeypatch.syspath_prepend(str(site))
    made = []

    def put(name: str, helper: str = "FACTOR = 1\n") -> type:
        folder = site.joinpath(*name.split("."))
        (folder / "deep").mkdir(parents=True, exist_ok=True)
        (folder / "__init__.py").write_text("")
        (folder / "mine.py").write_text(source("mine"))
        (folder / "deep" / "numbers.py").write_text(helper)
        (folder / "notes.txt").write_text(helper)
        made.append(name.partition(".")[0])
        forget(made)
        return __import__(f"{name}.mine", fromlist=["Mine"]).Mine

    yield put
    forget(made)


def forget(tops):
    for name in [one for one in sys.modules if one.partition(".")[0] in tops]:
        del sys.modules[name]


def test_every_component_and_room_is_named(registry):
    found = code_of(SETTINGS, registry)
    assert set(found) == {
        "objective contrastive", "objective language-model", "stem timm", "trunk dual-fusion", "data digits",
        "data coco", *ROOMS,
    }
    assert all(len(one) == 64 for one in found.values()) and len(set(found.values())) == len(found)
    assert list(found) == sorted(found)
    assert code_of(SETTINGS, load_registry()) == found


def test_every_pattern_of_a_room_finds_files():
    for room, patterns in ROOMS.items():
        for pattern in patterns:
            assert list(_HOME.glob(pattern)), f"{room}: {pattern}"


def test_no_folder_of_ours_is_forgotten():
    """A new folder either decides numbers, or is named among those that do not."""
    told = sys.modules["vlpbench.registry.code"].__doc__ or ""
    for folder in _HOME.iterdir():
        if (folder / "__init__.py").is_file() and folder.name not in ("grids", "recipes", "objectives", "backbones"):
            assert f"vlpbench/{folder.name}" in ROOMS or f"`{folder.name}`" in told, folder.name


def test_it_takes_less_than_a_twentieth_of_a_second(registry):
    _rooms.cache_clear()
    start = time.perf_counter()
    code_of(SETTINGS, registry)
    assert time.perf_counter() - start < 0.05


def test_a_built_in_component_is_its_module_and_the_neighbours_it_imports(registry):
    names = {kind: set(_files_of(cls.__module__, "vlpbench")) for kind, cls in {
        "objective": registry.objective("prefix-lm"), "trunk": registry.trunk("decoder-only"),
        "digits": registry.dataset("digits"), "coco": registry.dataset("coco"),
    }.items()}
    assert names["objective"] == {"vlpbench.objectives.prefix_lm"}
    assert {"vlpbench.backbones.decoder_only", "vlpbench.backbones.cache"} <= names["trunk"]
    assert "vlpbench.backbones.dual_encoder" not in names["trunk"]
    assert {"vlpbench.data.worlds.grammar", "vlpbench.data.sources.vqa"} <= names["digits"]
    assert "vlpbench.data.worlds.shapes" not in names["digits"]
    assert not any(".worlds." in name for name in names["coco"])
    assert not any(name.endswith("__init__") for name in _ours())


def test_the_helper_of_a_package_counts_and_a_text_file_does_not(package):
    first = code_of_class(package("some_pack"), "vlpbench-some")
    assert code_of_class(package("some_pack"), "vlpbench-some") == first
    other = package("some_pack", "FACTOR = 2\n")
    assert code_of_class(other, "vlpbench-some") != first
    notes = Path(sys.modules["some_pack"].__file__ or "").parent / "notes.txt"
    before = code_of_class(other, "vlpbench-some")
    notes.write_text("other")
    assert code_of_class(other, "vlpbench-some") == before


def test_a_namespace_package_is_passed_through(package, tmp_path):
    cls = package("some_firm.pack")
    before = code_of_class(cls, "vlpbench-some")
    neighbour = tmp_path / "code" / "some_firm" / "elsewhere.py"
    neighbour.write_text("X = 1\n")
    assert code_of_class(cls, "vlpbench-some") == before


def test_what_an_installed_distribution_lists_is_hashed_whole(install, source, tmp_path):
    install("vlpbench-good", "good_plugin", source("good"))
    site = tmp_path / "site"
    (site / "good_numbers.py").write_text("FACTOR = 1\n")
    (site / "strange.py").write_text("X = 1\n")
    record = site / "vlpbench_good-0.2.dist-info" / "RECORD"
    record.write_text("good_plugin.py,,\ngood_numbers.py,,\nvlpbench_good-0.2.dist-info/METADATA,,\n")
    before = load_registry().origin("objective", "good").sha256
    (site / "strange.py").write_text("X = 2\n")
    assert load_registry().origin("objective", "good").sha256 == before
    (site / "good_numbers.py").write_text("FACTOR = 2\n")
    assert load_registry().origin("objective", "good").sha256 != before


def test_a_single_file_counts_with_the_modules_it_imports_beside_it(tmp_path, source, monkeypatch):
    monkeypatch.syspath_prepend(str(tmp_path))
    text = "from beside_a import (  # both\n    X,\n)\n" + source("mine")
    (tmp_path / "mine.py").write_text(text)
    (tmp_path / "beside_a.py").write_text("import beside_b as b, os\nX = b.Y\n")
    (tmp_path / "beside_b.py").write_text("Y = 1\n")
    (tmp_path / "unused.py").write_text("Z = 1\n")

    def now() -> str:
        forget(["beside_a", "beside_b"])
        registry = load_registry([tmp_path / "mine.py"])
        return registry.origin("objective", "mine").sha256

    first = now()
    (tmp_path / "unused.py").write_text("Z = 2\n")
    assert now() == first
    (tmp_path / "beside_b.py").write_text("Y = 234\n")
    second = now()
    assert second != first
    (tmp_path / "mine.py").write_text(text + "\n# a remark\n")
    assert now() not in (first, second)
    forget(["beside_a", "beside_b"])


def test_a_class_of_ours_that_a_stranger_derives_from_counts(registry):
    base = registry.objective("prefix-lm")
    mine = type("Mine", (base,), {"__module__": "no_such_module", "name": "mine"})
    bare = type("Mine", (object,), {"__module__": "no_such_module"})
    assert code_of_class(mine) == code_of_class(base, "vlpbench") != code_of_class(bare)
    assert len(code_of_class(bare)) == 64


def test_where_the_folder_is_does_not_matter(tmp_path, source):
    found = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "mine.py").write_text(source("mine"))
        found.append(load_registry([tmp_path / name / "mine.py"]).origin("objective", "mine").sha256)
    assert found[0] == found[1]
