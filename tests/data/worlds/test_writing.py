"""Writing a world: whole or not at all, the same bytes each time, safe against damage, rivals and a full disk."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from vlpbench.data.worlds import whole_folder
from vlpbench.data.worlds.digit_scenes import DigitsConfig, plan
from vlpbench.data.worlds.scene import Scene
from vlpbench.data.worlds.whole_folder import MANIFEST, complete
from vlpbench.data.worlds.writing import Plan, write
from vlpbench.errors import UserError

CONFIG = DigitsConfig(train=60, val=20, test=20)
ROOT = Path(__file__).parents[3]


def made() -> Plan:
    return plan(CONFIG, "digits", 1)


def content(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*")) if path.is_file()
    }


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("worlds") / "w"
    write(folder, made())
    return folder


def test_the_folder_looks_like_a_real_set(world: Path) -> None:
    splits = ("train", "val", "test")
    forms = ("captions", "questions", "annotations", "scenes")
    names = {f"{form}_{split}.json" for form in forms for split in splits}
    assert {path.name for path in world.iterdir()} == names | {"images", "dataset_digits.json", MANIFEST}
    pictures = sorted(path.name for path in (world / "images").iterdir())
    assert len(pictures) == 100
    documents = [json.loads((world / f"captions_{split}.json").read_text()) for split in splits]
    assert sorted(row["file_name"] for document in documents for row in document["images"]) == pictures
    assert list(world.parent.iterdir()) == [world], "nothing temporary is left"


def test_the_manifest_is_true(world: Path) -> None:
    manifest = json.loads((world / MANIFEST).read_text())
    assert manifest["fingerprint"] == made().fingerprint
    digests = content(world)
    for name, known in manifest["files"].items():
        assert known == {"bytes": (world / name).stat().st_size, "sha256": digests[name]}
    state = hashlib.sha256()
    for split in ("train", "val", "test"):
        for path in sorted((world / "images").glob(f"{split}_*.png")):
            state.update(path.read_bytes())
    assert manifest["images"]["sha256"] == state.hexdigest()


def test_the_same_bytes_in_another_process(world: Path, tmp_path: Path) -> None:
    code = (
        "from pathlib import Path\n"
        "from vlpbench.data.worlds.digit_scenes import DigitsConfig, plan\n"
        "from vlpbench.data.worlds.writing import write\n"
        "write(Path('w'), plan(DigitsConfig(train=60, val=20, test=20), 'digits', 1))\n"
    )
    env = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": "7"}
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=env, check=True, timeout=60)
    assert content(tmp_path / "w") == content(world)


def test_rivals_end_with_one_whole_world(world: Path, tmp_path: Path) -> None:
    code = (
        "import sys, time\n"
        "from pathlib import Path\n"
        "from vlpbench.data.worlds.digit_scenes import DigitsConfig, plan\n"
        "from vlpbench.data.worlds.writing import write\n"
        "made = plan(DigitsConfig(train=60, val=20, test=20), 'digits', 1)\n"
        "print('ready', flush=True)\n"
        "sys.stdin.readline()\n"
        "write(Path('w'), made)\n"
    )
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    rivals = [
        subprocess.Popen([sys.executable, "-c", code], cwd=tmp_path, env=env, text=True,
                         stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        for _ in range(3)
    ]
    for rival in rivals:
        assert rival.stdout is not None
        assert rival.stdout.readline() == "ready\n"
    for rival in rivals:
        assert rival.stdin is not None
        rival.stdin.write("go\n")
        rival.stdin.flush()
    for rival in rivals:
        rival.communicate(timeout=60)
        assert rival.returncode == 0
    assert content(tmp_path / "w") == content(world)
    assert [path.name for path in tmp_path.iterdir()] == ["w"]


def test_losing_to_a_rival_takes_what_it_wrote(tmp_path: Path) -> None:
    """The rival finishes while the last picture is being painted."""
    mine, folder = made(), tmp_path / "w"
    painted = 0

    def paint(scene: Scene, rng: np.random.Generator) -> np.ndarray:
        nonlocal painted
        painted += 1
        if painted == 100:
            write(folder, made())
        return mine.paint(scene, rng)

    write(folder, dataclasses.replace(mine, paint=paint))
    assert complete(folder, mine.fingerprint)
    assert [path.name for path in tmp_path.iterdir()] == ["w"]


def test_a_whole_world_is_not_written_again(world: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in world.rglob("*")}
    heard: list[tuple[int, int]] = []
    write(world, made(), lambda done, of: heard.append((done, of)))
    assert {path: path.stat().st_mtime_ns for path in world.rglob("*")} == before
    assert heard == []


@pytest.mark.parametrize("damage", ["no manifest", "not json", "json", "picture", "short picture", "a list", "other"])
def test_a_damaged_world_is_replaced(world: Path, tmp_path: Path, damage: str) -> None:
    folder = tmp_path / "w"
    write(folder, made())
    picture = folder / "images" / "test_000003.png"
    if damage == "no manifest":
        (folder / MANIFEST).unlink()
    elif damage in ("not json", "a list"):
        (folder / MANIFEST).write_text("{" if damage == "not json" else "[]")
    elif damage == "json":
        (folder / "captions_val.json").write_text("{}")
    elif damage == "picture":
        picture.unlink()
    elif damage == "short picture":
        picture.write_bytes(b"")
    else:
        manifest = json.loads((folder / MANIFEST).read_text())
        (folder / MANIFEST).write_text(json.dumps({**manifest, "fingerprint": "other"}))
    assert not complete(folder, made().fingerprint)
    write(folder, made())
    assert content(folder) == content(world)
    assert [path.name for path in tmp_path.iterdir()] == ["w"]


def test_an_interrupted_writer_leaves_nothing(tmp_path: Path) -> None:
    mine = made()

    def paint(scene: Scene, rng: np.random.Generator) -> np.ndarray:
        if rng.random() < 0.1:
            raise KeyboardInterrupt
        return mine.paint(scene, rng)

    with pytest.raises(KeyboardInterrupt):
        write(tmp_path / "w", dataclasses.replace(mine, paint=paint))
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_writer_left_is_swept_after_a_day(tmp_path: Path) -> None:
    old, new = tmp_path / ".w.old", tmp_path / ".w.new"
    for folder in (old, new):
        (folder / "images").mkdir(parents=True)
    long_ago = time.time() - 2 * whole_folder._ABANDONED
    os.utime(old, (long_ago, long_ago))
    write(tmp_path / "w", made())
    assert sorted(path.name for path in tmp_path.iterdir()) == [".w.new", "w"]


def test_progress_counts_all_pictures(tmp_path: Path) -> None:
    heard: list[tuple[int, int]] = []
    write(tmp_path / "w", plan(DigitsConfig(train=250, val=20, test=20), "digits", 1), lambda *x: heard.append(x))
    assert heard == [(100, 290), (200, 290), (290, 290)]


def test_a_place_that_cannot_be_written_is_a_user_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot be written") as caught:
        write(tmp_path / "file" / "worlds" / "w", made())
    assert "cache folder" in caught.value.remedy
    assert "file" in caught.value.place
