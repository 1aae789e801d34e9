from __future__ import annotations

from dataclasses import replace

import pytest

from vlpbench.config.merge import merge, settings_of
from vlpbench.config.recipes import expanded, read_recipe
from vlpbench.registry import load_registry


@pytest.fixture(scope="module")
def known():
    return load_registry().known()


def test_every_recipe_can_be_read_and_says_its_paper(known):
    assert {"simvlm-small", "simvlm-base", "simvlm-large", "simvlm-huge"} <= known.recipes.keys()
    for path in known.recipes.values():
        recipe = read_recipe(path, known)
        assert recipe.description
        assert recipe.paper.startswith("arXiv ")


def test_simvlm_as_the_reading_card_has_it(known):
    made = {
        size: settings_of(merge(expanded({"recipe": f"simvlm-{size}"}, known)), 0, known)
        for size in ("small", "base", "large", "huge")
    }
    base = made["base"]
    assert (base.backbone, base.objective) == ("conv3/encoder-decoder/base", "prefix-lm")
    assert (base.image.size, base.text.length, base.text.vocabulary) == (224, 256, 32_000)
    assert (base.budget.batch, base.budget.texts) == (4096, 512)
    assert base.budget.samples // base.budget.batch == 1_000_000
    optim = base.optim
    assert (optim.lr, optim.warmup, optim.beta1, optim.beta2, optim.weight_decay) == (5e-4, 0.02, 0.9, 0.999, 0.01)
    assert base.protocol["vqa"].answers == 3129
    for size in ("large", "huge"):
        assert made[size] == replace(base, backbone=f"conv3/encoder-decoder/{size}")
    assert made["small"].budget.samples // made["small"].budget.batch == 200_000


def test_zero_shot_captioning_is_prompted(known):
    layer = {"recipe": "simvlm-base", "tasks": ["captioning@zero-shot"]}
    found = settings_of(merge(expanded(layer, known)), 0, known).protocol["captioning@zero-shot"]
    assert found.prompt == "a picture of"
