"""How a question is worded and read before an answer is decoded."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest
import torch

from vlpbench.backbones import DecoderOnly, DualFusion, EncoderDecoder
from vlpbench.backbones.dual_fusion import DualFusionConfig
from vlpbench.config.settings import Protocol
from vlpbench.data.splits import Split
from vlpbench.tasks.prompting import asked_context, prompted, text_of, visible_of
from vlpbench.tasks.trial import Trial

Made = Callable[..., Trial]
NEEDS = {"context", "decode"}


@pytest.mark.parametrize(
    ("prompt", "worded"),
    [
        ("", "is it {red}?"),
        ("question: {question} answer:", "question: is it {red}? answer:"),
        ("tell me:", "tell me: is it {red}?"),
        ("{question} {question}", "is it {red}? is it {red}?"),
        ("a {brace {question}", "a {brace is it {red}?"),
    ],
)
def test_wording(prompt: str, worded: str) -> None:
    assert prompted(prompt, ["is it {red}?", ""])[0] == worded
    assert prompted(prompt, []) == []


def test_texts_are_as_long_as_texts_may_be(trial: Made) -> None:
    made = trial("vqa@ranking")
    text = text_of(["is any digit red", ""], made)
    assert text.tokens.shape == text.mask.shape == (2, made.settings.text.length)
    assert text.mask.sum(1).tolist() == made.tokenizer.lengths(["is any digit red", ""]).tolist()


@pytest.mark.parametrize(
    ("trunk", "config", "visible", "found"),
    [
        (EncoderDecoder, None, "all", "all"),
        (EncoderDecoder, None, "causal", "causal"),
        (DecoderOnly, None, "causal", "causal"),
        (DecoderOnly, None, "causal-text", "causal-text"),
        (DualFusion, DualFusionConfig(decoder="own"), "all", "all"),
        (DualFusion, DualFusionConfig(decoder="own"), "causal", "all"),
        (DualFusion, DualFusionConfig(decoder="own", two_way=False), "causal", "causal"),
        (DualFusion, DualFusionConfig(decoder="split"), "causal", "causal"),
    ],
)
def test_a_question_is_read_as_in_pretraining_or_whole(
    trial: Made, trunk: Any, config: Any, visible: Any, found: str
) -> None:
    made = trial("vqa@ranking", trunk)
    made = dataclasses.replace(made, visible=visible, blueprint=dataclasses.replace(made.blueprint, config=config))
    backbone = made.blueprint.build(NEEDS)
    assert visible_of(backbone, made) == found
    assert backbone.training, "it is left as it was"


def test_the_context_is_of_the_picture_and_the_words_of_the_question(trial: Made, opened: Callable[..., Split]) -> None:
    """Against the trunk's own context of one question in fewer columns; the end of a sentence is no word."""
    made = trial("vqa@ranking", protocol=Protocol(prompt="{question} red"))
    backbone = made.build(frozenset(NEEDS)).eval()
    pictures = made.pictures(opened("test"), [0, 1])
    with torch.no_grad():
        found = asked_context(backbone, pictures, ["is any digit red", "how many"], "all", made)
        tokens, mask = made.tokenizer.encode(["how many red"], 12)
        words = torch.from_numpy(mask & (tokens != made.tokenizer.vocabulary.eos))
        alone = backbone.context(backbone.see(pictures[1:]), backbone.read(torch.from_numpy(tokens), words), "all")
    assert found.mask is not None and alone.mask is not None
    assert torch.allclose(found.memory[1][found.mask[1]], alone.memory[0][alone.mask[0]], atol=1e-5)
