"""Checks of numbers: finite, one loss a sample, the same figures each step, on texts and batches of any shape."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from vlpbench.testing.findings import CheckFailed, CheckSkipped
from vlpbench.testing.rounds import Round, corrupted, crossed, mean_loss, play, round_of
from vlpbench.testing.subject import Subject
from vlpbench.types import Batch

__all__ = ["check_autocast", "check_batch_of_one", "check_eos_only", "check_figures", "check_finite_loss",
           "check_one_word_texts", "check_ragged_texts"]


def check_finite_loss(subject: Subject) -> None:
    """Each loss is finite, floating-point and has one row a sample; what is learnt has a gradient."""
    for kind, host in subject.hosts().items():
        made = round_of(subject, host, grad=True)
        _finite(made, kind)
        if not any(rows.requires_grad for rows in made.rows.values()):
            raise CheckFailed(f"no loss on {kind} depends on anything that is trained", "detach only the targets")


def check_figures(subject: Subject) -> None:
    """Figures are 0-d, finite, have no gradient to give, and the same names in each step."""
    names: dict[str, set[str]] = {}
    for seed in range(3):
        for kind, host in subject.hosts(seed).items():
            figures = round_of(subject, host, seed, grad=True).step.figures
            if names.setdefault(kind, set(figures)) != set(figures):
                cause = f"figures {sorted(names[kind])} in one step and {sorted(figures)} in another, both on {kind}"
                raise CheckFailed(cause, "report each figure in every step; NaN is no figure, 0 with a count is")
            for name, value in figures.items():
                if not isinstance(value, Tensor) or value.ndim != 0:
                    raise CheckFailed(f"the figure {name!r} is no 0-d tensor", "take its mean: value.mean()")
                if not torch.isfinite(value):
                    raise CheckFailed(f"the figure {name!r} is {float(value)} on {kind}", "guard it as the loss is")
    if not any(names.values()):
        raise CheckSkipped("no-figures")


def check_batch_of_one(subject: Subject) -> None:
    """A batch of one sample (one group where samples are coupled) gives finite losses and gradients."""
    sizes = {1, subject.group} if _takes_any(subject) else {subject.group}
    for samples in sorted(sizes):
        _all_finite(subject, subject.hosts(samples=samples), f"a batch of {samples}")


def _takes_any(subject: Subject) -> bool:
    """A group may be told from part of it, so a batch of one need not be possible; where it is, it must be finite."""
    if subject.group == 1:
        return True
    try:
        for host in subject.hosts(samples=1).values():
            round_of(subject, host)
    except (RuntimeError, ValueError, IndexError):
        return False
    return True


def check_one_word_texts(subject: Subject) -> None:
    """Texts of one word and end of sentence give finite losses and gradients."""
    _all_finite(subject, subject.hosts(words=[2] * subject.samples), "texts of one word")


def check_ragged_texts(subject: Subject) -> None:
    """Texts of all lengths beside each other give finite losses and gradients."""
    host = subject.hosts()
    longest = min(batch.tokens.shape[1] for batch in host.values())
    lengths = [1 + (7 * row) % longest for row in range(subject.samples)]
    _all_finite(subject, subject.hosts(words=lengths), "texts of many lengths")


def check_eos_only(subject: Subject) -> None:
    """Texts that hold nothing but end of sentence give finite losses and gradients."""
    _all_finite(subject, subject.hosts(words=[1] * subject.samples), "texts without a word")


def check_autocast(subject: Subject) -> str:
    """Under bfloat16 autocast, losses and gradients are finite, and losses are near fp32's; tells how near."""
    worst = 0.0
    for kind, host in subject.hosts().items():
        backbone = subject.backbone()
        objective = subject.objective(backbone)
        batch = crossed(corrupted(subject, host))
        exact = play(objective, backbone, batch)
        with torch.autocast("cpu", torch.bfloat16):
            made = play(objective, backbone, batch)
        _finite(made, f"{kind} in bfloat16")
        _finite_gradients(made, [*objective.parameters(), *backbone.parameters()], f"{kind} in bfloat16")
        for name, rows in exact.rows.items():
            apart = float((made.rows[name] - rows).detach().abs().mean() / rows.detach().abs().mean().clamp_min(1.0))
            worst = max(worst, apart)
            if not apart <= _NEAR:
                cause = f"in bfloat16, {name!r} on {kind} is {apart:.0%} away from what it is in fp32"
                raise CheckFailed(cause, "encode() may run in bf16: keep no small difference of large numbers there")
    return f"{worst:.1%} away from fp32"


_NEAR = 0.2
"""How far a loss may be away in bf16, which has three digits: mean over samples, relative to the loss or to 1."""


def _all_finite(subject: Subject, hosts: dict[str, Batch], what: str) -> None:
    for training in (False, True):
        for kind, host in hosts.items():
            for seed in range(2):
                backbone = subject.backbone().train(training)
                objective = subject.objective(backbone).train(training)
                where = f"{what} ({kind})"
                try:
                    made = play(objective, backbone, crossed(corrupted(subject, host, seed)))
                except (RuntimeError, ValueError, IndexError, ZeroDivisionError) as wrong:
                    if "more than 1 value per channel" in str(wrong) and not _tracks(objective):
                        raise CheckSkipped("batch-statistics") from wrong
                    cause = f"expected a loss for {where}, saw {type(wrong).__name__}: {wrong}"
                    raise CheckFailed(cause, "take sums with weights instead of picking rows") from wrong
                _finite(made, where)
                _finite_gradients(made, [*objective.parameters(), *backbone.parameters()], where)


def _tracks(objective: nn.Module) -> bool:
    """Whether a batch norm of the objective keeps running statistics, which the contract forbids."""
    norms = [one for one in objective.modules() if isinstance(one, nn.modules.batchnorm._BatchNorm)]
    return any(one.track_running_stats for one in norms)


def _finite(made: Round, where: str) -> None:
    samples = len(made.batch)
    if not made.rows:
        raise CheckFailed(f"loss() returned no losses on {where}", "return Step(losses) with B losses")
    for name, rows in made.rows.items():
        if not isinstance(rows, Tensor) or rows.shape != (samples,):
            shape = tuple(rows.shape) if isinstance(rows, Tensor) else type(rows).__name__
            cause = f"expected {name!r} of shape ({samples},) on {where}, saw {shape}"
            raise CheckFailed(cause, "sum over a sample's own terms; the loop takes the mean over samples")
        if not rows.is_floating_point() or rows.dtype not in (torch.float32, torch.float64):
            raise CheckFailed(f"{name!r} on {where} is {rows.dtype}, not float32", "compute the formula in fp32")
        bad = (~torch.isfinite(rows)).nonzero().flatten().tolist()
        if bad:
            cause = f"expected finite losses for {where}, saw {rows[bad[0]].item()} in row {bad[0]} of {name!r}"
            raise CheckFailed(cause, _NAN)


_NAN = "look for a division by a number of others, a logarithm or root of 0, a deviation of one value; clamp them"


def _finite_gradients(made: Round, weights: Sequence[Tensor], where: str) -> None:
    loss = mean_loss(made)
    if not loss.requires_grad:
        return
    wanted = [weight for weight in weights if weight.requires_grad]
    for gradient in torch.autograd.grad(loss, wanted, allow_unused=True):
        if gradient is not None and not torch.isfinite(gradient).all():
            raise CheckFailed(f"the losses for {where} are finite, but a gradient is not", _NAN)
