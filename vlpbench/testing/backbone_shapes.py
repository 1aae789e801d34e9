"""Checks of what a backbone's abilities return, of its weights and of its states.

Axes: B samples, P image tokens, T text tokens, D width, E joint width, V words.
"""

from __future__ import annotations

import torch

from vlpbench.testing.asking import ASKING, asked_with, decoded
from vlpbench.testing.backbone_subject import BackboneSubject
from vlpbench.testing.declared import check_declared
from vlpbench.testing.findings import CheckFailed
from vlpbench.testing.rounds import far

__all__ = ["check_backbone_metadata", "check_backbone_state", "check_only_asked_weights", "check_rows",
           "check_same_seed_same_weights", "check_shapes", "check_unit_vectors", "check_words"]


def check_backbone_metadata(subject: BackboneSubject) -> None:
    """Stem and trunk keep the contract: names, versions, signatures; what is offered exists."""
    check_declared("stem", subject.stem)
    check_declared("trunk", subject.trunk)


@torch.no_grad()
def check_shapes(subject: BackboneSubject) -> None:
    """Each ability returns the contract's shape in float32, finite."""
    for ability in sorted(subject.offers):
        model = subject.build(frozenset(asked_with(ability)))
        image, text = subject.asked(model)
        spec, (samples, length) = model.spec, text.tokens.shape
        places = spec.grid[0] * spec.grid[1]
        images, words = (samples, places, spec.width), (samples, length, spec.width)
        expected: dict[str, tuple[tuple[int, ...], ...]] = {
            "image_tokens": (images,), "text_tokens": (words,), "decode": (words,), "fused_tokens": (images, words),
            "image_vector": ((samples, spec.joint_width),), "text_vector": ((samples, spec.joint_width),),
        }
        found = ASKING[ability](model, image, text)
        for number, x in enumerate(found):
            wanted = expected[ability][number] if ability in expected else (samples, x.shape[1], spec.width)
            if tuple(x.shape) != wanted or x.dtype != torch.float32:
                cause = f"{ability} gave {x.dtype} of shape {tuple(x.shape)}, not float32 of {wanted}"
                raise CheckFailed(cause, "the contract (vlpbench.plugin.Backbone) says each ability's shape")
            if not torch.isfinite(x).all():
                raise CheckFailed(f"{ability} is not finite", "is a row of the attention mask empty?")
    _check_candidates(subject)


def _check_candidates(subject: BackboneSubject) -> None:
    if "decode" not in subject.offers:
        return
    model = subject.build(frozenset({"context", "decode"}))
    image, text = subject.asked(model)
    words = subject.said()
    many = torch.stack([words, words.flip(0)], 1)  # B, C, T
    made, alone = (decoded(model, model.context(image, text), said) for said in (many, many[:, 1]))
    if made.shape != (*many.shape, model.spec.width) or far(made[:, 1], alone) is not None:
        cause = f"two candidates a row gave {tuple(made.shape)} or other numbers than each alone"
        raise CheckFailed(cause, "decode() of B, C, S tokens gives B, C, S, D; candidates do not see each other")


@torch.no_grad()
def check_unit_vectors(subject: BackboneSubject) -> None:
    """Vectors of pictures and texts have length 1."""
    model = subject.wanting("image_vector", "text_vector")
    image, text = subject.asked(model)
    for name, x in (("image_vector", model.image_vector(image)), ("text_vector", model.text_vector(text))):
        if far(x.norm(dim=1), torch.ones(len(x))) is not None:
            lengths = x.norm(dim=1).tolist()
            raise CheckFailed(f"{name} has lengths {lengths[:3]}", "end with normalize(x, dim=-1)")


@torch.no_grad()
def check_words(subject: BackboneSubject) -> None:
    """token_losses is the cross-entropy of logits, and word_vectors are rows that logits look for."""
    model = subject.build(subject.offers)
    features = torch.randn(3, 5, model.spec.width, generator=torch.Generator().manual_seed(0))
    targets = torch.arange(15).view(3, 5) % model.spec.vocabulary.size
    logits = model.logits(features)
    if logits.shape != (3, 5, model.spec.vocabulary.size) or logits.dtype != torch.float32:
        raise CheckFailed(f"logits are {logits.dtype} of {tuple(logits.shape)}", "B, S, V in float32")
    slow = -logits.log_softmax(-1).gather(-1, targets[..., None])[..., 0]
    if far(model.token_losses(features, targets), slow) is not None:
        raise CheckFailed("token_losses() is not the cross-entropy of logits()", "both read one word table")
    if model.word_vectors(targets).shape != (3, 5, model.spec.width):
        raise CheckFailed("word_vectors() are not ..., D", "give rows of the word table")


