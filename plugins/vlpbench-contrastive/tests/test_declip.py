"""DeCLIP: each of the four terms by loop, what is looked up before it is written, and where gradients end."""

from __future__ import annotations

import copy
import sys
import tomllib
from dataclasses import replace
from math import exp, log
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy, normalize
from vlpbench_contrastive.declip import Config, DeCLIP, mean_of_words

from vlpbench.plugin import Batch, Spec, Vocabulary
from vlpbench.testing import Subject, parametrize_objective_checks

N, K, E = 5, 3, 6
VOCABULARY = Vocabulary(40, 0, 1, 2, 3, 4)
VECTORS = ("first", "second", "hidden", "eased")
SAID = torch.tensor([[1, 1, 0], [1, 0, 0], [0, 0, 0], [1, 1, 1], [1, 0, 0]], dtype=torch.bool)


def make(**changes):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return DeCLIP(Config(**{"bank": 12, **changes}), Spec(10, E, (2, 3), VOCABULARY))


@pytest.fixture
def features():
    rng = torch.Generator().manual_seed(0)
    vectors = {name: normalize(torch.randn(N, E, generator=rng), dim=-1) for name in VECTORS}
    return {**vectors, "nll": torch.rand(N, K, generator=rng) + 1}


def batch_of(image_ids=range(N), said=SAID):
    mask = torch.ones(N, 4, dtype=torch.bool)
    ids = torch.tensor(list(image_ids))
    return Batch(None, mask.long(), mask, ids, torch.arange(N), torch.tensor(0.0), VOCABULARY, extras={"said": said})


@parametrize_objective_checks([DeCLIP])
def test_it_keeps_the_contract(objective, check):
    check(objective)


def slow_pairs(features, scale, right):
    """Four CLIP losses, row by row: both views of the picture with both of the text, both directions."""
    total = torch.zeros(N)
    for view in VECTORS[:2]:
        for text in VECTORS[2:]:
            for i in range(N):
                by_image = torch.stack([scale * features[view][i] @ features[text][j] for j in range(N)]).log_softmax(0)
                by_text = torch.stack([scale * features[view][j] @ features[text][i] for j in range(N)]).log_softmax(0)
                total[i] -= sum(by_image[j] + by_text[j] for j in right[i]) / len(right[i]) / 2
    return total / 4


def slow_near(features, scale, right, bank):
    """From each picture to the bank's nearest to each text, not back."""
    total = torch.zeros(N)
    for text in VECTORS[2:]:
        near = [max(bank, key=lambda one, row=row: float(one @ row)) for row in features[text]]
        for view in VECTORS[:2]:
            for i in range(N):
                said = torch.stack([scale * features[view][i] @ near[j] for j in range(N)]).log_softmax(0)
                total[i] -= sum(said[j] for j in right[i]) / len(right[i])
    return total / 4


@pytest.mark.parametrize("equals", ["positives", "negatives"])
def test_the_four_terms_by_loop(features, equals):
    objective = make(equals=equals, pairs=0.4, near=0.3, siamese=0.7, words=0.2)
    images = [0, 0, 1, 2, 3]
    right = [[j for j in range(N) if images[i] == images[j]] if equals == "positives" else [i] for i in range(N)]
    with torch.no_grad():
        found = objective.loss(features, batch_of(images)).losses
        alike = objective.siamese(features["first"], features["second"])
    words = [sum(features["nll"][i, k].item() for k in range(K) if SAID[i, k]) for i in range(N)]
    expected = {
        "pairs": 0.4 * slow_pairs(features, exp(3), right),
        "near": 0.3 * slow_near(features, exp(3), right, objective.bank.rows),
        "siamese": 0.7 * alike,
        "words": 0.2 * torch.tensor(words) * N / int(SAID.sum()),
    }
    assert found.keys() == expected.keys()
    for name, rows in found.items():
        assert torch.allclose(rows, expected[name], rtol=1e-4, atol=1e-5), name


