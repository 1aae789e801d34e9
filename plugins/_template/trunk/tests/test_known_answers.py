"""Known answers of this very trunk: what it gives where anybody can tell. With another one, write them anew."""

from __future__ import annotations

import torch
from vlpbench_example import ExampleTrunk

from vlpbench.testing import BackboneSubject


@torch.no_grad()
def test_with_layers_that_add_nothing_a_text_is_its_words_and_places():
    subject = BackboneSubject(ExampleTrunk)
    backbone = subject.build(frozenset({"text_tokens"}))
    for block in backbone.blocks:
        for weight in block.parameters():
            weight.zero_()  # a layer adds to what comes in; with weights of zero it adds nothing
    tokens, mask = subject.words()
    words = backbone.word_vectors(tokens) + backbone.word_positions(tokens.shape[1])
    assert torch.allclose(backbone.text_tokens(backbone.read(tokens, mask)), backbone.norm(words), atol=1e-6)
