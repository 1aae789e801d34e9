"""Sample fields that objectives want: from a real world where it has them, refused in words where no world has them."""

from __future__ import annotations

import numpy as np
import pytest

from vlpbench.objectives.contrastive import Contrastive
from vlpbench.plugin import Step
from vlpbench.testing import CheckFailed, Subject, check_objective, tiny_batches
from vlpbench.testing.fields import field_batches
from vlpbench.testing.tiny import FIRST_WORD, VOCABULARY


class Oracle(Contrastive):
    """The plain caption stands beside the one that was drawn; how full a picture is weighs its sample."""

    name, wants = "oracle", ("oracle", "box_mask")

    def encode(self, backbone, batch):
        plain = backbone.text_vector(backbone.read(batch["oracle"], batch["oracle_mask"]))
        return {**super().encode(backbone, batch), "plain": plain}

    def loss(self, features, batch):
        beside = super().loss({"image": features["image"], "text": features["plain"]}, batch)
        return Step(super().loss(features, batch).losses + beside.losses * batch["box_mask"].float().mean(1))


class PaddingRead(Oracle):
    """The field's padding is read as if it were words."""

    name = "padding-read"

    def encode(self, backbone, batch):
        every = batch["oracle_mask"] | True
        plain = backbone.text_vector(backbone.read(batch["oracle"], every))
        return {**Contrastive.encode(self, backbone, batch), "plain": plain}


class Unheard(Oracle):
    """No world has this."""

    name, wants = "unheard", ("ocr",)


def test_fields_are_those_of_real_samples_with_padding_in_their_texts():
    made = field_batches(("oracle", "rewrites", "box_array"), 8)
    for kind, batch in made.items():
        assert batch["oracle"].shape == batch["oracle_mask"].shape == (8, 8) and batch["rewrites"].shape == (8, 2, 8)
        assert batch["box_array"].shape[0] == 8 and (batch["box_array"] <= 1).all()
        assert (batch["oracle"][~batch["oracle_mask"]] == VOCABULARY.pad).all() and not batch["oracle_mask"].all()
        last = batch["oracle_mask"].sum(1) - 1
        assert (batch["oracle"][np.arange(8), last] == VOCABULARY.eos).all(), kind
        words = batch.tokens[batch.mask & (batch.tokens != VOCABULARY.eos)]
        assert (words >= FIRST_WORD).all() and len(set(batch.image_ids)) == 8
    assert made["texts"].images is None and made["pairs"].images.shape == (8, 3, 16, 16)


def test_lengths_and_seeds_are_obeyed():
    made = field_batches(("oracle",), 4, words=[1, 2, 5, 8])["pairs"]
    assert made.mask.sum(1).tolist() == [1, 2, 5, 8]
    one, again, other = (field_batches(("oracle",), 4, seed=seed)["pairs"] for seed in (1, 1, 2))
    assert np.array_equal(one.images, again.images) and np.array_equal(one["oracle"], again["oracle"])
    assert not np.array_equal(one.image_ids, other.image_ids)


def test_an_objective_that_wants_fields_is_checked_on_them():
    asked = ["wanted-fields", "not-pad-sensitive", "order-of-samples", "samples-apart", "two-processes", "trains"]
    found = {one.check: one for one in check_objective(Oracle, only=asked)}
    assert {one.state for one in found.values()} == {"passed"}, "\n".join(map(str, found.values()))
    assert found["wanted-fields"].told == "rows of oracle (8,), box_mask (4,) from the world shapes"


def test_padding_of_a_field_that_is_read_is_found():
    (found,) = check_objective(PaddingRead, only=["not-pad-sensitive"])
    assert found.state == "failed" and "the field 'oracle'" in found.cause


def test_a_field_that_no_world_has_is_said_once():
    found = check_objective(Unheard, only=["wanted-fields", "count", "finite-loss", "learns-by-heart"])
    assert [one.state for one in found] == ["failed", "skipped", "skipped", "skipped"]
    assert "ocr" in found[0].cause and "batches=tiny_batches(fields=" in found[0].remedy
    assert {one.reason for one in found[1:]} == {"stands-on-another"}


def test_batches_of_the_authors_own_have_the_fields_they_are_given():
    given = tiny_batches(fields={"ocr": np.zeros((6, 3), np.float32)})
    (found,) = check_objective(Unheard, batches=given, only=["wanted-fields"])
    assert found.state == "passed" and found.told == "rows of ocr (3,)"


def test_batches_without_a_kind_that_is_used_are_refused():
    subject = Subject(Contrastive, Contrastive.config_class(), given={"texts": tiny_batches()["texts"]})
    with pytest.raises(CheckFailed, match="have no pairs"):
        subject.hosts()
