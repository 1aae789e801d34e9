"""A world is written once, whole or not at all, into a folder that looks like a real set's."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
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
from vlpbench.data.worlds.made import Heard
from vlpbench.data.worlds.questions import answers_of, ask
from vlpbench.data.worlds.scene import Scene
from vlpbench.data.worlds.whole_folder import MANIFEST, dump, manifest_of, write_folder
from vlpbench.data.worlds.words import Lexicon
from vlpbench.streams import generator

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["IDS_APART", "Plan", "write"]

IDS_APART = 1_000_000
"""The ids of a split start this far after those of the one before, so that splits do not depend on each other."""


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


def write(folder: Path, plan: Plan, heard: Heard | None = None) -> None:
    """Write the world into `folder` unless it is there already; `heard(done, of)` counts images.

    Whole or not at all; raises UserError where the disk refuses.
    """
    write_folder(folder, plan.fingerprint, lambda beside: _fill(beside, plan, heard), f"the world {plan.name!r}")


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
        dump(folder / f"captions_{split}.json", captions_document(plan.name, licence, mine))
        dump(folder / f"questions_{split}.json", questions)
        dump(folder / f"annotations_{split}.json", annotations)
        dump(folder / f"scenes_{split}.json", scenes_document(plan.lexicon, mine))
        pictures += mine
    dump(folder / f"dataset_{plan.name}.json", karpathy_document(plan.name, pictures))
    files = manifest_of(folder, "*.json")
    images = {"count": len(pictures), "bytes": size, "sha256": state.hexdigest()}
    dump(folder / MANIFEST, {"world": plan.name, "fingerprint": plan.fingerprint, "images": images, "files": files})


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
