from __future__ import annotations

import pytest

from vlpbench.config.merge import merge, settings_of
from vlpbench.config.problems import GridError
from vlpbench.config.recipes import expanded, read_recipe


def test_a_recipe_is_read_whole(known):
    recipe = read_recipe(known.recipes["small"], known)
    assert (recipe.description, recipe.paper) == ("A small system.", "arXiv 0000.00000")
    assert recipe.settings == {
        "backbone": "conv2/dual/tiny", "objective": "contrastive", "optim.lr": 0.5, "optim.warmup": 0.1,
        "trunk.dual.decoder": "own",
    }
    assert read_recipe(known.recipes["small"]).settings == recipe.settings


def test_a_recipe_stands_under_its_own_layer_and_over_earlier_ones(known):
    base = {"optim.lr": 0.1, "optim.clip": 3.0, "backbone": "conv3/encoder-decoder/nano"}
    row = {"recipe": "small", "optim.lr": 0.2, "size": "base"}
    layers = [layer for one in (base, row) for layer in expanded(one, known)]
    settings = settings_of(merge(layers), 0, known)
    assert (settings.optim.lr, settings.optim.warmup, settings.optim.clip) == (0.2, 0.1, 3.0)
    assert settings.backbone == "conv2/dual/base"
    assert settings.wiring == {"decoder": "own", "layers": 2}
    assert settings.objective == "contrastive"


def test_a_layer_without_a_recipe_stays_as_it_is(known):
    assert expanded({"optim.lr": 1.0}, known) == ({"optim.lr": 1.0},)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("settngs = 3", "unknown key 'settngs'"), ("paper = 3", "must be a text"), ("settings = 3", "must be a table"),
        ("[settings]\nrecipe = 'small'", "no business of a recipe"), ("[settings]\ntexts = 'a'", "no business"),
        ("[settings.data.a]\nkind = 'coco'", "no business"),
        ("[settings]\nobjective = 'prefixlm'", "unknown objective"),
        ("[settings", "is not TOML"),
    ],
)
def test_mistakes_in_a_recipe_are_said(tmp_path, known, text, said):
    path = tmp_path / "mine.toml"
    path.write_text(text)
    with pytest.raises(GridError, match=said) as caught:
        read_recipe(path, known)
    assert "mine.toml" in caught.value.place
