"""OTTER: Sinkhorn and the whole loss by loop, targets that are distributions off the diagonal, nothing through them."""

from __future__ import annotations

import sys
import tomllib
from math import exp, log
from pathlib import Path

import pytest
import torch
from torch.nn.functional import cross_entropy, normalize
from vlpbench_contrastive.otter import OTTER, Config, _divergence
from vlpbench_contrastive.sinkhorn import sinkhorn

from vlpbench.plugin import Batch, Vocabulary
from vlpbench.testing import parametrize_objective_checks

N, E = 6, 5
NAMES = ("image", "text", "slow_image", "slow_text")


def make(**changes):
    return OTTER(Config(**changes), None)


@pytest.fixture
def features():
    rng = torch.Generator().manual_seed(0)
    return {name: normalize(torch.randn(N, E, generator=rng), dim=-1) for name in NAMES}


def batch_of(samples=N, image_ids=None):
    ids = torch.arange(samples)
    mask = torch.ones(samples, 3, dtype=torch.bool)
    given = ids if image_ids is None else torch.tensor(image_ids)
    return Batch(None, mask.long(), mask, given, ids + 100, torch.tensor(0.0), Vocabulary(40, 0, 1, 2, 3, 4))


def slow_sinkhorn(cost, blur, turns):
    """In plain numbers: exponentials, then each row to 1 / N, then each column to 1 / M."""
    rows, columns = len(cost), len(cost[0])
    plan = [[exp(-float(c) / blur) for c in row] for row in cost]
    for _ in range(turns):
        for i in range(rows):
            told = sum(plan[i])
            plan[i] = [x / told / rows for x in plan[i]]
        for j in range(columns):
            told = sum(plan[i][j] for i in range(rows))
            for i in range(rows):
                plan[i][j] = plan[i][j] / told / columns
    return plan


def slow_targets(own, others, across, blur=0.15, turns=5, remove=True):
    """Rows of the plan of -(VV + TT + across), a sample with itself 100 less alike in both, divided by their sums."""
    cost = [[0.0] * N for _ in range(N)]
    for i in range(N):
        for j in range(N):
            away = 100.0 if remove and i == j else 0.0
            alike = float(own[i] @ own[j]) + float(others[i] @ others[j]) - 2 * away
            cost[i][j] = -(alike + float(across[i, j]))
    return torch.tensor([[x / sum(row) for x in row] for row in slow_sinkhorn(cost, blur, turns)])


@parametrize_objective_checks([OTTER])
def test_it_keeps_the_contract(objective, check):
    check(objective)


@pytest.mark.parametrize("shape", [(4, 4), (3, 5), (1, 1)])
@pytest.mark.parametrize("turns", [1, 5])
def test_sinkhorn_by_loop(shape, turns):
    cost = torch.randn(shape, generator=torch.Generator().manual_seed(1))
    expected = torch.tensor(slow_sinkhorn(cost.tolist(), 0.5, turns))
    assert torch.allclose(sinkhorn(cost, 0.5, turns).exp(), expected, atol=1e-6)


