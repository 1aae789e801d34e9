"""The schema of grid files: what the reader takes it takes, and it knows a misspelt key."""

from __future__ import annotations

import dataclasses
import tomllib
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from vlpbench.config.gridfile import parse_file
from vlpbench.config.keys import NAMED, SECTIONS, TOP
from vlpbench.config.problems import GridError
from vlpbench.config.reader import _HEADER, read_grid
from vlpbench.config.schema import grid_schema
from vlpbench.registry import load_registry

REGISTRY = load_registry()
KNOWN = REGISTRY.known()
SCHEMA = grid_schema(KNOWN)
CHECK = jsonschema.Draft202012Validator(SCHEMA)

GOOD = [
    'schema = 1\nname = "x"\nseeds = [0, 1]\ntasks = ["vqa", "captioning@zero-shot"]\n[budget]\nsamples = 10',
    '[axes]\n"optim.lr" = [1e-3, 1]\nstem = ["conv2", "timm:resnet18"]\ntasks = [["vqa"], ["retrieval"]]',
    "[axes.optim]\nlr = [1, 2]\n[axes.data.digits]\nshare = [0.1, 1.0]",
    '[[rows]]\nname = "a"\nobjective = "contrastive + 2*prefix-lm"\npublished = {vqa = {accuracy = 67.43}}',
    '[[rows]]\nname = "a"\n"optim.lr" = 0.5\n"objective.prefix-lm.shortest" = 1\npublished = {"vqa.accuracy" = 1}',
    'beside = ["flops", "image_tokens"]',
    '[[exclude]]\nrow = "a"\nseed = 1\ntrunk = "dual"',
    '[data]\nroot = "sets"\n[data.web]\nkind = "coco"\nlimit = 5\n[data.web.text_noise]\nswapped = 0.2',
    '[base]\ndata = "2*web + digits"\n[data.web]\nkind = "coco"\n[data.digits]\ntrain = 50\nshare = 0.5',
    '[tune]\ntask = "vqa"\n[tune.tries]\n"optim.lr" = [1e-3, 3e-3]\n"objective.prefix-lm.shortest" = [0, 1]',
    '[base]\nbackbone = "timm:resnet18/dual/tiny"\n[protocol."captioning@zero-shot"]\nbeams = 3',
]
"""What a grid file may say."""

BAD = [
    "[optim]\nlrr = 1",
    '[base]\n"optim.lrr" = 1',
    "[budget]\nsamples = 0",
    "[optim]\nlr = 0.0",
    '[optim]\nlr = "fast"',
    "[image]\nflip = 1",
    '[base]\nsplit = "tset"',
    '[base]\nobjective = "prefixlm"',
    '[base]\nobjective = "contrastive + -2*prefix-lm"',
    '[base]\nbackbone = "conv3/encoder-decoder/nanoo"',
    '[axes]\nstem = ["conv9"]',
    "[axes]\noptim.lr = 1",
    '[axes]\n"data.digits.shar" = [1]',
    "[data.digits]\ntrian = 1",
    '[data.web]\nkind = "coco"\ntrain = 50',
    '[data.web]\nkind = "coc"',
    "[data.digits.text_noise]\nswaped = 0.1",
    "[objective.prefix-lm]\nshortestt = 1",
    "[objective.prefixlm]\nshortest = 1",
    '[trunk.dual]\ntext_norm = "past"',
    "[protocol.vqaa]\nsamples = 1",
    '[[rows]]\nname = "a"\npublished = {vqq = {accuracy = 1}}',
    '[tune.tries]\n"optim.lrr" = [1]',
    '[tune.tries]\ntasks = [["vqa"]]',
    "[tune.tries.protocol.vqa]\nsamples = [1]",
    "[tune.tries.budget]\ntexts = [1]",
    "[[exclude]]",
    '[[exclude]]\nrecipe = "x"',
    '[[exclude]]\nrow = 3',
    '[[exclude]]\nseed = "1"',
    '[[rows]]\npublished = 3',
    '[base]\nstem = "timm:"',
    'beside = ["flosp"]',
    '[tune]\ntask = "vqaa"',
    "[axes]\ntune.samples = [1]",
    '[base]\ndata = "a b"',
    '[base]\ntexts = ""',
    '[axes]\ndata = ["digits", "a - b"]',
    "seeds = [0, 0]",
    'tasks = ["vqa", "vqa"]',
    'objective = "prefix-lm"',
    "schema = 2",
    "[bugdet]\nsamples = 1",
]
"""What it may not."""


