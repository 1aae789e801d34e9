"""Names and config classes that stand for those of plugins in the tests of settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import pytest

from vlpbench.config.known import Known


@dataclass(frozen=True)
class PrefixConfig:
    shortest: int = 1

    def __post_init__(self) -> None:
        if self.shortest < 0:
            raise ValueError("shortest is below 0")


@dataclass(frozen=True)
class NoConfig:
    pass


@dataclass(frozen=True)
class DualConfig:
    decoder: Literal["none", "own"] = "none"
    layers: int = 2


@dataclass(frozen=True)
class WorldConfig:
    noise: float = 0.0


@dataclass(frozen=True)
class FileConfig:
    file: str
    folder: str = ""
    captions: Mapping[str, str] = field(default_factory=dict)


RECIPES = Path(__file__).parent / "recipes"

KNOWN = Known(
    objectives={"prefix-lm": PrefixConfig, "contrastive": NoConfig, "none": NoConfig},
    kinds={"digits": WorldConfig, "coco": FileConfig},
    recipes={path.stem: path for path in sorted(RECIPES.glob("*.toml"))},
    stems=["conv2", "conv3", "timm"],
    trunks={"encoder-decoder": NoConfig, "dual": DualConfig},
    broken={("objective", "simvlm"): ("objective 'simvlm' is not there: no module named 'x'", "pip install x")},
)


@pytest.fixture
def known() -> Known:
    return KNOWN
