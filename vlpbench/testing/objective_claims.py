"""Checks of what an objective says of its training: what it trains, who sees whom, of how many terms a loss is a sum.

Axes: B samples, C candidates.
"""

from __future__ import annotations

import torch
from torch import Tensor

from vlpbench.tasks.likelihood import candidate_scores
from vlpbench.testing.findings import CheckFailed, CheckSkipped
from vlpbench.testing.learning import Study
from vlpbench.testing.predictions import Speaker
from vlpbench.testing.recording import recorded
from vlpbench.testing.rounds import corrupted, crossed, mean_loss, play, stated
from vlpbench.testing.subject import Subject
from vlpbench.testing.tiny import FIRST_WORD
from vlpbench.types import Batch

__all__ = ["check_sums", "check_trains", "check_visible"]

_STEPS, _MOST = 40, 80
"""Steps after which claims are looked at, again and again, and after which they must be true."""


def check_trains(subject: Subject) -> str:
    """After some steps on two batches, what it says it trains can tell their pairs, or say their words; tells so."""
    claims = sorted(subject.cls.trains)
    if not claims:
        raise CheckSkipped("claims-nothing")
    study = Study.of(subject)
    study.learner.decays = {key: min(decay, _FAST) for key, decay in study.learner.decays.items()}
    before = _looked_at(subject, study, claims)
    while study.done < _MOST:
        for _ in range(_STEPS):
            study.learn()
        after = _looked_at(subject, study, claims)
        wrong = [one for one in claims if after[one] < before[one] + _MARGIN[one]]
        if not wrong:
            return ", ".join(f"{one} {before[one]:.2g} to {after[one]:.2g}" for one in claims)
    said = f"{before[wrong[0]]:.3g} before and {after[wrong[0]]:.3g} after"
    cause = f"it says it trains {wrong[0]!r}; {_MEANS[wrong[0]]}: {said} {_MOST} steps on two batches"
    raise CheckFailed(cause, "mind signs and which side is which; or drop it from `trains`, which evaluation relies on")


_FAST = 0.9
"""Decay of a teacher here: one of 0.999 has learnt nothing in so few steps."""

_MARGIN = {"vectors": 0.5, "similarity": 0.5, "match": 0.1, "decode": 0.2}
"""How much better it must get."""

_NATS = 8.0
"""About what a word takes before anything is learnt."""

_MEANS = {
    "vectors": "own pairs' cosines above those of others, in deviations",
    "similarity": "own pairs' similarity above that of others, in deviations",
    "match": "log-odds of own pairs above those of mismatches",
    "decode": "nats a word of own texts above those of other words",
}


@torch.no_grad()
def _looked_at(subject: Subject, study: Study, claims: list[str]) -> dict[str, float]:
    backbone = study.learner.backbone
    study.learner.objective(study.name)  # which hands the teacher over
    kind = "pairs" if "pairs" in subject.kinds else "texts"
    found: dict[str, list[float]] = {claim: [] for claim in claims}
    for step in study.batches:
        batch = stated(backbone, step[kind])
        for claim in claims:
            if claim == "decode":
                found[claim].append(_said(subject, study, batch))
            elif batch.image is None:
                raise CheckFailed(f"it trains {claim!r} and learns from texts alone", 'use {"pairs"}, or drop it')
            else:
                found[claim].append(_told(study, batch, claim))
    return {claim: sum(told) / len(told) for claim, told in found.items()}


def _told(study: Study, batch: Batch, claim: str) -> float:
    """How far own pairs lie above others by what is claimed."""
    backbone, objective = study.learner.backbone, study.learner.objective(study.name)
    try:
        if claim == "vectors":
            return _apart(backbone.image_vector(batch.image) @ backbone.text_vector(batch.text).T)
        if claim == "similarity":
            return _apart(objective.similarity(backbone, batch.image, batch.text)[0])
        own = objective.match(backbone, batch.image, batch.text)
        other = objective.match(backbone, batch.image, batch.text.rows(torch.arange(len(batch)).roll(1)))
        return float((own - other).mean())
    except RuntimeError as wrong:
        cause = f"it says it trains {claim!r}, and a backbone built with `needs` cannot give it: {wrong}"
        raise CheckFailed(cause, "name the abilities in `needs`, or drop the claim from `trains`") from wrong


def _apart(scores: Tensor) -> float:
    """Mean of the diagonal less the mean of the rest (B, B), in deviations."""
    own = torch.eye(len(scores), dtype=torch.bool)
    return float((scores[own].mean() - scores[~own].mean()) / scores.std().clamp_min(1e-6))


