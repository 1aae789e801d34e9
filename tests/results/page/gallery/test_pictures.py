"""Pictures: where they are found, what stands in their place, and how small they are made."""

from __future__ import annotations

import base64
import io
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from vlpbench.contract.dataset import Dataset
from vlpbench.data.sources.vqa import Vqa, VqaConfig
from vlpbench.registry import Component, Origin, Registry, load_registry
from vlpbench.results.page.pictures import LARGE, SMALL, Album, PictureSet, open_pictures
from vlpbench.types import Sample

WORLD = {"kind": "digits", "train": 2, "val": 1, "test": 2}


@pytest.fixture(scope="module")
def registry() -> Registry:
    return load_registry()


@pytest.fixture
def source(mini: Any) -> dict[str, Any]:
    """The settings of the six pictures' set."""
    files = {key: {"test": f"{key}.json"} for key in ("questions", "annotations", "captions")}
    return {"kind": "vqa", "folder": "mini", "images": "images", **files}


def fingerprint(folder: Path) -> str:
    files = {key: {"test": f"{key}.json"} for key in ("questions", "annotations", "captions")}
    return Vqa(VqaConfig("mini", "images", **files), folder.parent, folder.parent / "stamps").fingerprint()


def decoded(entry: dict[str, Any]) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(entry["src"].partition(",")[2])))


def test_small_pictures_stay_as_they_are_and_large_ones_are_made_small(
    source: dict[str, Any], registry: Registry
) -> None:
    pictures, album = open_pictures(source, "test", None, registry), Album(1 << 20)
    entries = [album.entries[album.number(pictures, str(one), LARGE)] for one in (1, 2, 3, 4)]
    assert [(one["width"], one["height"]) for one in entries] == [(32, 32), (160, 107), (64, 64), (65, 10)]
    kinds = [one["src"].partition(";")[0].rpartition("/")[2] for one in entries]
    assert kinds == ["png", "jpeg", "png", "jpeg"]
    assert decoded(entries[0]).getpixel((5, 5)) == (40, 215, 90)
    assert decoded(entries[1]).size == (160, 107)


def test_a_picture_is_kept_once_and_a_large_one_serves_where_a_small_would_do(
    source: dict[str, Any], registry: Registry
) -> None:
    pictures, album = open_pictures(source, "test", None, registry), Album(1 << 20)
    numbers = [album.number(pictures, "2", side) for side in (LARGE, SMALL, LARGE)]
    assert numbers == [0, 0, 0] and len(album.entries) == 1


def test_pictures_beyond_the_room_are_left_out(source: dict[str, Any], registry: Registry) -> None:
    pictures, album = open_pictures(source, "test", None, registry), Album(300)
    numbers = [album.number(pictures, str(one), LARGE) for one in (1, 2, 3, 6)]
    whys = [album.entries[number].get("why", "") for number in numbers]
    assert whys[0] == "" and "to keep this page small" in whys[1]
    assert sum(len(one.get("src", "")) for one in album.entries) <= 300


def test_broken_missing_and_outside_pictures_are_sentences(
    mini: Any, source: dict[str, Any], registry: Registry, tmp_path: Path
) -> None:
    Image.new("RGB", (8, 8), "red").save(tmp_path / "data" / "secret.png")
    (mini.folder / "images" / "5.png").write_bytes(b"\x89PNG and no more")
    mini.images[6] = "../../secret.png"
    mini.write()
    pictures = open_pictures(source, "test", None, registry)
    assert "not a picture" in str(pictures.read("5"))
    assert "does not have it" in str(pictures.read("6")) and "does not have it" in str(pictures.read("77"))
    (mini.folder / "images" / "1.png").unlink()
    assert "cannot be read" in str(pictures.read("1"))
    lying = PictureSet(mini.folder / "images", {"6": Sample(6, "../../secret.png")})
    assert "leads out of the folder" in str(lying.read("6"))


def test_a_set_that_is_not_here_or_changed_says_so(
    mini: Any, source: dict[str, Any], registry: Registry, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    was = fingerprint(mini.folder)
    assert not open_pictures(source, "test", was, registry).reason
    Image.new("RGB", (9, 9)).save(mini.folder / "images" / "1.png")
    assert "has changed since the run" in open_pictures(source, "test", was, registry).reason
    monkeypatch.setenv("VLPBENCH_DATA", str(tmp_path / "nowhere"))
    reason = open_pictures(source, "test", was, registry).reason
    assert "VLPBENCH_DATA" in reason and str(tmp_path) not in reason, "a page is handed on: no path of this machine"


def test_a_large_set_is_not_hashed_and_its_texts_are_compared(
    mini: Any, source: dict[str, Any], registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vlpbench.results.page.pictures._CHEAP_FILES", 3)
    pictures = open_pictures(source, "test", "another", registry)
    assert "was not checked" in pictures.note and not pictures.reason
    assert not pictures.contradicts([("1", "caption 0 of picture 1"), ("1", "what is in picture 1"), ("99", "gone")])
    assert pictures.contradicts([("1", "caption 0 of picture 2")])
    assert pictures.caption("2/1") == "caption 1 of picture 2"
    assert pictures.caption("2/7") == pictures.caption("x") == ""


def test_a_world_is_never_drawn_for_a_page(mini: Any, registry: Registry, tmp_path: Path) -> None:
    reason = open_pictures(WORLD, "test", None, registry).reason
    assert "'digits' is not drawn" in reason and not (tmp_path / "cache" / "worlds").exists()
    cls = registry.dataset("digits")
    settings = {key: value for key, value in WORLD.items() if key != "kind"}
    world = cls(cls.config_class(**settings), tmp_path / "data", tmp_path / "cache")
    world.prepare()
    pictures = open_pictures(WORLD, "test", world.fingerprint(), registry)
    assert not pictures.reason and len(pictures.samples) == 2
    assert all(not isinstance(pictures.read(key), str) for key in pictures.samples)
    assert "has changed" in open_pictures(WORLD, "test", "of another version", registry).reason


def test_kinds_nobody_knows_and_sets_that_raise_are_sentences(source: dict[str, Any], registry: Registry) -> None:
    assert "unknown data set 'klingon'" in open_pictures({"kind": "klingon"}, "test", None, registry).reason
    assert "unknown key 'wrong'" in open_pictures({"kind": "vqa", "wrong": 1}, "test", None, registry).reason

    class Rude(Vqa):
        name = "rude"

        def read(self, split: str) -> Any:
            raise RuntimeError("not today")

    rude: type[Dataset] = Rude
    known = Registry({("data set", "rude"): Component("data set", "rude", rude, Origin("x", "", ""))})
    reason = open_pictures({**source, "kind": "rude"}, "test", None, known).reason
    assert "RuntimeError: not today" in reason
