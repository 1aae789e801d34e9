"""A recorded backbone tells its outermost calls, can be answered for, and is itself again afterwards."""

from __future__ import annotations

import torch

from vlpbench.backbones import EncoderDecoder
from vlpbench.testing import tiny_backbone, tiny_batches
from vlpbench.testing.recording import recorded


def asked(backbone):
    batch = tiny_batches(2)["pairs"]
    image = backbone.see(torch.from_numpy(batch.images))
    text = backbone.read(torch.from_numpy(batch.tokens), torch.from_numpy(batch.mask))
    return image, text


def test_only_outermost_calls_are_noted():
    backbone = tiny_backbone({"image_vector", "context", "decode"}, EncoderDecoder)
    with recorded(backbone) as calls:
        image, text = asked(backbone)
        backbone.image_vector(image)  # which asks for image_tokens itself
        backbone.decode(backbone.context(image, prefix=text), text)
    assert [call.name for call in calls] == ["see", "read", "image_vector", "context", "decode"]
    assert calls[3].given == (image, text)
    assert calls[3].outputs[0] is calls[3].result.memory
    assert "image_vector" not in vars(backbone)


def test_answers_stand_in_for_results():
    backbone = tiny_backbone({"context", "decode"}, EncoderDecoder)
    image, text = asked(backbone)
    with recorded(backbone) as calls, torch.no_grad():
        before = backbone.decode(backbone.context(image), text)
    other = backbone.see(image.images + 1.0)
    with torch.no_grad(), recorded(backbone, {"context": [calls[0].result]}):
        after = backbone.decode(backbone.context(other), text)
    assert torch.equal(before, after)


def test_a_teachers_calls_are_not_the_students():
    backbone, average = (tiny_backbone({"image_vector"}, EncoderDecoder, seed=seed) for seed in (0, 1))
    with recorded(backbone) as mine, recorded(average) as theirs:
        average.image_vector(average.see(torch.zeros(1, 3, 16, 16)))
    assert [call.name for call in theirs] == ["see", "image_vector"] and not mine
