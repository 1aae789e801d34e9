"""Which backbones each form of retrieval can be asked of, what it teaches them, and what zero-shot relies on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch

from vlpbench.backbones import DecoderOnly, DualEncoder, DualFusion, EncoderDecoder
from vlpbench.config.settings import Protocol
from vlpbench.config.task_name import ProtocolName
from vlpbench.contract.objective import Objective
from vlpbench.data.splits import Split
from vlpbench.errors import UserError
from vlpbench.objectives.image_text_matching import Config, ImageTextMatching
from vlpbench.tasks.fine_tuning import ready
from vlpbench.tasks.retrieval import Form, Retrieval, has_vectors
from vlpbench.tasks.suite import run_task, task_named
from vlpbench.tasks.trial import Trial
from vlpbench.types import Spec

Made = Callable[..., Trial]
VECTORS = {"image_vector", "text_vector"}
FUSED, SAYS = {"fused_tokens"}, {"context", "decode"}


@pytest.mark.parametrize(
    ("form", "offers", "trains", "protocol", "reason"),
    [
        ("match", FUSED, set(), "fine-tune", None),
        ("match", VECTORS, {"vectors"}, "fine-tune", "n/a: needs fused_tokens"),
        ("match", FUSED | VECTORS, {"vectors", "decode"}, "zero-shot", "n/a: pretraining trained no matching head"),
        ("match", FUSED | VECTORS, {"match"}, "zero-shot", None),
        ("match", SAYS, {"match"}, "zero-shot", None),
        ("likelihood", SAYS, set(), "fine-tune", None),
        ("likelihood", {"context"} | VECTORS, set(), "fine-tune", "n/a: needs context and decode"),
        ("likelihood", SAYS, {"vectors"}, "zero-shot", "n/a: pretraining did not train decode"),
        ("likelihood", SAYS, {"decode"}, "zero-shot", None),
    ],
)
def test_why_not(form: Form, offers: set[str], trains: set[str], protocol: ProtocolName, reason: str | None) -> None:
    assert Retrieval(form).why_not(offers, trains, protocol) == reason


def test_vectors_are_asked_for_where_they_are_to_be_had() -> None:
    assert Retrieval("match").needs(FUSED) == FUSED
    assert Retrieval("match").needs(FUSED | VECTORS | SAYS) == FUSED | VECTORS
    assert Retrieval("match").needs(SAYS) == set()  # another head's own needs come with it
    assert Retrieval("likelihood").needs(SAYS | {"image_vector"}) == SAYS
    assert Retrieval("likelihood").needs(FUSED | VECTORS | SAYS) == SAYS | VECTORS
    assert Retrieval().needs(FUSED | VECTORS | SAYS) == VECTORS


@pytest.mark.parametrize(
    ("task", "trunk", "taught"),
    [
        ("retrieval", DualEncoder, ["contrastive"]),
        ("retrieval@match", DualFusion, ["contrastive", "image-text-matching"]),
        ("retrieval@match", EncoderDecoder, ["contrastive", "image-text-matching"]),
        ("retrieval@likelihood", DecoderOnly, ["contrastive", "language-model"]),
    ],
)
def test_a_fine_tune_teaches_the_shortlist_too(task: str, trunk: Any, taught: list[str], trial: Made) -> None:
    readout = task_named(task).readout(trial(task, trunk), {})
    assert [one.name for one in readout.objectives] == taught
    assert readout.head == (task.partition("@")[2] or "vectors")


class Deaf(DualFusion):
    """Fusion layers, but no vectors."""

    name = "deaf"

    @classmethod
    def offers_with(cls, config: Any) -> frozenset[str]:
        return frozenset({"fused_tokens", "image_tokens", "text_tokens"})


def test_without_vectors_all_pairs_are_judged(trial: Made) -> None:
    outcome = run_task(trial("retrieval@match", Deaf, protocol=Protocol(samples=16, batch=8, shortlist=3)))
    assert outcome.scores.told["shortlist"] == "all pairs" and outcome.scores.told["k"] == 0
    assert {row["listed"] for row in outcome.rows} == {12, 60}
    rule = Protocol(samples=16, batch=8, rule="match + vector")
    with pytest.raises(UserError, match="no trained vectors"):
        run_task(trial("retrieval@match", Deaf, protocol=rule))


def pretrained(made: Trial, abilities: set[str]) -> tuple[Trial, ImageTextMatching]:
    """The trial after a pretraining that built these abilities, and its matching head."""
    backbone = made.blueprint.build(frozenset(abilities))
    generator = torch.Generator().manual_seed(5)
    with torch.no_grad():
        for weight in backbone.parameters():
            weight.mul_(1 + 0.3 * torch.randn(weight.shape, generator=generator))
    weights = backbone.state_dict()
    head = ImageTextMatching(Config(), backbone.spec)

    def build(spec: Spec) -> Objective:
        mine = ImageTextMatching(Config(), spec)
        mine.load_state_dict(head.state_dict())
        return mine

    trains = {"match"} | {one for one, asked in (("vectors", VECTORS), ("decode", SAYS)) if abilities >= asked}
    return replace(made, weights=weights, heads={"match": build}, trains=frozenset(trains)), head


@pytest.mark.parametrize(("abilities", "by"), [(FUSED | VECTORS, "vectors"), (FUSED, "all pairs")])
def test_zero_shot_asks_the_head_of_pretraining(
    abilities: set[str], by: str, trial: Made, opened: Callable[..., Split]
) -> None:
    made, head = pretrained(trial("retrieval@match@zero-shot", DualFusion, protocol=Protocol(shortlist=3)), abilities)
    assert has_vectors(made) == (by == "vectors")
    asked = ready(task_named(made.task), made)
    (mine,) = asked.readout.objectives
    assert torch.equal(mine.head.weight, head.head.weight)  # type: ignore[union-attr, arg-type]
    assert torch.equal(asked.backbone.state_dict()["words.weight"], made.weights["words.weight"])
    outcome = run_task(made)
    assert outcome.scores.told["shortlist"] == by and not outcome.training.samples
    with pytest.raises(UserError, match="no matching head"):
        run_task(replace(made, heads={}))


def test_what_a_head_calls_to_judge_is_built(trial: Made) -> None:
    class Reader(ImageTextMatching):
        @classmethod
        def matches_with(cls, config: Any) -> frozenset[str]:
            return frozenset(FUSED | SAYS)

    made, _ = pretrained(trial("retrieval@match@zero-shot", EncoderDecoder), FUSED)
    more = replace(made, heads={"match": lambda spec: Reader(Config(), spec)})
    assert ready(task_named(made.task), more).backbone.abilities >= FUSED | SAYS


def test_zero_shot_likelihood_teaches_nothing(trial: Made) -> None:
    made, _ = pretrained(trial("retrieval@likelihood@zero-shot", EncoderDecoder, protocol=Protocol(shortlist=3)), SAYS)
    outcome = run_task(made)
    assert outcome.head == "likelihood" and not outcome.training.samples
    assert outcome.scores.told["rule"] == "likelihood per token" and outcome.scores.told["shortlist"] == "all pairs"
