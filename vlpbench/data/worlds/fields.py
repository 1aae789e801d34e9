"""What a world knows about a scene beside its texts, as the fields of a sample (listed in the class `World`)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from vlpbench.data.worlds.grammar import rewrites
from vlpbench.data.worlds.scene import Scene, Thing, stands
from vlpbench.data.worlds.words import RELATIONS, Lexicon
from vlpbench.streams import generator
from vlpbench.types import Sample

__all__ = ["SceneFields", "relations_of", "scene_fields"]

_NOWHERE = (0.0, 0.0, 0.0, 0.0)


class SceneFields(Mapping[str, Any]):
    """The fields of a sample, made when one of them is first asked for: most objectives want none."""

    NAMES = ("oracle", "rewrites", "label", "labels", "boxes", "relations", "box_array", "box_mask", "label_array")

    def __init__(self, make: Callable[[], Mapping[str, Any]]) -> None:
        self._make = make
        self._made: Mapping[str, Any] | None = None

    def __getitem__(self, name: str) -> Any:
        if name not in self.NAMES:
            raise KeyError(name)
        if self._made is None:
            self._made = self._make()
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.NAMES)

    def __len__(self) -> int:
        return len(self.NAMES)

    def __contains__(self, name: object) -> bool:  # without making them
        return name in self.NAMES

    def __repr__(self) -> str:
        return repr(dict(self))


def scene_fields(sample: Sample, known: Mapping[str, Any], lexicon: Lexicon, size: int, seed: int) -> dict[str, Any]:
    """The fields of a sample from its entry in the scenes file; `size` is the picture's, in pixels a side."""
    things = known["things"]
    labels = [{key: word for key, word in thing.items() if isinstance(word, str)} for thing in things]
    scene = _scene(labels, [thing["box"] for thing in things], lexicon)
    rng = generator(seed, "world/rewrites", sample.id)
    left = lexicon.most - len(things)
    numbers = [tuple(value for _, value in sorted(thing.attributes.items())) for thing in scene.things]
    return {
        "oracle": known["oracle"],
        "rewrites": rewrites(scene, lexicon, rng, sample.captions),
        "label": labels[_first(scene)]["kind"],
        "labels": labels,
        "boxes": [thing["box"] for thing in things],
        "relations": relations_of(scene, lexicon.grid),
        "box_array": (*(tuple(side / size for side in thing.box) for thing in scene.things), *[_NOWHERE] * left),
        "box_mask": (True,) * len(things) + (False,) * left,
        "label_array": (*numbers, *[(-1,) * len(lexicon.words)] * left),
    }


def relations_of(scene: Scene, grid: int) -> list[tuple[int, str, int]]:
    """Everything that the things of a scene are to each other."""
    return [
        (i, word, j)
        for i, one in enumerate(scene.things)
        for j, other in enumerate(scene.things)
        for n, word in enumerate(RELATIONS)
        if stands(one.attributes, n, other.attributes, grid)
    ]


def _first(scene: Scene) -> int:
    """The thing that is read first; no two stand in one place."""
    return min(range(len(scene.things)), key=lambda number: scene.things[number].attributes["place"])


def _scene(labels: list[dict[str, str]], boxes: list[list[int]], lexicon: Lexicon) -> Scene:
    """A scene from the words of its things."""
    values = {name: {one[0]: value for value, one in enumerate(words)} for name, words in lexicon.words.items()}
    return Scene(tuple(
        Thing({name: values[name][word] for name, word in label.items()}, (box[0], box[1], box[2], box[3]))
        for label, box in zip(labels, boxes, strict=True)
    ))
