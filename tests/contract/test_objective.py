"""The contract's defaults: what an author does not write."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from vlpbench.contract.objective import NoConfig, Objective, gather, own
from vlpbench.types import Batch, Spec, Step, Vocabulary

SPEC = Spec(4, 4, (2, 2), Vocabulary(9, 0, 1, 2, 3, 4))


class Least(Objective):
    """The least objective."""

    name, needs = "least", {"image_vector"}

    def encode(self, backbone, batch):
        return {}

    def loss(self, features, batch):
        return Step(torch.zeros(len(batch)))


def test_defaults():
    least = Least(NoConfig(), SPEC)
    assert (least.uses, least.wants, least.trains, least.coupled) == ({"pairs"}, (), frozenset(), None)
    assert least.config_class is NoConfig
    assert (least.config, least.spec) == (NoConfig(), SPEC)
    assert Least.visible_with(NoConfig()) == "all"
    assert Least.needs_with(NoConfig()) == frozenset({"image_vector"})
    assert isinstance(Least.needs_with(NoConfig()), frozenset)
    assert list(least.parameters()) == []


def test_no_surgery_and_no_queue_unless_written():
    tokens = np.ones((2, 3), dtype=np.int64)
    batch = Batch(None, tokens, tokens > 0, tokens[:, 0], tokens[:, 0], np.float32(0), SPEC.vocabulary)
    assert Least.corrupt(batch, np.random.default_rng(0), NoConfig()) == {}
    assert Least(NoConfig(), SPEC).after_step({"rows": torch.ones(2)}) is None


def test_one_process_owns_all_rows():
    rows = torch.randn(3, 2, requires_grad=True)
    assert gather(rows) is rows
    assert own(rows) is rows


@pytest.mark.parametrize("missing", ["encode", "loss"])
def test_formula_and_calls_must_be_written(missing):
    methods = {name: getattr(Least, name) for name in ("encode", "loss") if name != missing}
    with pytest.raises(TypeError, match=missing):
        type("Partial", (Objective,), {"name": "partial", **methods})(NoConfig(), SPEC)
