"""Asking abilities: all of them, for what the contract says, with what they need."""

from __future__ import annotations

import torch

from vlpbench.contract.abilities import ABILITIES
from vlpbench.testing.asking import ASKING, asked_with, decoded
from vlpbench.testing.backbone_subject import BackboneSubject


def test_every_ability_can_be_asked():
    assert ASKING.keys() == ABILITIES.keys()
    subject = BackboneSubject()
    for ability, ask in ASKING.items():
        model = subject.build(frozenset(asked_with(ability)))
        found = ask(model, *subject.asked(model))
        assert len(found) == (2 if ability == "fused_tokens" else 1)
        assert all(len(x) == 3 and x.is_floating_point() for x in found)


def test_words_are_decoded_behind_a_context():
    subject = BackboneSubject()
    model, words = subject.wanting("context", "decode"), subject.said()
    context = model.context(subject.asked(model)[0])
    one, two = decoded(model, context, words), decoded(model, context, torch.stack([words, words], 1))
    assert one.shape == (*words.shape, model.spec.width)
    assert torch.allclose(two[:, 0], one, atol=1e-5) and torch.allclose(two[:, 1], one, atol=1e-5)
