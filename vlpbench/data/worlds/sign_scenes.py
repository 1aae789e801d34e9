"""What scenes of the world `signs` look like and how they are talked about: its knobs, words and plan."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vlpbench.data.worlds.drawing import enlarged
from vlpbench.data.worlds.handwriting import BRIGHTEST, LICENCE, handwriting, pools
from vlpbench.data.worlds.knobs import check_knobs, check_share, refused
from vlpbench.data.worlds.outlines import SHAPES, outline
from vlpbench.data.worlds.planning import planned
from vlpbench.data.worlds.scene import Layout, Thing
from vlpbench.data.worlds.sign_words import BRIEF, FORMS, sortings
from vlpbench.data.worlds.sized_things import LINKS, PHRASES, SHAPE_SYNONYMS, SIDES, SIZES
from vlpbench.data.worlds.words import COLOURS, PAINTS, Lexicon, counts, places
from vlpbench.data.worlds.writing import Plan
from vlpbench.files import digest

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["SignsConfig", "fingerprint", "lexicon", "plan"]

_RANGES: Mapping[str, tuple[int, int]] = {
    "size": (32, 128), "signs_min": (2, 9), "signs_max": (2, 9), "shapes": (1, len(SHAPES)), "digits": (1, 10),
    "colours": (1, len(PAINTS)), "sizes": (1, len(SIZES)), "grid": (2, 3), "noise": (0, 128),
    "train": (1, 1_000_000), "val": (1, 1_000_000), "test": (1, 1_000_000), "questions": (0, 12),
    "seed": (0, 2**31 - 1),
}
"""The least and largest value of each knob."""

_WORLD = "world of signs"


@dataclass(frozen=True)
class SignsConfig:
    """The knobs of the world `signs`; the defaults are harder than those of `shapes`."""

    size: int = 48
    """Pixels a side of a picture, 32 to 128."""
    signs_min: int = 2
    """Least number of signs in a picture, at least 2: one alone has no relations."""
    signs_max: int = 3
    """Largest number of signs in a picture, at most grid * grid; in training all numbers occur equally often."""
    shapes: int = 6
    """How many shapes occur, 1 to 9: circle, square, triangle, cross, ring, diamond, bar, moon, star."""
    digits: int = 6
    """How many of the ten handwritten digits occur, 1 to 10, from 0 up."""
    colours: int = 6
    """How many colours occur, 1 to 8: red, green, blue, yellow, white, purple, orange, cyan."""
    sizes: int = 2
    """How many sizes occur, 1 or 2: large (85 to 100 % of a cell's side), small (55 to 65 %)."""
    grid: int = 3
    """Cells a side, 2 or 3; a sign stands in one cell."""
    noise: int = 48
    """Brightest value of the noisy background, 0 to 128 of 255."""
    train: int = 6_000
    """Training scenes, drawn freely."""
    val: int = 500
    """Validation scenes: no two described alike while that is possible, of handwriting that no training scene has."""
    test: int = 500
    """Test scenes: no two described alike while that is possible, of handwriting that no other split has."""
    questions: int = 4
    """Questions an image, 0 to 12; a few images have one less, so that yes and no stay balanced."""
    synonyms: float = 0.1
    """Share of the words that captions say by a synonym ("disc", "big", "seven"), 0 to 0.5; more is harder."""
    exact: float = 1.0
    """Share of the captions that tell everything, 0 to 1; the others name some signs in a few words, as alt-text."""
    seed: int = 0
    """Seed of the world: equal settings and seed give the same files."""

    def __post_init__(self) -> None:
        """Raise UserError naming the first knob that is out of its range."""
        check_knobs(self, _RANGES, _WORLD)
        if self.signs_max > self.grid**2:
            raise refused("signs_max", self.signs_max, f"at most {self.grid**2}, the cells of the grid", _WORLD)
        if self.signs_min > self.signs_max:
            raise refused("signs_min", self.signs_min, f"at most signs_max, which is {self.signs_max}", _WORLD)
        check_share(self, "exact", 1, _WORLD)


def fingerprint(config: SignsConfig, name: str, version: int) -> str:
    """SHA-256 (hex) of all that decides the world; nothing has to be written to know it."""
    settings = dataclasses.asdict(config)
    return digest({"name": name, "version": version, "config": settings, "pixels": handwriting().fingerprint})


def lexicon(config: SignsConfig) -> Lexicon:
    """The words of a world with these knobs; first shapes, then digits, whose first words are numerals."""
    shapes = SHAPES[: config.shapes]
    sorts, words_of_sorts = sortings(shapes, config.digits, config.colours)
    words = {
        "kind": (*((shape, *SHAPE_SYNONYMS.get(shape, ())) for shape in shapes), *map(counts, range(config.digits))),
        "colour": COLOURS[: config.colours],
        "size": SIZES[: config.sizes],
        "place": places(config.grid),
        **words_of_sorts,
    }
    return Lexicon(
        "sign", words, PHRASES, FORMS, most=config.signs_max, fewest=config.signs_min, synonyms=config.synonyms,
        links=LINKS, sortings=sorts, brief=BRIEF, exact=config.exact,
    )


def plan(config: SignsConfig, name: str, version: int) -> Plan:
    """Scenes, words and brush of the world: all that `writing.write` needs."""
    said, digits = lexicon(config), handwriting()
    samples = pools(digits.labels, config.seed)
    choices = {"kind": config.shapes + config.digits, "colour": config.colours, "size": config.sizes}
    outlines = [(0,)] * config.shapes  # a shape has one outline, a digit as many as people wrote

    def layout(split: str) -> Layout:
        variants = (*outlines, *samples[split][: config.digits])
        return Layout(
            config.size, config.grid, config.signs_min, config.signs_max, choices, SIDES, variants, said.sortings
        )

    def mask(thing: Thing) -> NDArray[np.int64]:
        kind, side = thing.attributes["kind"], thing.box[2]
        if kind < config.shapes:
            return outline(SHAPES[kind], side)
        return enlarged(digits.pictures[thing.variant], side, BRIGHTEST)

    return planned(name, fingerprint(config, name, version), config, LICENCE, said, layout, mask)
