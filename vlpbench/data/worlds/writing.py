"""A world is written once, whole or not at all, into a folder that looks like a real set's."""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vlpbench.data.worlds.documents import (
    Picture,
    captions_document,
    karpathy_document,
    questions_documents,
    scenes_document,
)
from vlpbench.data.worlds.drawing import png
from vlpbench.data.worlds.grammar import captions, oracle
from vlpbench.data.worlds.questions import answers_of, ask
from vlpbench.data.worlds.scene import Scene
from vlpbench.data.worlds.words import Lexicon
from vlpbench.errors import UserError
from vlpbench.files import digest_file
from vlpbench.streams import generator

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["IDS_APART", "MANIFEST", "Plan", "complete", "write"]

MANIFEST = "manifest.json"
"""The file that says what the folder holds; the last to be written."""

IDS_APART = 1_000_000
"""The ids of a split start this far after those of the one before, so that splits do not depend on each other."""

_ABANDONED = 86_400.0
"""Seconds after which a half-written folder is taken for one whose writer died."""

Heard = Callable[[int, int], None]


@dataclass(frozen=True)
class Plan:
    """All that decides a world's files."""

    name: str
    """The world: "digits"."""
    fingerprint: str
    """Hash of all that decides the samples; kept in the manifest."""
    seed: int
    """Seed of the texts and of the noise."""
    size: int
    """Pixels a side."""
    questions: int
    """Questions an image, at most."""
    licence: Mapping[str, Any]
    """`id`, `name` and `url` of the licence of the pictures."""
    lexicon: Lexicon
    """The words."""
    scenes: Mapping[str, Sequence[Scene]]
    """The scenes of each split."""
    paint: Callable[[Scene, np.random.Generator], NDArray[np.uint8]]
    """Draws one scene: H, W, 3 uint8 RGB."""


def complete(folder: Path, fingerprint: str) -> bool:
    """Whether `folder` holds the whole world of this fingerprint: every file it names, in its size."""
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        files = {name: known["bytes"] for name, known in manifest["files"].items()}
        images = (manifest["images"]["count"], manifest["images"]["bytes"])
        pictures = [entry.stat().st_size for entry in (folder / "images").iterdir()]
        return (
            manifest["fingerprint"] == fingerprint
            and all((folder / name).stat().st_size == size for name, size in files.items())
            and (len(pictures), sum(pictures)) == images
        )
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return False  # no manifest, or one that was not written here


def write(folder: Path, plan: Plan, heard: Heard | None = None) -> None:
    """Write the world into `folder` unless it is there already; `heard(done, of)` counts images.

    The folder appears under its name when all of it is written. Of two processes that write at once the first to
    finish wins, the other takes what it finds. A damaged folder is replaced. Raises UserError where the disk refuses.
    """
    if complete(folder, plan.fingerprint):
        return
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        _sweep(folder)
        with _beside(folder) as temporary:
            _fill(temporary, plan, heard)
            _install(temporary, folder, plan.fingerprint)
    except OSError as error:
        raise UserError(
            f"the world {plan.name!r} cannot be written: {error.strerror or error}",
            str(error.filename or folder),
            "free some space, or name another cache folder",
        ) from error


def _install(temporary: Path, folder: Path, fingerprint: str) -> None:
    """Give the written folder its name, unless another process was first; a damaged folder makes room."""
    if folder.exists() and not complete(folder, fingerprint):
        with _beside(folder) as aside:
            folder.rename(aside / "damaged")
    try:
        temporary.rename(folder)
    except OSError:
        if not complete(folder, fingerprint):
            raise


@contextlib.contextmanager
def _beside(folder: Path) -> Iterator[Path]:
    """A temporary folder beside `folder`, removed at the end unless it was given another name."""
    temporary = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    temporary.chmod(0o755)
    try:
        yield temporary
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _sweep(folder: Path) -> None:
    """Remove what a killed writer left behind."""
    for left in folder.parent.glob(f".{folder.name}.*"):
        if time.time() - left.stat().st_mtime > _ABANDONED:
            shutil.rmtree(left, ignore_errors=True)


def _fill(folder: Path, plan: Plan, heard: Heard | None) -> None:
    """All files of the world, the manifest last."""
    (folder / "images").mkdir()
    licence, of = dict(plan.licence), sum(len(scenes) for scenes in plan.scenes.values())
    state, size = hashlib.sha256(), 0
    pictures: list[Picture] = []
    for part, split in enumerate(plan.scenes):
        mine = _described(plan, split, part * IDS_APART + 1)
        rng = generator(plan.seed, f"world/{split}/paint")
        for done, picture in enumerate(mine, len(pictures) + 1):
            data = png(plan.paint(picture.scene, rng))
            (folder / "images" / picture.file).write_bytes(data)
            state.update(data)
            size += len(data)
            if heard is not None and (done % 100 == 0 or done == of):
                heard(done, of)
        questions, annotations = questions_documents(plan.name, licence, mine)
        _dump(folder / f"captions_{split}.json", captions_document(plan.name, licence, mine))
        _dump(folder / f"questions_{split}.json", questions)
        _dump(folder / f"annotations_{split}.json", annotations)
        _dump(folder / f"scenes_{split}.json", scenes_document(plan.lexicon, mine))
        pictures += mine
    _dump(folder / f"dataset_{plan.name}.json", karpathy_document(plan.name, pictures))
    files = {
        path.name: {"bytes": path.stat().st_size, "sha256": digest_file(path)} for path in sorted(folder.glob("*.json"))
    }
    images = {"count": len(pictures), "bytes": size, "sha256": state.hexdigest()}
    _dump(folder / MANIFEST, {"world": plan.name, "fingerprint": plan.fingerprint, "images": images, "files": files})


def _described(plan: Plan, split: str, first: int) -> list[Picture]:
    """The pictures of a split with ids from `first` on, and all that is said about them."""
    scenes, lexicon = plan.scenes[split], plan.lexicon
    asked = ask(scenes, lexicon, plan.questions, generator(plan.seed, f"world/{split}/questions"))
    rng = generator(plan.seed, f"world/{split}/texts")
    result = []
    for i, (scene, mine) in enumerate(zip(scenes, asked, strict=True)):
        said = captions(scene, lexicon, rng)
        answers = tuple(tuple(answers_of(question, lexicon, rng)) for question in mine)
        name = f"{split}_{i + 1:06d}.png"
        result.append(
            Picture(first + i, name, split, plan.size, scene, oracle(scene, lexicon), said, tuple(mine), answers)
        )
    return result


def _dump(path: Path, document: Mapping[str, Any]) -> None:
    """Compact JSON with sorted keys. The whole folder takes its name at once, so the file need not."""
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    path.write_text(text + "\n", encoding="utf-8")