def test_marginals_converge():
    cost = torch.randn(7, 5, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    off = []
    for turns in (1, 5, 100):
        plan = sinkhorn(cost, 0.5, turns).exp()
        assert torch.allclose(plan.sum(0), torch.full((5,), 1 / 5, dtype=torch.float64))
        off.append(float((plan.sum(1) - 1 / 7).abs().max()))
    assert off[0] > off[1] > off[2] and off[2] < 1e-6


def test_costs_beyond_every_exponential_stay_numbers():
    cost = 1000.0 * torch.eye(4) - 500.0
    plan = sinkhorn(cost, 0.01, 5).exp()
    assert torch.isfinite(plan).all() and torch.allclose(plan.sum(0), torch.full((4,), 0.25))


@pytest.mark.parametrize("remove", [True, False])
def test_targets_by_loop(features, remove):
    by_image, by_text = make(remove_diag=remove).plans(features)
    image, text = features["slow_image"], features["slow_text"]
    assert torch.allclose(by_image, slow_targets(image, text, image @ text.T, remove=remove), atol=1e-5)
    assert torch.allclose(by_text, slow_targets(image, text, text @ image.T, remove=remove), atol=1e-5)


def test_targets_are_distributions_off_the_diagonal(features):
    for targets in make().plans(features):
        assert torch.allclose(targets.sum(1), torch.ones(N)) and (targets >= 0).all()
        assert targets.diagonal().abs().max() < 1e-6
    for targets in make(remove_diag=False).plans(features):
        assert targets.diagonal().min() > 1e-3


def test_texts_have_a_plan_of_their_own_close_to_the_other_transposed(features):
    by_image, by_text = make(turns=200).plans(features)
    assert torch.allclose(by_image, by_text.T, atol=1e-4)
    by_image, by_text = make(turns=1).plans(features)
    assert not torch.allclose(by_image, by_text.T, atol=1e-3)


def test_what_lies_near_gets_the_mass():
    """Two pairs that are alike in picture and text are each other's target."""
    base = normalize(torch.eye(N, 8), dim=-1)
    base[1] = base[0]
    by_image, _ = make().plans({"slow_image": base, "slow_text": base})
    assert by_image[0, 1] > 0.9 and by_image[1, 0] > 0.9 and by_image[2].max() < 0.5


@pytest.mark.parametrize("pairs", [0.5, 0.2])
def test_the_loss_by_loop(features, pairs):
    objective = make(pairs=pairs, equals="negatives")
    with torch.no_grad():
        objective.log_scale_of_plan.fill_(log(7.0))
    image, text, slow_image, slow_text = (features[name] for name in NAMES)
    step = objective.loss(features, batch_of(N, [0, 0, 1, 2, 3, 4]))
    cosines, across = image @ text.T, slow_image @ slow_text.T
    by_image, by_text = slow_targets(slow_image, slow_text, across), slow_targets(slow_image, slow_text, across.T)
    for i in range(N):
        given = divergence = 0.0
        for said, target in ((cosines[i], by_image[i]), (cosines[:, i], by_text[i])):
            given -= (said * exp(3.9)).log_softmax(0)[i]
            told = (7.0 * said).log_softmax(0)
            divergence += sum(target[j] * (target[j].log() - told[j]) for j in range(N) if target[j] > 0)
        assert step.losses["pairs"][i].item() == pytest.approx(pairs * given.item(), rel=1e-4, abs=1e-5)
        assert step.losses["plan"][i].item() == pytest.approx((1 - pairs) * divergence.item(), rel=1e-4, abs=1e-5)


def test_with_all_weight_on_the_pairs_it_is_twice_clip(features):
    losses = make(pairs=1.0).loss(features, batch_of()).losses
    logits, aims = features["image"] @ features["text"].T * exp(3.9), torch.arange(N)
    clip = (cross_entropy(logits, aims) + cross_entropy(logits.T, aims)) / 2
    assert torch.allclose(losses["pairs"].mean(), 2 * clip) and not losses["plan"].any()


def test_equal_pairs_share_what_is_given_if_asked(features):
    shared = batch_of(N, [0, 0, 1, 2, 3, 4])
    both = {equals: make(equals=equals).loss(features, shared).losses for equals in ("positives", "negatives")}
    apart = both["positives"]["pairs"] - both["negatives"]["pairs"]
    assert apart[:2].abs().min() > 1e-3 and not apart[2:].any()
    assert torch.equal(both["positives"]["plan"], both["negatives"]["plan"])


def test_a_divergence_is_nothing_where_the_target_is_said():
    targets = torch.randn(4, 6, generator=torch.Generator().manual_seed(3)).softmax(1)
    targets[0] = torch.eye(6)[2]
    said = targets.log().clamp_min(-50)
    assert _divergence(said, said, targets, targets).abs().max() < 1e-6
    other = _divergence(said.roll(1, 1), said, targets, targets)
    assert other.min() > 0


def test_no_gradient_through_targets(features):
    for rows in features.values():
        rows.requires_grad_()
    step = make().loss(features, batch_of())
    (step.losses["pairs"] + step.losses["plan"]).sum().backward()
    assert features["slow_image"].grad is None and features["slow_text"].grad is None
    assert features["image"].grad.any() and features["text"].grad.any()


def test_each_temperature_learns_from_its_own_term(features):
    for name, mine, other in (("pairs", "log_scale", "log_scale_of_plan"), ("plan", "log_scale_of_plan", "log_scale")):
        objective = make()
        objective.loss(features, batch_of()).losses[name].sum().backward()
        weights = dict(objective.named_parameters())
        assert weights[mine].grad.abs() > 0 and weights[other].grad is None
    assert not any(one.requires_grad for one in make(learnt=False).parameters())


def test_both_scales_start_at_exp_3_9_and_stay_between_1_and_100(features):
    objective = make()
    assert [one.item() for one in objective.parameters()] == pytest.approx([3.9, 3.9])
    for far, bound in ((9.0, log(100)), (-1.0, 0.0)):
        with torch.no_grad():
            for one in objective.parameters():
                one.fill_(far)
            objective.after_step({})
        assert [one.item() for one in objective.parameters()] == pytest.approx([bound] * 2, abs=1e-6)
    figures = make().loss(features, batch_of()).figures
    assert {name: one.item() for name, one in figures.items()} == pytest.approx(
        {"temperature": exp(-3.9), "plan_temperature": exp(-3.9)}
    )


@pytest.mark.parametrize("samples", [1, 2])
def test_few_pairs_have_a_plan_too(features, samples):
    some = {name: rows[:samples] for name, rows in features.items()}
    step = make().loss(some, batch_of(samples))
    assert all(torch.isfinite(rows).all() for rows in step.losses.values())
    by_image, _ = make().plans(some)
    assert torch.allclose(by_image, torch.eye(samples).flip(1))  # of one, itself; of two, the other


def test_another_order_is_another_order_of_the_losses(features):
    order = torch.tensor([3, 5, 0, 2, 1, 4])
    plain = make().loss(features, batch_of()).losses
    turned = make().loss({name: rows[order] for name, rows in features.items()}, batch_of()).losses
    for name, rows in plain.items():
        assert torch.allclose(turned[name], rows[order], atol=1e-5)


@pytest.mark.parametrize("wrong", [{"pairs": 1.5}, {"blur": 0.0}, {"turns": 0}, {"coldest": 0.5}])
def test_settings_that_mean_nothing_are_refused(wrong):
    with pytest.raises(ValueError, match=r"share|above 0|needs 0 <"):
        Config(**wrong)


def test_its_teacher_warms_up():
    assert OTTER.teacher == 0.999 and OTTER.teacher_warms_up and "wu2022otter" in OTTER.cites[0]


def test_the_recipe_is_the_defaults_but_for_equal_pairs():
    path = Path(sys.modules[OTTER.__module__].__file__).parent / "recipes" / "otter.toml"
    said = tomllib.loads(path.read_text())["settings"]
    mine = {key.rpartition(".")[2]: value for key, value in said.items() if key.startswith("objective.otter.")}
    assert Config(**mine) == Config(equals="negatives") and said["objective"] == OTTER.name


@pytest.mark.parametrize(("pairs", "learns"), [(0.0, (False, True)), (0.5, (True, True)), (1.0, (True, False))])
def test_a_temperature_of_no_share_is_not_trained(pairs, learns):
    objective = make(pairs=pairs)
    assert (objective.log_scale.requires_grad, objective.log_scale_of_plan.requires_grad) == learns
    assert not any(weight.requires_grad for weight in make(pairs=pairs, learnt=False).parameters())
