"""ZeroVL: who is mixed with whom, and that one mixed target says what the two weighed losses say."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy, normalize
from vlpbench_contrastive.zerovl import Config, ZeroVL, mixed, mixed_columns

from vlpbench.testing import check_objective, parametrize_objective_checks, tiny_batches
from vlpbench.testing.rounds import crossed

N, E = 6, 5
PARTNER = (1, 0, 3, 2, 5, 4)
IMAGES, TEXTS = Config(pixels=1.0), Config(pixels=0.0)


def make(**changes):
    return ZeroVL(Config(**changes), None)


@parametrize_objective_checks([ZeroVL])
def test_it_keeps_the_contract(objective, check):
    check(objective)


def test_other_settings_keep_the_contract_too():
    only = ["finite-loss", "no-dead-head", "micro-batches", "two-processes", "not-pad-sensitive", "batch-of-one"]
    findings = check_objective(ZeroVL, Config(pixels=0.0, alpha=2.0, learnt=True, equals="negatives"), only=only)
    assert [one.state for one in findings] == ["passed"] * len(only), findings


def drawn(config, seed=0):
    return ZeroVL.corrupt(tiny_batches(N)["pairs"], np.random.default_rng(seed), config)


@pytest.fixture
def features():
    rng = torch.Generator().manual_seed(0)
    return {name: normalize(torch.randn(N, E, generator=rng), dim=-1) for name in ("image", "text")}


def batch_of(image_share, text_share, **ids):
    plain = crossed(tiny_batches(N)["pairs"])
    shares = {"image_share": torch.full((N,), image_share), "text_share": torch.full((N,), text_share)}
    return replace(plain, extras=shares, **{name: torch.tensor(given) for name, given in ids.items()})


def test_a_batch_has_one_share_and_one_side():
    sides = []
    for seed in range(200):
        made = drawn(Config(), seed)
        assert all(len(set(array.tolist())) == 1 and array.shape == (N,) for array in made.values())
        sides.append((float(made["image_share"][0]), float(made["text_share"][0])))
    assert all(1.0 in side for side in sides)
    assert 70 < sum(image == 1.0 and text < 1.0 for image, text in sides) < 130
    shares = np.array([min(side) for side in sides])
    assert (shares < 0.05).mean() > 0.25  # Beta(0.1, 0.1) is nearly a coin itself
    assert drawn(IMAGES)["text_share"].tolist() == drawn(TEXTS)["image_share"].tolist() == [1.0] * N


def test_rows_are_mixed_with_their_neighbours():
    rows = torch.arange(1.0, 6.0)[:, None].expand(5, 2)
    share = torch.tensor([0.75, 0.75, 0.0, 0.0, 0.25])
    assert mixed(rows, share)[:, 0].tolist() == [1.25, 1.75, 4.0, 3.0, 5.0]  # the odd last one is with itself
    assert mixed_columns(rows.T, share)[0].tolist() == [1.25, 1.75, 4.0, 3.0, 5.0]


@pytest.mark.parametrize("sides", [(0.3, 1.0), (1.0, 0.3), (1.0, 1.0), (0.0, 1.0)])
def test_the_mixed_target_says_what_two_weighed_losses_say(features, sides):
    objective = make(equals="negatives")
    losses = objective.loss(features, batch_of(*sides)).losses
    share, scale = min(sides), 1 / 0.02
    logits = scale * features["image"] @ features["text"].T

    def both_ways(right):
        right = torch.tensor(right)
        forth, back = cross_entropy(logits, right, reduction="none"), cross_entropy(logits.T, right, reduction="none")
        return (forth + back) / 2

    expected = share * both_ways(range(N)) + (1 - share) * both_ways(PARTNER)
    assert torch.allclose(losses, expected, rtol=1e-4)


@pytest.mark.parametrize("sides", [(0.3, 1.0), (1.0, 0.3)])
def test_what_is_mixed_belongs_to_all_that_either_of_it_belongs_to(features, sides):
    """0 and 3 are one picture: text 3 is a text of picture 0, too, which is in the mixed pictures 0 and 1."""
    objective = make(temperature=0.5)
    losses = objective.loss(features, batch_of(*sides, image_ids=[7, 1, 2, 7, 4, 5])).losses
    right = [[float(i == j or {i, j} == {0, 3}) for j in range(N)] for i in range(N)]
    right = [[one / sum(row) for one in row] for row in right]
    logits = [[2 * float(u @ v) for v in features["text"]] for u in features["image"]]
    targets = [[0.0] * N for _ in range(N)]
    turned = [[0.0] * N for _ in range(N)]
    for i in range(N):
        for j in range(N):
            rows = 0.3 * right[i][j] + 0.7 * right[PARTNER[i]][j]
            columns = 0.3 * right[i][j] + 0.7 * right[i][PARTNER[j]]
            targets[i][j], turned[i][j] = (rows, columns) if sides[0] < 1 else (columns, rows)
    for i in range(N):
        forth = torch.tensor(logits[i]).log_softmax(0)
        back = torch.tensor([logits[j][i] for j in range(N)]).log_softmax(0)
        expected = -(torch.tensor(targets[i]) @ forth + torch.tensor(turned[i]) @ back) / 2
        assert float(losses[i]) == pytest.approx(float(expected), rel=1e-5)


class Looked:
    """Stands for a backbone: what it is shown is what it answers."""

    def see(self, images):
        return images

    def image_vector(self, image):
        return image.flatten(1)

    def text_vector(self, text):
        return text


@pytest.mark.parametrize("sides", [(0.3, 1.0), (1.0, 0.3)])
def test_pixels_or_unit_vectors_of_texts_are_mixed(features, sides):
    batch = batch_of(*sides)
    pictures = batch.images
    found = ZeroVL(Config(), None).encode(Looked(), replace(batch, text=features["text"], image=Seen(pictures)))
    other = list(PARTNER)
    seen = sides[0] * pictures + (1 - sides[0]) * pictures[other]
    read = sides[1] * features["text"] + (1 - sides[1]) * features["text"][other]
    assert torch.allclose(found["image"], seen.flatten(1))
    assert torch.allclose(found["text"], read / read.norm(dim=1, keepdim=True))


class Seen:
    """Stands for the state of a batch of pictures."""

    def __init__(self, images):
        self.images = images


def test_a_learnt_temperature_is_kept_within_its_bounds():
    objective = make(learnt=True)
    with torch.no_grad():
        for told, kept in ((100.0, 0.001), (-100.0, 0.5)):
            objective.log_scale.fill_(told)
            objective.after_step({})
            assert float(objective.figures()["temperature"]) == pytest.approx(kept, rel=1e-4)


@pytest.mark.parametrize(("changes", "said"), [({"alpha": 0.0}, "alpha"), ({"pixels": 1.1}, "pixels")])
def test_settings_out_of_range_are_refused(changes, said):
    with pytest.raises(ValueError, match=said):
        Config(**changes)