def test_weights_of_its_own_config_are_the_default():
    config = Config()
    assert (config.pairs, config.near, config.siamese, config.words) == (0.4, 0.2, 0.2, 0.2)
    assert (config.rate, config.masked, config.swapped, DeCLIP.views) == (0.15, 0.8, 0.1, 2)


def test_with_equal_views_the_pairs_are_clip(features):
    same = {**features, "second": features["first"], "eased": features["hidden"]}
    losses = make(pairs=1.0).loss(same, batch_of()).losses["pairs"]
    logits, aims = exp(3) * features["first"] @ features["hidden"].T, torch.arange(N)
    assert torch.allclose(losses.mean(), (cross_entropy(logits, aims) + cross_entropy(logits.T, aims)) / 2)


def test_the_words_mean_is_over_words_and_not_over_texts():
    nll = torch.rand(N, K, generator=torch.Generator().manual_seed(1))
    assert mean_of_words(nll, SAID).mean().item() == pytest.approx(nll[SAID].mean().item())
    assert not mean_of_words(nll, torch.zeros_like(SAID)).any()


def test_a_full_bank_of_the_texts_themselves_gives_one_half_of_clip(features):
    objective = make(near=1.0)
    with torch.no_grad():
        objective.bank.rows[:] = normalize(-torch.ones(E), dim=0)
        objective.after_step({"eased": features["eased"], "hidden": features["hidden"]})
    losses, aims = objective.loss(features, batch_of()).losses["near"], torch.arange(N)
    scale = objective.scale()
    expected = [cross_entropy(scale * features[view] @ features[text].T, aims) for view in VECTORS[:2]
                for text in VECTORS[2:]]
    assert torch.allclose(losses.mean(), torch.stack(expected).mean())


def test_look_up_first_then_enqueue_eda_and_then_the_text(features):
    objective = make()
    before = copy.deepcopy(objective.bank.rows)
    step = objective.loss(features, batch_of())
    assert torch.equal(objective.bank.rows, before) and objective.bank.place.item() == 0
    with torch.no_grad():
        objective.after_step(step.carry)
    expected = torch.cat([features["eased"], features["hidden"], before[2 * N :]])
    assert torch.equal(objective.bank.rows, expected) and objective.bank.place.item() == 2 * N
    with torch.no_grad():
        objective.after_step(step.carry)
    assert objective.bank.place.item() == 8 and torch.equal(objective.bank.rows[10:], features["eased"][:2])


def test_gradients_end_at_the_bank_and_at_what_is_predicted(features):
    def reached(term):
        objective = make()
        given = {name: rows.clone().requires_grad_() for name, rows in features.items()}
        objective.loss(given, batch_of()).losses[term].sum().backward()
        return {name for name, rows in given.items() if rows.grad is not None and rows.grad.any()}

    assert reached("pairs") == set(VECTORS)
    assert reached("near") == reached("siamese") == {"first", "second"}
    assert reached("words") == {"nll"}
    assert {name for name, _ in make().named_buffers()} == {"bank.rows", "bank.place"}


@pytest.mark.parametrize(("at", "scale"), [(3.5, exp(3.5)), (log(100), 100), (5.0, 100), (6.0, 100)])
def test_the_scale_is_cut_off_but_can_come_back(features, at, scale):
    objective = make()
    with torch.no_grad():
        objective.log_scale.fill_(at)
    assert objective.scale().item() == pytest.approx(scale, rel=1e-5)
    step = objective.loss(features, batch_of())
    assert step.figures["temperature"].item() == pytest.approx(1 / scale, rel=1e-5)
    objective.scale().backward()
    assert objective.log_scale.grad.item() == pytest.approx(scale, rel=1e-5)


def test_the_logarithm_stays_between_3_and_6(features):
    objective = make()
    carry = objective.loss(features, batch_of()).carry
    assert objective.log_scale.item() == pytest.approx(3.0)
    for far, bound in ((9.0, 6.0), (1.0, 3.0)):
        with torch.no_grad():
            objective.log_scale.fill_(far)
            objective.after_step(carry)
        assert objective.log_scale.item() == pytest.approx(bound, abs=1e-6)