def _said(subject: Subject, study: Study, batch: Batch) -> float:
    """Nats a word of the batch's own texts above those of texts of other words, given the pictures if there are any."""
    backbone = study.learner.backbone
    nothing = backbone.read(batch.tokens[:, :1], torch.zeros_like(batch.mask[:, :1]))
    context = backbone.context(batch.image, None if batch.image is not None else nothing,
                               subject.cls.visible_with(subject.config))
    words = batch.mask & (batch.tokens != batch.vocabulary.eos)
    ordinary = torch.arange(len(batch.tokens[0])) * 7 + torch.arange(len(batch))[:, None] * 11
    other = torch.where(words, FIRST_WORD + ordinary % (batch.vocabulary.size - FIRST_WORD), batch.tokens)
    both = torch.stack([batch.tokens, other], 1), torch.stack([batch.mask, batch.mask], 1)
    scores = candidate_scores(backbone, context, backbone.read(*both), [batch.vocabulary.bos], per_token=True)
    usual = (-scores[:, 0].mean() / _NATS).clamp_min(1)  # where all texts became impossible, a little more is nothing
    return float((scores[:, 0] - scores[:, 1]).mean() / usual)


def check_visible(subject: Subject) -> None:
    """A context is asked for with the `visible` that visible_with() says: tasks obey it afterwards."""
    declared = subject.cls.visible_with(subject.config)
    asked = 0
    for kind, host in subject.hosts().items():
        backbone = subject.backbone()
        objective = subject.objective(backbone)
        with recorded(backbone) as calls, torch.no_grad():
            play(objective, backbone, crossed(corrupted(subject, host)))
        for call in calls:
            if call.name != "context" or call.given[:1] == (None,):
                continue
            asked += 1
            said = next((one for one in call.given[1:] if isinstance(one, str)), "all")
            if said != declared:
                cause = f'encode() asks for a context with visible="{said}" on {kind}, visible_with() says "{declared}"'
                raise CheckFailed(cause, "override visible_with(cls, config): evaluation looks as training did")
    if not asked:
        raise CheckSkipped("no-context")


def check_sums(subject: Subject) -> None:
    """Where `count` says terms, a loss is their sum and not their mean, and of predicted words all that enter count."""
    counted = False
    for kind, host in subject.hosts(samples=2 * subject.samples).items():
        batch = corrupted(subject, host)
        if "count" not in batch.extras:
            continue
        counted = True
        count = torch.as_tensor(batch.extras["count"]).double()
        _check_words(subject, batch, count, kind)
        backbone = subject.backbone()
        with torch.no_grad():
            made = play(subject.objective(backbone), backbone, crossed(batch))
        rows = torch.stack(list(made.rows.values())).sum(0).double()
        some = count > 0
        if int(some.sum()) < 4 or count[some].max() < 2 * count[some].min():
            continue
        if _spread(rows[some]) < 0.5 * _spread(rows[some] / count[some]):
            cause = f"on {kind}, losses do not grow with `count`: they look like means over a sample's terms, not sums"
            raise CheckFailed(cause, "leave out the division: the loop divides the sum of all by all counts")
    if not counted:
        raise CheckSkipped("no-count")


def _spread(x: Tensor) -> float:
    """Deviation relative to the mean."""
    return float(x.std() / x.mean().abs().clamp_min(1e-9))


def _check_words(subject: Subject, host: Batch, count: Tensor, kind: str) -> None:
    """Where the loss is made of one prediction of words alone, `count` says how many of them enter it."""
    spoken = Speaker(subject).first(host)
    if len(spoken) != 1 or not _is_all(subject, host):
        return
    words = spoken[0].counted.sum(1).double()
    if not torch.equal(words, count):
        row = int((words != count).nonzero()[0])
        cause = f"on {kind}, {int(words[row])} words of text {row} enter the loss, and corrupt() counts {count[row]:g}"
        raise CheckFailed(cause, "count the terms that enter: said.sum(1), of the mask that the loss is weighed by")


def _is_all(subject: Subject, host: Batch) -> bool:
    """Whether the loss is the sum of what token_losses() gave, as far as it is in the loss."""
    backbone = subject.backbone()
    objective = subject.objective(backbone)
    with recorded(backbone) as calls:
        made = play(objective, backbone, crossed(host))
    told = [call.outputs[0] for call in calls if call.name == "token_losses"]
    loss = mean_loss(made) * torch.as_tensor(host.extras["count"]).sum().clamp_min(1)
    if len(told) != 1 or not loss.requires_grad:
        return False
    gradient = torch.autograd.grad(loss, told, allow_unused=True, materialize_grads=True)[0]
    whole = (told[0] * (gradient != 0)).sum()
    return bool(torch.isclose(whole, loss, rtol=1e-3))