@torch.no_grad()
def check_rows(subject: BackboneSubject) -> None:
    """Rows of a state are asked like the rows' own state, before and after the whole was asked."""
    model = subject.build(subject.offers)
    pick = torch.tensor([2, 0, 0])
    for ability in sorted(subject.offers):
        alone = ASKING[ability](model, model.see(subject.images()[pick]),
                                model.read(*(x[pick] for x in subject.words())))
        image, text = subject.asked(model)
        for when in ("before", "after"):
            picked = ASKING[ability](model, image.rows(pick), text.rows(pick))
            if any(far(x, y) is not None for x, y in zip(picked, alone, strict=True)):
                cause = f"{ability} of rows is not the rows' own, asked {when} the whole"
                raise CheckFailed(cause, "keep products in state.once(name, ...), one name for each product")
            ASKING[ability](model, image, text)


def check_only_asked_weights(subject: BackboneSubject) -> None:
    """Abilities build weights that they use, and no others.

    Stem, word table and what else all builds share may idle, as may a hundredth of the weights (a bias between image
    tokens where texts alone are read). What is built for all abilities together is all used.
    """
    partner = "decode" if "decode" in subject.offers else "context"
    alone = [asked_with(partner if one == "context" else one) for one in sorted(subject.offers)]
    idle = {asked: _idle(subject, asked) for asked in (*alone, tuple(sorted(subject.offers)))}
    shared = frozenset.intersection(*(
        frozenset(name for name, _ in subject.build(frozenset(asked)).named_parameters()) for asked in alone
    ))
    for asked, names in idle.items():
        wrong = [name for name in names if len(asked) == len(subject.offers) or name not in shared]
        numbers = {name: weight.numel() for name, weight in subject.build(frozenset(asked)).named_parameters()}
        few = sum(numbers[name] for name in wrong) <= 0.01 * sum(numbers.values())
        if wrong and not (few and len(asked) < len(subject.offers)):
            cause = f"built with {', '.join(asked)}, it has weights that these never use: {', '.join(wrong[:4])}"
            raise CheckFailed(cause, "build a layer only under `if ability in abilities`")


def _idle(subject: BackboneSubject, asked: tuple[str, ...]) -> list[str]:
    """The weights that get no gradient from all that is asked."""
    model = subject.build(frozenset(asked)).train()
    image, text = subject.asked(model)
    outputs = [x for ability in asked for x in ASKING[ability](model, image, text)]
    if "decode" in asked:
        outputs.append(model.logits(model.decode(model.context(image, None), text)))
    torch.stack([(x * torch.linspace(-1, 1, x.numel()).view(x.shape)).sum() for x in outputs]).sum().backward()
    return [name for name, weight in model.named_parameters() if weight.grad is None]


def check_same_seed_same_weights(subject: BackboneSubject) -> None:
    """A weight depends on seed and name alone, whichever abilities are built beside it; another seed differs."""
    whole = dict(subject.build(subject.offers).named_parameters())
    for ability in sorted(subject.offers):
        for name, weight in subject.build(frozenset(asked_with(ability))).named_parameters():
            if name in whole and whole[name].shape == weight.shape and not torch.equal(weight, whole[name]):
                cause = f"{name} starts with other numbers when only {ability} is built"
                raise CheckFailed(cause, "draw weights in reset_parameters() of their own module")
    again, other = (dict(subject.build(subject.offers, seed).named_parameters()) for seed in (0, 1))
    if any(not torch.equal(weight, again[name]) for name, weight in whole.items()):
        raise CheckFailed("equal seeds gave other weights", "draw from torch's default generator in constructors")
    if all(torch.equal(weight, other[name]) for name, weight in whole.items()):
        raise CheckFailed("two seeds gave the same weights", "draw weights in reset_parameters()")


@torch.no_grad()
def check_backbone_state(subject: BackboneSubject) -> None:
    """A backbone with another's state_dict says the same."""
    first, second = subject.build(subject.offers, 0), subject.build(subject.offers, 1)
    second.load_state_dict(first.state_dict())
    for ability in sorted(subject.offers):
        said = [ASKING[ability](model, *subject.asked(model)) for model in (first, second)]
        if any(far(x, y) is not None for x, y in zip(*said, strict=True)):
            cause = f"{ability} differs after load_state_dict()"
            raise CheckFailed(cause, "keep what is learnt in parameters and persistent buffers")