def wrong(text: str) -> list[str]:
    return [one.message for one in CHECK.iter_errors(tomllib.loads(text))]


def test_it_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert len(str(SCHEMA)) < 500_000


@pytest.mark.parametrize("name", REGISTRY.names("grid"))
def test_built_in_grids_are_right(name: str) -> None:
    tables, text = parse_file(REGISTRY.grid(name))
    assert tables and wrong(text) == []


@pytest.mark.parametrize("text", GOOD)
def test_right_files(text: str, tmp_path: Path) -> None:
    assert wrong(text) == []
    (tmp_path / "g.toml").write_text(text)
    assert read_grid(tmp_path / "g.toml", known=KNOWN).path.name == "g.toml", "the reader takes it too"


@pytest.mark.parametrize("text", BAD)
def test_mistakes_are_known_here_and_to_the_reader(text: str, tmp_path: Path) -> None:
    assert wrong(text)
    (tmp_path / "g.toml").write_text(text)
    with pytest.raises(GridError):
        read_grid(tmp_path / "g.toml", known=KNOWN)


def test_every_key_of_the_reader_has_a_place() -> None:
    at_top = {*_HEADER, *SECTIONS, *NAMED, "base", "axes", "rows", "exclude", "tasks"}
    assert set(SCHEMA["properties"]) == at_top
    assert set(SCHEMA["$defs"]["settings"]["properties"]) == {*TOP, *SECTIONS, *NAMED}


def resolved(schema: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in schema:
        schema = SCHEMA["$defs"][schema["$ref"].rpartition("/")[2]]
    return schema


def test_fields_say_type_default_range_and_meaning() -> None:
    rate = resolved(resolved(SCHEMA["properties"]["optim"])["properties"]["lr"])
    assert rate == {"type": "number", "exclusiveMinimum": 0, "default": 2e-3, "description": "Highest learning rate."}
    flip = resolved(resolved(SCHEMA["properties"]["image"])["properties"]["flip"])
    assert (flip["type"], flip["default"]) == ("boolean", False) and "mirrors" in flip["description"]


def test_every_setting_of_the_package_is_explained() -> None:
    silent = []
    for name in (*SECTIONS, "protocol", "objective", "trunk", "data"):
        tables = resolved(SCHEMA["properties"][name])
        for key, one in tables["properties"].items():
            inner = resolved(one)
            fields = inner.get("properties", {}) if name not in SECTIONS else {key: one}
            silent += [f"{name}.{key}.{field}" for field, what in fields.items() if not _is_told(resolved(what))]
    assert silent == []


def _is_told(schema: dict[str, Any]) -> bool:
    ways = [resolved(one) for one in schema.get("anyOf", [])]
    return "description" in schema or "const" in schema or any("description" in one for one in ways)


def test_a_plugins_own_settings_are_in_it(known: Any) -> None:
    @dataclasses.dataclass(frozen=True)
    class Mine:
        depth: int = 3

    more = dataclasses.replace(KNOWN, objectives={**KNOWN.objectives, "mine": Mine})
    check = jsonschema.Draft202012Validator(grid_schema(more))
    said = {"base": {"objective": "mine"}, "objective": {"mine": {"depth": 4}}}
    assert not list(check.iter_errors(said))
    assert list(CHECK.iter_errors(said)), "without the plugin there is no such objective"
    assert list(check.iter_errors({"objective": {"mine": {"depht": 4}}}))
    assert grid_schema(known)["properties"], "names of no known registry will do as well"
