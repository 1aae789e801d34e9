"""Captions that name every thing in full, in a random order and wording, and the one plain oracle caption."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from vlpbench.data.worlds.scene import Scene, Thing
from vlpbench.data.worlds.words import Lexicon, articled

if TYPE_CHECKING:
    import numpy as np

__all__ = ["captions", "oracle"]


def _phrase(template: str, thing: Thing, lexicon: Lexicon, picks: Sequence[float] | None = None) -> str:
    """One thing in words. `picks`, a number in 0 to 1 for each attribute, chooses a synonym where it is small."""
    chosen = {}
    for i, (name, value) in enumerate(sorted(thing.attributes.items())):
        first, *others = lexicon.words[name][value]
        if picks is not None and others and picks[i] < lexicon.synonyms:
            chosen[name] = others[int(picks[i] / lexicon.synonyms * len(others))]
        else:
            chosen[name] = first
    return template.format(noun=lexicon.noun, **chosen)


def _joined(phrases: Sequence[str]) -> str:
    """A sentence without capital and full stop: "x", "x and y", "x, y and z"."""
    head, last = phrases[:-1], phrases[-1]
    return articled(f"{', '.join(head)} and {last}" if head else last)


def oracle(scene: Scene, lexicon: Lexicon) -> str:
    """The plain caption: first wording, first words, things in reading order."""
    things = sorted(scene.things, key=lambda thing: thing.attributes["place"])
    return _joined([_phrase(lexicon.phrases[0], thing, lexicon) for thing in things])


def captions(scene: Scene, lexicon: Lexicon, rng: np.random.Generator, number: int = 5) -> tuple[str, ...]:
    """`number` captions in different wordings, each true of this scene and of no other description.

    A caption keeps one wording for all its things. Raises ValueError where the lexicon has fewer wordings.
    """
    if number > len(lexicon.phrases):
        raise ValueError(f"{number} different captions need as many wordings; there are {len(lexicon.phrases)}")
    said = []
    for which in rng.permutation(len(lexicon.phrases))[:number]:
        things = [scene.things[i] for i in rng.permutation(len(scene.things))]
        picks = rng.random((len(things), len(lexicon.words))).tolist()
        template = lexicon.phrases[which]
        said.append(_joined([_phrase(template, thing, lexicon, p) for thing, p in zip(things, picks, strict=True)]))
    return tuple(said)
