"""What scenes of the world `digits` look like and how they are talked about: its knobs, words and plan."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass

from vlpbench.data.worlds.drawing import enlarged
from vlpbench.data.worlds.handwriting import BRIGHTEST, LICENCE, handwriting, pools
from vlpbench.data.worlds.knobs import check_knobs, refused
from vlpbench.data.worlds.planning import planned
from vlpbench.data.worlds.scene import Layout
from vlpbench.data.worlds.words import COLOURS, PAINTS, Form, Lexicon, counts, places
from vlpbench.data.worlds.writing import Plan
from vlpbench.files import digest

__all__ = ["DigitsConfig", "fingerprint", "lexicon", "plan"]

_PHRASES = (
    "a {colour} {kind} at the {place}",
    "a {kind} in {colour} at the {place}",
    "at the {place} a {colour} {kind}",
    "at the {place} a {kind} in {colour}",
    "the {colour} {noun} at the {place} is a {kind}",
    "the {kind} at the {place} is {colour}",
)

_FORMS = (
    Form("find", "which digit is {}", "which digit", 0.12, ("colour",), "kind", {"": "the {0} digit is a {answer}"}),
    Form("find", "which digit is at the {}", "which digit", 0.12, ("place",), "kind",
         {"": "the digit at the {0} is a {answer}"}),
    Form("find", "what colour is the {}", "what colour", 0.12, ("kind",), "colour", {"": "the {0} is {answer}"}),
    Form("find", "what colour is at the {}", "what colour", 0.12, ("place",), "colour",
         {"": "the digit at the {0} is {answer}"}),
    Form("find", "where is {}", "where is", 0.12, ("colour",), "place", {"": "the {0} digit is at the {answer}"}),
    Form("find", "where is the {}", "where is", 0.12, ("kind",), "place", {"": "the {0} is at the {answer}"}),
    Form("exists", "is any digit {}", "is any", 0.05, ("colour",),
         told={"yes": "there is a {0} digit", "no": "no digit is {0}"}),
    Form("exists", "is there a {}", "is there", 0.05, ("kind",),
         told={"yes": "there is a {0}", "no": "there is no {0}"}),
    Form("exists", "is any digit at the {}", "is any", 0.05, ("place",),
         told={"yes": "there is a digit at the {0}", "no": "no digit is at the {0}"}),
    Form("total", "how many digits are there", "how many", 0.05,
         told={"1": "there is {answer} digit", "": "there are {answer} digits"}),
    Form("count", "how many digits are {}", "how many", 0.04, ("colour",),
         told={"0": "no digit is {0}", "1": "{answer} digit is {0}", "": "{answer} digits are {0}"}),
    Form("count", "how many times is there a {}", "how many", 0.04, ("kind",),
         told={"0": "there is no {0}", "1": "there is a {0} once", "": "there is a {0} {answer} times"}),
)

_RANGES: Mapping[str, tuple[int, int]] = {
    "size": (32, 128), "digits_min": (1, 9), "digits_max": (1, 9), "classes": (1, 10), "colours": (1, len(PAINTS)),
    "grid": (2, 3), "noise": (0, 128), "train": (1, 1_000_000), "val": (1, 1_000_000), "test": (1, 1_000_000),
    "questions": (1, 12), "seed": (0, 2**31 - 1),
}
"""The least and largest value of each knob."""

_WORLD = "world of digits"


@dataclass(frozen=True)
class DigitsConfig:
    """The knobs of the world `digits`; the defaults are small enough to be learnt in a minute on one core."""

    size: int = 32
    """Pixels a side of a picture, 32 to 128."""
    digits_min: int = 1
    """Least number of digits in a picture."""
    digits_max: int = 2
    """Largest number of digits in a picture, at most grid * grid; in training all numbers occur equally often."""
    classes: int = 5
    """How many of the ten digits occur, from 0 up."""
    colours: int = 5
    """How many colours occur, 1 to 8: red, green, blue, yellow, white, purple, orange, cyan."""
    grid: int = 2
    """Cells a side, 2 or 3; a digit stands in one cell and fills 80 to 100 % of its side."""
    noise: int = 48
    """Brightest value of the noisy background, 0 to 128 of 255."""
    train: int = 6_000
    """Training scenes, drawn freely."""
    val: int = 500
    """Validation scenes: no two described alike while that is possible, of handwriting that no training scene has."""
    test: int = 500
    """Test scenes: no two described alike while that is possible, of handwriting that no other split has."""
    questions: int = 4
    """Questions an image, 1 to 12; a few images have one less, so that yes and no stay balanced."""
    synonyms: float = 0.1
    """Share of digits and places that captions say by a synonym ("three", "upper left"), 0 to 0.5; more is harder."""
    seed: int = 0
    """Seed of the world: equal settings and seed give the same files."""

    def __post_init__(self) -> None:
        """Raise UserError naming the first knob that is out of its range."""
        check_knobs(self, _RANGES, _WORLD)
        if self.digits_max > self.grid**2:
            raise refused("digits_max", self.digits_max, f"at most {self.grid**2}, the cells of the grid", _WORLD)
        if self.digits_min > self.digits_max:
            raise refused("digits_min", self.digits_min, f"at most digits_max, which is {self.digits_max}", _WORLD)


def fingerprint(config: DigitsConfig, name: str, version: int) -> str:
    """SHA-256 (hex) of all that decides the world; nothing has to be written to know it."""
    settings = dataclasses.asdict(config)
    return digest({"name": name, "version": version, "config": settings, "pixels": handwriting().fingerprint})


def lexicon(config: DigitsConfig) -> Lexicon:
    """The words of a world with these knobs; a digit's first word is its numeral, which is what VQA metrics expect."""
    words = {
        "kind": tuple(counts(number) for number in range(config.classes)),
        "colour": COLOURS[: config.colours],
        "place": places(config.grid),
    }
    return Lexicon("digit", words, _PHRASES, _FORMS, config.digits_max, config.digits_min, config.synonyms)


def plan(config: DigitsConfig, name: str, version: int) -> Plan:
    """Scenes, words and brush of the world: all that `writing.write` needs."""
    digits = handwriting()
    samples = pools(digits.labels, config.seed)
    choices = {"kind": config.classes, "colour": config.colours}
    return planned(
        name, fingerprint(config, name, version), config, LICENCE, lexicon(config),
        layout=lambda split: Layout(
            config.size, config.grid, config.digits_min, config.digits_max, choices, variants=samples[split]
        ),
        mask=lambda thing: enlarged(digits.pictures[thing.variant], thing.box[2], BRIGHTEST),
    )
