"""A classifier made of words: against a slow version, both normalisations, classes that read alike."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
import pytest
import torch

from vlpbench.config.settings import Protocol
from vlpbench.tasks.class_prompts import Prompts, class_vectors, cosines, prompt_vectors, prompts_of
from vlpbench.tasks.trial import Trial
from vlpbench.training.pace import Pace

Made = Callable[..., Trial]
NEEDS = frozenset({"image_vector", "text_vector"})


def test_prompts_are_all_templates_of_each_class() -> None:
    assert prompts_of(["cat", "{dog}"], ["a {}", "{}, a {}"]) == ["a cat", "cat, a cat", "a {dog}", "{dog}, a {dog}"]


def test_each_class_is_a_unit_vector_and_the_first_normalisation_matters() -> None:
    """Row 28 of the checklist: normalise, average, normalise again; leaving either out is another classifier."""
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(4 * 3, 5)) * rng.uniform(0.1, 9, (12, 1))
    found = class_vectors(vectors, 4)
    slow = []
    for start in range(0, 12, 3):
        mean = sum(one / np.sqrt((one**2).sum()) for one in vectors[start : start + 3]) / 3
        slow.append(mean / np.sqrt((mean**2).sum()))
    assert found == pytest.approx(np.array(slow))
    assert np.linalg.norm(found, axis=1) == pytest.approx(np.ones(4), abs=1e-12)
    late = vectors.reshape(4, 3, 5).mean(1)
    late /= np.linalg.norm(late, axis=1, keepdims=True)
    assert np.abs(late - found).max() > 0.05, "normalised after the mean alone"
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    assert (np.linalg.norm(unit.reshape(4, 3, 5).mean(1), axis=1) < 0.99).all(), "without the second"


def test_one_template_is_the_plain_cosine() -> None:
    vectors = np.random.default_rng(1).normal(size=(6, 5))
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    images = np.random.default_rng(2).normal(size=(3, 5))
    assert cosines(images, class_vectors(vectors, 6)) == pytest.approx(images @ unit.T)


def test_vectors_that_cancel_out_stay_finite() -> None:
    assert (class_vectors(np.array([[1.0, 0], [-1, 0]]), 1) == 0).all()


@pytest.mark.parametrize("kind", ["trial", "towers"])
@pytest.mark.parametrize("at_once", [1, 3, 64])
def test_vectors_are_those_of_prompts_read_one_by_one(kind: str, at_once: int, request: pytest.FixtureRequest) -> None:
    made: Trial = request.getfixturevalue(kind)("classification@zero-shot")
    backbone = made.build(NEEDS).eval()
    prompts = prompts_of(["0", "1", "a red 7"], ["a picture of {}", "{}"])
    slow = []
    for prompt in prompts:
        tokens, mask = made.tokenizer.encode([prompt], made.settings.text.length)
        with torch.no_grad():
            slow.append(backbone.text_vector(backbone.read(torch.from_numpy(tokens), torch.from_numpy(mask)))[0])
    read = Prompts.of(prompts, made)
    found = prompt_vectors(read, backbone, dataclasses.replace(made, pace=Pace(at_once=at_once)))
    assert found == pytest.approx(torch.stack(slow).numpy(), abs=1e-5) and read.cut == 0


def test_classes_that_read_alike_tie_to_the_last_bit(towers: Made) -> None:
    """Lower-casing and cutting at T make different names equal; how many prompts were cut is told."""
    made = towers("classification@zero-shot", protocol=Protocol())
    backbone = made.build(NEEDS).eval()
    long = "a very " * 30
    names = ["Dog", "b", "dog", "c", "d", long + "old", long + "new"]
    read = Prompts.of(prompts_of(names, ["a picture of {}"]), made)
    vectors = prompt_vectors(read, backbone, made)
    assert read.cut == 2
    scores = cosines(np.random.default_rng(3).normal(size=(50, vectors.shape[1])), class_vectors(vectors, len(names)))
    assert (scores[:, 0] == scores[:, 2]).all() and (scores[:, 5] == scores[:, 6]).all()
    assert (scores[:, 0] != scores[:, 1]).all()
