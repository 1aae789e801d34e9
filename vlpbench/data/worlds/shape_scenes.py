"""What scenes of the world `shapes` look like and how they are talked about: its knobs, words and plan."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass

from vlpbench.data.worlds.knobs import check_knobs, refused
from vlpbench.data.worlds.outlines import SHAPES, outline
from vlpbench.data.worlds.planning import planned
from vlpbench.data.worlds.scene import Layout
from vlpbench.data.worlds.sized_things import LINKS, PHRASES, SHAPE_SYNONYMS, SIDES, SIZES
from vlpbench.data.worlds.words import COLOURS, PAINTS, RELATION, Form, Lexicon, places
from vlpbench.data.worlds.writing import Plan
from vlpbench.files import digest

__all__ = ["ShapesConfig", "fingerprint", "lexicon", "plan"]

_FORMS = (
    Form("find", "what shape is {}", "what shape", 0.05, ("colour",), "kind", {"": "the {0} shape is a {answer}"}),
    Form("find", "what shape is at the {}", "what shape", 0.05, ("place",), "kind",
         {"": "the shape at the {0} is a {answer}"}),
    Form("find", "what shape is {} and {}", "what shape", 0.05, ("size", "colour"), "kind",
         {"": "the {0} {1} shape is a {answer}"}),
    Form("find", "what colour is the {}", "what colour", 0.05, ("kind",), "colour", {"": "the {0} is {answer}"}),
    Form("find", "what colour is at the {}", "what colour", 0.05, ("place",), "colour",
         {"": "the shape at the {0} is {answer}"}),
    Form("find", "what colour is the {} {}", "what colour", 0.05, ("size", "kind"), "colour",
         {"": "the {0} {1} is {answer}"}),
    Form("find", "what size is the {}", "what size", 0.04, ("kind",), "size", {"": "the {0} is {answer}"}),
    Form("find", "where is the {}", "where is", 0.05, ("kind",), "place", {"": "the {0} is at the {answer}"}),
    Form("find", "what colour is the shape {} the {}", "what colour", 0.11, (RELATION, "kind"), "colour",
         {"": "the shape {0} the {1} is {answer}"}),
    Form("find", "what shape is {} the shape in {}", "what shape", 0.11, (RELATION, "colour"), "kind",
         {"": "the shape {0} the shape in {1} is a {answer}"}),
    Form("find", "what size is the shape {} the {}", "what size", 0.05, (RELATION, "kind"), "size",
         {"": "the shape {0} the {1} is {answer}"}),
    Form("exists", "is any shape {}", "is any", 0.03, ("colour",),
         told={"yes": "there is a {0} shape", "no": "no shape is {0}"}),
    Form("exists", "is there a {}", "is there", 0.03, ("kind",),
         told={"yes": "there is a {0}", "no": "there is no {0}"}),
    Form("exists", "is there a {} {}", "is there", 0.04, ("size", "kind"),
         told={"yes": "there is a {0} {1}", "no": "there is no {0} {1}"}),
    Form("holds", "is the {} {} the {}", "is the", 0.11, ("kind", RELATION, "kind"),
         told={"yes": "the {0} is {1} the {2}", "no": "the {0} is not {1} the {2}"}),
    Form("total", "how many shapes are there", "how many", 0.03,
         told={"1": "there is {answer} shape", "": "there are {answer} shapes"}),
    Form("count", "how many shapes are {}", "how many", 0.03, ("colour",),
         told={"0": "no shape is {0}", "1": "{answer} shape is {0}", "": "{answer} shapes are {0}"}),
    Form("count", "how many shapes are {}", "how many", 0.03, ("size",),
         told={"0": "no shape is {0}", "1": "{answer} shape is {0}", "": "{answer} shapes are {0}"}),
    Form("count", "how many shapes are {} the {}", "how many", 0.04, (RELATION, "kind"),
         told={"0": "no shape is {0} the {1}", "1": "{answer} shape is {0} the {1}",
               "": "{answer} shapes are {0} the {1}"}),
)

_LICENCE = {"id": 1, "name": "CC0 1.0", "url": "https://creativecommons.org/publicdomain/zero/1.0/"}

_RANGES: Mapping[str, tuple[int, int]] = {
    "size": (32, 128), "shapes_min": (2, 9), "shapes_max": (2, 9), "kinds": (1, len(SHAPES)),
    "colours": (1, len(PAINTS)), "sizes": (1, len(SIZES)), "grid": (2, 3), "noise": (0, 128),
    "train": (1, 1_000_000), "val": (1, 1_000_000), "test": (1, 1_000_000), "questions": (1, 12),
    "seed": (0, 2**31 - 1),
}
"""The least and largest value of each knob."""

_WORLD = "world of shapes"


@dataclass(frozen=True)
class ShapesConfig:
    """The knobs of the world `shapes`; the defaults are harder than those of `digits`."""

    size: int = 48
    """Pixels a side of a picture, 32 to 128."""
    shapes_min: int = 2
    """Least number of shapes in a picture, at least 2: one alone has no relations."""
    shapes_max: int = 4
    """Largest number of shapes in a picture, at most grid * grid; in training all numbers occur equally often."""
    kinds: int = 8
    """How many kinds occur, 1 to 9: circle, square, triangle, cross, ring, diamond, bar, moon, star."""
    colours: int = 6
    """How many colours occur, 1 to 8: red, green, blue, yellow, white, purple, orange, cyan."""
    sizes: int = 2
    """How many sizes occur, 1 or 2: large (85 to 100 % of a cell's side), small (55 to 65 %)."""
    grid: int = 3
    """Cells a side, 2 or 3; a shape stands in one cell."""
    noise: int = 48
    """Brightest value of the noisy background, 0 to 128 of 255."""
    train: int = 6_000
    """Training scenes, drawn freely."""
    val: int = 500
    """Validation scenes: no two described alike while that is possible."""
    test: int = 500
    """Test scenes: no two described alike while that is possible."""
    questions: int = 4
    """Questions an image, 1 to 12; a few images have one less, so that yes and no stay balanced."""
    synonyms: float = 0.1
    """Share of the words that captions say by a synonym ("disc", "big", "upper left"), 0 to 0.5; more is harder."""
    seed: int = 0
    """Seed of the world: equal settings and seed give the same files."""

    def __post_init__(self) -> None:
        """Raise UserError naming the first knob that is out of its range."""
        check_knobs(self, _RANGES, _WORLD)
        if self.shapes_max > self.grid**2:
            raise refused("shapes_max", self.shapes_max, f"at most {self.grid**2}, the cells of the grid", _WORLD)
        if self.shapes_min > self.shapes_max:
            raise refused("shapes_min", self.shapes_min, f"at most shapes_max, which is {self.shapes_max}", _WORLD)


def fingerprint(config: ShapesConfig, name: str, version: int) -> str:
    """SHA-256 (hex) of all that decides the world; nothing has to be written to know it."""
    return digest({"name": name, "version": version, "config": dataclasses.asdict(config)})


def lexicon(config: ShapesConfig) -> Lexicon:
    """The words of a world with these knobs."""
    words = {
        "kind": tuple((shape, *SHAPE_SYNONYMS.get(shape, ())) for shape in SHAPES[: config.kinds]),
        "colour": COLOURS[: config.colours],
        "size": SIZES[: config.sizes],
        "place": places(config.grid),
    }
    most, fewest = config.shapes_max, config.shapes_min
    return Lexicon("shape", words, PHRASES, _FORMS, most, fewest, config.synonyms, LINKS)


def plan(config: ShapesConfig, name: str, version: int) -> Plan:
    """Scenes, words and brush of the world: all that `writing.write` needs."""
    choices = {"kind": config.kinds, "colour": config.colours, "size": config.sizes}
    layout = Layout(config.size, config.grid, config.shapes_min, config.shapes_max, choices, SIDES)
    return planned(
        name, fingerprint(config, name, version), config, _LICENCE, lexicon(config),
        layout=lambda split: layout,
        mask=lambda thing: outline(SHAPES[thing.attributes["kind"]], thing.box[2]),
    )
