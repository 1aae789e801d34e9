"""The probe's numbers: those of scikit-learn, C as a sweep of the whole grid would have it, two classes as one row."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from vlpbench.tasks.probe import Probe, ProbeConfig, choose, fit
from vlpbench.tasks.strengths import COARSE, STRENGTHS
from vlpbench.types import Batch, Spec, Vocabulary

SPEC = Spec(width=6, joint_width=4, grid=(2, 2), vocabulary=Vocabulary(9, 0, 1, 2, 3, 4))
Set = tuple[NDArray[Any], NDArray[Any]]


def drawn(many: int, classes: int, seed: int, noise: float = 1.2) -> Set:
    """Pictures of classes that lie about centres of their own, some on the wrong side."""
    centres = np.random.default_rng(99).normal(size=(classes, 6))
    rng = np.random.default_rng(seed)
    labels = np.arange(many) % classes
    return centres[labels] + noise * rng.normal(size=(many, 6)) + 3.0, labels


def slow(train: Set, held: Set) -> list[float]:
    """The accuracy of each C of the grid."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        models = (LogisticRegression(C=strength, max_iter=1_000).fit(*train) for strength in STRENGTHS)
        return [100 * model.score(*held) for model in models]


@pytest.mark.parametrize("classes", [2, 3])
def test_c_against_a_sweep_of_the_whole_grid(classes: int) -> None:
    train, held = drawn(40, classes, 1), drawn(60, classes, 2)
    whole = slow(train, held)
    chosen = choose(*train, *held)
    assert len(chosen.tried) <= 15 and list(chosen.tried) == sorted(chosen.tried)
    for strength, accuracy in chosen.tried.items():
        assert accuracy == whole[STRENGTHS.index(strength)], "each is the classifier that a lone fit makes"
    place = STRENGTHS.index(chosen.strength)
    assert whole[place] == max(chosen.tried.values()) >= max(whole[::COARSE])
    assert all(whole[near] <= whole[place] for near in (place - 1, place + 1) if 0 <= near < len(whole))
    assert len(set(whole)) > 3, "C matters here"


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("strength", [1e-3, 1.0])
def test_a_fit_is_that_of_scikit_learn(classes: int, strength: float) -> None:
    features, labels = drawn(50, classes, 3)
    model = LogisticRegression(C=strength, max_iter=1_000).fit(features, labels)
    head = Probe(ProbeConfig(classes), SPEC)
    weight, bias, converged = fit(features, labels, strength)
    head.take(weight, bias)
    assert converged and weight.shape == (classes, 6) and bias.shape == (classes,)
    logits = head.logits(features)
    share = np.exp(logits - logits.max(1, keepdims=True))
    assert share / share.sum(1, keepdims=True) == pytest.approx(model.predict_proba(features), abs=1e-5)
    assert (logits.argmax(1) == model.predict(features)).all()


def test_features_are_not_normalised() -> None:
    """C acts on raw lengths: shrunken features are another problem at the same C, and the same at 100 times C."""
    features, labels = drawn(60, 3, 4)
    weight, _, _ = fit(features, labels, 0.1)
    again, _, _ = fit(features / 10, labels, 10.0)
    other, _, _ = fit(features / 10, labels, 0.1)
    assert again / 10 == pytest.approx(weight, abs=1e-2)
    assert other / 10 != pytest.approx(weight, abs=1e-1)


def test_a_fit_that_does_not_converge_is_told_without_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vlpbench.tasks.probe._ITERATIONS", 2)
    train, held = drawn(60, 3, 5), drawn(30, 3, 6)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert fit(*train, 1e6)[2] is False
        chosen = choose(*train, *held)
    assert max(chosen.unfinished) == 1e6 and set(chosen.unfinished) <= set(chosen.tried)


def test_other_warnings_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    real = LogisticRegression.fit

    def warning(self: LogisticRegression, *given: Any) -> LogisticRegression:
        warnings.warn("something else", DeprecationWarning, stacklevel=1)
        return real(self, *given)

    monkeypatch.setattr(LogisticRegression, "fit", warning)
    with pytest.warns(DeprecationWarning, match="something else"):
        assert fit(*drawn(30, 2, 7), 1.0)[2] is True


def test_a_held_out_class_that_training_lacks_counts_as_wrong() -> None:
    train, (features, labels) = drawn(60, 3, 8, noise=0.05), drawn(30, 3, 9, noise=0.05)
    assert max(choose(*train, features, labels).tried.values()) == 100.0
    unseen = np.where(labels == 2, -1, labels)
    assert max(choose(*train, features, unseen).tried.values()) == pytest.approx(200 / 3)


def test_features_that_are_all_alike_have_the_commonest_class() -> None:
    """A blind cell's pictures are one grey."""
    labels = np.array([0, 1, 1, 2])
    weight, bias, _ = fit(np.ones((4, 6)), labels, 1.0)
    assert (np.ones((1, 6)) @ weight.T + bias).argmax() == 1


def test_the_head_is_as_wide_as_what_it_looks_through() -> None:
    for features, width in (("image_tokens", 6), ("image_vector", 4)):
        config = ProbeConfig(3, features)  # type: ignore[arg-type]
        assert Probe(config, SPEC).classify.weight.shape == (3, width)
        assert Probe.needs_with(config) == {features}


def test_the_formula_is_the_log_loss() -> None:
    torch.manual_seed(0)
    head, features, targets = Probe(ProbeConfig(3), SPEC), torch.randn(5, 6), torch.tensor([0, 2, 1, 1, 0])
    none = torch.zeros(5, dtype=torch.long)
    batch = Batch(None, none[:, None], none[:, None] > 0, none, none, torch.ones(()), SPEC.vocabulary,
                  extras={"targets": targets})
    losses = head.loss({"features": features}, batch).losses
    assert isinstance(losses, torch.Tensor)
    logits = head.logits(features.numpy())
    for row, target in enumerate(targets.tolist()):
        slow = np.log(np.exp(logits[row]).sum()) - logits[row, target]
        assert losses[row].item() == pytest.approx(slow, abs=1e-5)