def test_widths_follow_the_joint_width_unless_said():
    assert make().siamese.project[0].out_features == 2 * E and make().siamese.predict[0].out_features == E
    other = make(hidden=20, bottleneck=3).siamese
    assert other.project[0].out_features == 20 and other.predict[0].out_features == 3


@pytest.fixture(scope="module")
def whole():
    subject = Subject(DeCLIP, Config())
    backbone = subject.backbone()
    objective, host = subject.objective(backbone), subject.hosts()["pairs"]
    made = DeCLIP.corrupt(host, np.random.default_rng(0), Config())
    there = {name: torch.as_tensor(getattr(host, name)) for name in ("images", "tokens", "mask")}
    states = tuple(backbone.see(torch.as_tensor(one)) for one in (host.images, *host.others))
    extras = {name: torch.as_tensor(array) for name, array in made.items()}
    return objective, backbone, replace(host, **there, extras=extras, image=states[0], views=states)


def test_features_are_of_both_views_and_both_texts(whole):
    objective, backbone, batch = whole
    with torch.no_grad():
        found = objective.encode(backbone, batch)
        hidden = backbone.read(batch["hidden"], batch.mask)
        eased = backbone.read(batch["eased"], batch["eased_mask"])
        assert torch.equal(found["first"], backbone.image_vector(batch.views[0]))
        assert torch.equal(found["second"], backbone.image_vector(batch.views[1]))
        assert torch.equal(found["hidden"], backbone.text_vector(hidden))
        assert torch.equal(found["eased"], backbone.text_vector(eased))
        words = objective.words(backbone.text_tokens(hidden))
        for row, (places, targets) in enumerate(zip(batch["places"], batch["targets"], strict=True)):
            told = backbone.token_losses(words[row, places][None], targets[None])[0]
            assert torch.allclose(found["nll"][row], told, atol=1e-5)
    assert not torch.equal(found["first"], found["second"])


def test_the_text_with_hidden_words_is_read_once(whole, monkeypatch):
    objective, backbone, batch = whole
    read, states = backbone.read, []
    monkeypatch.setattr(backbone, "read", lambda *given: states.append(read(*given)) or states[-1])
    with torch.no_grad():
        objective.encode(backbone, batch)
    hidden, eased = states
    assert torch.equal(hidden.tokens, batch["hidden"]) and torch.equal(eased.tokens, batch["eased"])


@pytest.mark.parametrize("wrong", [
    {"near": -0.1}, {"bank": 0}, {"hidden": -1}, {"rate": 0.0}, {"deleted": 1.5}, {"masked": 0.9, "swapped": 0.2},
    {"temperature": 0.07},
])
def test_settings_that_mean_nothing_are_refused(wrong):
    with pytest.raises(ValueError, match=r"weights|bank|shares|needs 0 <"):
        Config(**wrong)


def test_the_recipe_is_the_defaults_but_for_equal_pairs():
    path = Path(sys.modules[DeCLIP.__module__].__file__).parent / "recipes" / "declip.toml"
    said = tomllib.loads(path.read_text())["settings"]
    mine = {key.rpartition(".")[2]: value for key, value in said.items() if key.startswith("objective.declip.")}
    assert Config(**mine) == Config(equals="negatives") and said["objective"] == DeCLIP.name
    assert said["image"]["crop"] < 1  # else both views would be equal


@pytest.mark.parametrize(("weights", "still"), [
    ({"siamese": 0.0}, {"siamese"}),
    ({"words": 0.0}, {"words"}),
    ({"pairs": 0.0, "near": 0.0}, {"log_scale"}),
    ({"pairs": 0.0}, set()),
])
def test_what_only_a_term_of_no_weight_would_teach_is_not_trained(weights, still):
    frozen = {name.split(".")[0] for name, weight in make(**weights).named_parameters() if not weight.requires_grad}
    assert frozen == still
