"""Captions: in full or as brief as alt-text, in a random order and wording, and the one plain oracle caption."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING

from vlpbench.data.worlds.scene import Scene, Thing, stands
from vlpbench.data.worlds.words import RELATIONS, Lexicon, Link, articled

if TYPE_CHECKING:
    import numpy as np

__all__ = ["captions", "oracle", "rewrites", "spoken"]

_EAGER = 0.5
"""Share of synonyms in rewrites, in worlds that have any."""

_TRIES = 12
"""How often two wordings are drawn in search of rewrites that are not among the captions."""


def spoken(words: Sequence[str], pick: float, synonyms: float) -> str:
    """The first of `words`, or another one where `pick`, a number in 0 to 1, is smaller than the share of synonyms."""
    first, *others = words
    return others[int(pick / synonyms * len(others))] if others and pick < synonyms else first


def _phrase(template: str, thing: Thing, lexicon: Lexicon, picks: Sequence[float] | None = None) -> str:
    """One thing in words. `picks`, a number in 0 to 1 for each attribute, chooses a synonym where it is small."""
    chosen = {}
    for i, (name, value) in enumerate(sorted(thing.attributes.items())):
        words = lexicon.words[name][value]
        chosen[name] = words[0] if picks is None else spoken(words, picks[i], lexicon.synonyms)
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
    """`number` captions, each true of this scene and, unless brief, of no other description.

    A share of `lexicon.exact` tells everything, each in a wording of its own; the others are brief, and two of them may
    be the same. A caption keeps one wording for all its things. Raises ValueError where the lexicon has fewer wordings.
    """
    wordings: list[str | Link] = [*lexicon.phrases, *lexicon.links]
    if number > len(wordings):
        raise ValueError(f"{number} different captions need as many wordings; there are {len(wordings)}")
    said = []
    # Where nothing is brief, nothing is drawn for it: worlds that were written before keep their bytes.
    short = rng.random(number) >= lexicon.exact if lexicon.exact < 1 else [False] * number
    for which, is_short in zip(rng.permutation(len(wordings))[:number], short, strict=True):
        if is_short:
            said.append(_brief(scene, lexicon, rng))
            continue
        things = [scene.things[i] for i in rng.permutation(len(scene.things))]
        picks = rng.random((len(things), len(lexicon.words))).tolist()
        wording = wordings[which]
        template = wording.phrase if isinstance(wording, Link) else wording
        phrases = [_phrase(template, thing, lexicon, p) for thing, p in zip(things, picks, strict=True)]
        clauses = _clauses(wording, things, phrases, lexicon.grid, rng) if isinstance(wording, Link) else phrases
        said.append(_joined(clauses))
    return tuple(said)


def _brief(scene: Scene, lexicon: Lexicon, rng: np.random.Generator) -> str:
    """Some of the things, each in a few words, as alt-text names what somebody cared for."""
    order = rng.permutation(len(scene.things))[: int(rng.integers(1, len(scene.things) + 1))]
    template = lexicon.brief[int(rng.integers(0, len(lexicon.brief)))]
    picks = rng.random((len(order), len(lexicon.words))).tolist()
    return _joined([_phrase(template, scene.things[i], lexicon, p) for i, p in zip(order, picks, strict=True)])


def _clauses(
    link: Link, things: Sequence[Thing], phrases: Sequence[str], grid: int, rng: np.random.Generator
) -> list[str]:
    """Things in pairs, each with one true relation; where their number is odd, the last clause has three."""
    if len(things) == 1:
        return list(phrases)
    starts = range(0, len(things) - 1, 2)
    ends = [*starts[1:], len(things)]
    clauses = []
    for start, end in zip(starts, ends, strict=True):
        others = []
        for i in range(start + 1, end):
            one, other = things[start].attributes, things[i].attributes
            true = [word for n, word in enumerate(RELATIONS) if stands(one, n, other, grid)]
            others.append(f"{true[int(rng.integers(0, len(true)))]} {phrases[i]}")
        clauses.append(link.clause.format(subject=phrases[start], others=" and ".join(others)))
    return clauses


def rewrites(
    scene: Scene, lexicon: Lexicon, rng: np.random.Generator, said: Sequence[str], number: int = 2
) -> tuple[str, ...]:
    """`number` different true captions, with more synonyms than usual and none of `said` as far as words allow."""
    eager = dataclasses.replace(lexicon, synonyms=_EAGER if lexicon.synonyms else 0.0)
    found: list[str] = []
    for _ in range(_TRIES):
        new = [text for text in captions(scene, eager, rng, 2) if text not in said and text not in found]
        found += new[: number - len(found)]
        if len(found) == number:
            break
    return (*found, *said[: number - len(found)])
