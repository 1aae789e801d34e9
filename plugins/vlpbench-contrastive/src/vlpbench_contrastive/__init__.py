"""What this plugin brings: contrastive objectives, the systems made of them as recipes, and a grid of all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from vlpbench.plugin import Objective, hookimpl
from vlpbench_contrastive.align import ALIGN
from vlpbench_contrastive.alip import ALIP
from vlpbench_contrastive.declip import DeCLIP
from vlpbench_contrastive.filip import FILIP
from vlpbench_contrastive.otter import OTTER
from vlpbench_contrastive.siglip import SigLIP
from vlpbench_contrastive.unicl import UniCL
from vlpbench_contrastive.zerovl import ZeroVL

_HERE = Path(__file__).parent

OBJECTIVES: Sequence[type[Objective]] = (
    SigLIP,
    ALIGN,
    UniCL,
    ZeroVL,
    ALIP,
    FILIP,
    OTTER,
    DeCLIP,
)
"""Every objective of this package."""


@hookimpl
def vlpbench_objectives() -> Sequence[type[Objective]]:
    """What pictures and texts are taught by."""
    return OBJECTIVES


@hookimpl
def vlpbench_recipes() -> Mapping[str, Path]:
    """Each system as settings, named by its file."""
    return _named("recipes")


@hookimpl
def vlpbench_grids() -> Mapping[str, Path]:
    """All of them beside each other."""
    return _named("grids")


def _named(folder: str) -> Mapping[str, Path]:
    """The TOML files of a folder by name."""
    return {path.stem: path for path in sorted((_HERE / folder).glob("*.toml"))}
