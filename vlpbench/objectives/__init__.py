"""The built-in objectives, one idea a file; they register through the same hook as a stranger's."""

from __future__ import annotations

from vlpbench.objectives.contrastive import Contrastive
from vlpbench.objectives.image_text_matching import ImageTextMatching
from vlpbench.objectives.language_model import LanguageModel
from vlpbench.objectives.masked_lm import MaskedLM
from vlpbench.objectives.none import Nothing
from vlpbench.objectives.prefix_lm import PrefixLM
from vlpbench.objectives.span_corruption import SpanCorruption
from vlpbench.plugin import Objective, hookimpl

__all__ = ["vlpbench_objectives"]


@hookimpl
def vlpbench_objectives() -> list[type[Objective]]:
    """What can be pretrained."""
    return [Contrastive, ImageTextMatching, LanguageModel, MaskedLM, Nothing, PrefixLM, SpanCorruption]
