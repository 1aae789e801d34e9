"""The gradient of a step's joint loss, in micro-batches of any size and in any number of processes.

A term whose samples see each other in `loss` ("all") is cached: its features are computed piece by piece and cut off
from the pieces' graphs, the formula sees all of them at once, and the gradient of the features is handed to each piece
when it is computed again (gradient caching, arXiv 2101.06983). So its result does not depend on the cuts, either.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import ceil, lcm

import torch
from torch import Tensor, nn

from vlpbench.device import Device
from vlpbench.errors import UserError
from vlpbench.parts import ranks
from vlpbench.training.joint import StepBatches, Tally, Terms, Views, encoded, terms_of, told, with_states
from vlpbench.training.learner import Learner
from vlpbench.training.sharing import Sharing

__all__ = ["check_micro_batch", "joint_gradient", "sees_the_batch", "together"]


@dataclass(frozen=True)
class _Piece:
    """Some neighbouring rows of one batch."""

    kind: str
    views: Views
    rows: slice
    number: int


def joint_gradient(
    learner: Learner, batches: StepBatches, device: Device, micro_batch: int = 0, terms: Terms = terms_of
) -> tuple[Tensor, dict[str, Tensor], dict[str, dict[str, Tensor]]]:
    """Add the gradient of the joint loss to all parameters; give the loss (0-d), figures, and what terms carry.

    About `micro_batch` samples go through the model at once, 0 for all of a batch: it is rounded up to whole groups of
    terms whose samples see each other in `encode`. Where several processes train, each hands over its own samples, in
    whole groups, and all get the gradient of all. `terms` computes the terms of a piece; where terms are cached, the
    plain way is taken.
    """
    tally = Tally(learner, batches, device)
    sharing = learner.sharing or Sharing(learner.parameters() if ranks.many() > 1 else ())
    pieces = list(_pieces(batches, micro_batch, together(learner, batches)))
    cut = len(pieces) > len(batches)
    coupled = [name for name in learner.terms if cut and learner.objective(name).compares_all]
    chance = torch.initial_seed()
    wanted = _gradients_of_features(learner, batches, pieces, coupled, tally, chance) if coupled else {}
    for piece in pieces:
        if coupled:  # the same dropout as when the features were cached: these terms come first in both
            torch.manual_seed(chance + piece.number)
            loss = _pulling(learner, piece, coupled, wanted, tally)
        else:
            loss = torch.zeros((), device=device.torch)
            for name, step in terms(learner, piece.kind, piece.views, device).items():
                loss = loss + tally.add(name, piece.kind, step, len(piece.views[name]))
        if loss.requires_grad:
            with sharing.overlapped(piece is pieces[-1]):
                loss.backward()
    sharing.finish()
    return tally.finish()


def check_micro_batch(learner: Learner, micro_batch: int) -> None:
    """Raise UserError where cutting a batch into pieces would change what is learnt."""
    if micro_batch and sees_the_batch(learner):
        raise UserError(
            "a stem with batch norm sees all samples of a batch at once, so it cannot go through in micro-batches",
            "budget.micro_batch", 'set it to 0, or take a size with group norm ("tiny" and larger)',
        )


def sees_the_batch(learner: Learner) -> bool:
    """Whether batch norm lets all samples of a batch see each other in `encode`."""
    return any(isinstance(module, nn.modules.batchnorm._BatchNorm) for module in learner.modules())


def together(learner: Learner, batches: StepBatches) -> dict[str, int]:
    """Samples of each kind that must stay together: whole groups of every term that uses it, and whole pictures."""
    found = {}
    for kind, views in batches.items():
        samples = len(next(iter(views.values())))
        terms = [term for name in learner.terms if kind in (term := learner.objective(name)).uses]
        found[kind] = lcm(next(iter(views.values())).captions, *(term.group for term in terms))
        if ranks.many() > 1 and samples % found[kind]:
            raise UserError(
                f"samples see each other in groups of {found[kind]}, and a process has {samples} {kind}",
                "budget.batch", f"give each process a multiple of {found[kind]}",
            )
    return found


def _pieces(batches: StepBatches, micro_batch: int, groups: Mapping[str, int]) -> Iterator[_Piece]:
    """Neighbouring rows, at least `micro_batch` of them, in whole groups."""
    number = 0
    for kind, views in batches.items():
        samples, group = len(next(iter(views.values()))), groups[kind]
        size = ceil(micro_batch / group) * group if micro_batch else samples
        for start in range(0, samples, size):
            rows = slice(start, min(start + size, samples))
            mine = views if size >= samples else {name: view.rows(rows) for name, view in views.items()}
            yield _Piece(kind, mine, rows, number)
            number += 1


def _gradients_of_features(
    learner: Learner, batches: StepBatches, pieces: list[_Piece], coupled: list[str], tally: Tally, chance: int
) -> dict[tuple[str, str], dict[str, Tensor]]:
    """For each coupled term and kind the gradient of the joint loss by each of its features (B, ...)."""
    parts: dict[tuple[str, str], list[Mapping[str, Tensor]]] = {}
    for piece in pieces:
        torch.manual_seed(chance + piece.number)
        shared = with_states(learner.backbone, piece.views)
        for name in coupled:
            if piece.kind in tally.kinds[name]:
                # cut off rather than made under no_grad, in which torch's FLOP counter trips over a view of a weight
                made = {key: x.detach() for key, x in encoded(learner, name, shared[name], tally.device).items()}
                parts.setdefault((name, piece.kind), []).append(made)
    found = {}
    for (name, kind), made_of_pieces in parts.items():
        whole = {key: torch.cat([made[key] for made in made_of_pieces]) for key in made_of_pieces[0]}
        leaves = {key: x.float().requires_grad_() if x.is_floating_point() else x for key, x in whole.items()}
        batch = batches[kind][name]
        loss = tally.add(name, kind, told(learner, name, leaves, batch, tally.device), len(batch))
        if loss.requires_grad:
            loss.backward()
        found[name, kind] = {key: leaf.grad for key, leaf in leaves.items() if leaf.grad is not None}
    return found


def _pulling(
    learner: Learner, piece: _Piece, coupled: list[str], wanted: Mapping[tuple[str, str], Mapping[str, Tensor]],
    tally: Tally,
) -> Tensor:
    """What a piece adds to the joint loss (0-d), its cached terms as numbers whose gradient is the wanted one."""
    shared = with_states(learner.backbone, piece.views)
    loss = torch.zeros((), device=tally.device.torch)
    for name in [*coupled, *(name for name in learner.terms if name not in coupled)]:
        if piece.kind not in tally.kinds[name]:
            continue
        batch = shared[name]
        features = encoded(learner, name, batch, tally.device)
        if name in coupled:
            loss = loss + _pulled(features, wanted[name, piece.kind], piece.rows)
        else:
            step = told(learner, name, features, batch, tally.device)
            loss = loss + tally.add(name, piece.kind, step, len(batch))
    return loss


def _pulled(features: Mapping[str, Tensor], gradients: Mapping[str, Tensor], rows: slice) -> Tensor:
    """A number whose gradient by the features is the given one."""
    found = [(features[key].float() * gradient[rows]).sum() for key, gradient in gradients.items()]
    return torch.stack(found).sum() if found else torch.zeros(())
