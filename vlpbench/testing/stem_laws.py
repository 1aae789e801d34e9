"""Checks of a stem by itself: its grid, its weights, what it may depend on, what it says to sizes and arguments.

Axes: B samples, P image tokens, D width, H pixels a side.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from vlpbench.contract.wiring import Stem, Trunk
from vlpbench.errors import UserError
from vlpbench.testing.backbone_subject import BackboneSubject
from vlpbench.testing.chance import moved, seeded_anew, shared_states
from vlpbench.testing.findings import CheckFailed, CheckSkipped
from vlpbench.testing.rounds import far

__all__ = ["check_stem_argument", "check_stem_gradients", "check_stem_grid", "check_stem_repeats",
           "check_stem_samples_apart", "check_stem_sizes"]

_STEPS = 3
"""Steps in which each weight must have been moved once: a layer that starts at zero hides those behind it."""

_SIZES = (32, 48, 64, 96, 224)
"""Pixels a side that people have."""


def check_stem_grid(subject: BackboneSubject) -> str:
    """Tokens are `grid` rows of columns in raster order, D wide: each corner's token looks most at that corner."""
    stem = _own(subject).eval()
    images = _pictures(subject.pixels).requires_grad_()
    tokens = stem(images)
    rows, columns = _grid(stem)
    wanted = (len(images), rows * columns, subject.size.width)
    if tuple(tokens.shape) != wanted:
        said = f"{subject.pixels} pixels gave tokens of shape {tuple(tokens.shape)}"
        raise CheckFailed(f"{said}; grid {(rows, columns)} says {wanted}", "give B, P, D with P = rows * columns")
    if min(rows, columns) > 1:
        first, right, below = (_looks_at(tokens[:, at], images) for at in (0, columns - 1, (rows - 1) * columns))
        across, down = right - first, below - first  # y, x each
        if not (across[1] > across[0].abs() and down[0] > down[1].abs()):
            cause = f"of {rows} x {columns} tokens the number {columns - 1} does not lie to the right of the first"
            raise CheckFailed(cause, "tokens go row by row: feature_map.flatten(2).transpose(1, 2)")
    return f"{rows} x {columns} tokens of {subject.pixels} pixels"


def _looks_at(token: Tensor, images: Tensor) -> Tensor:
    """2: the middle (y, x) of the pixels that decide a token (B, D)."""
    (gradient,) = torch.autograd.grad(token.sum(), images, retain_graph=True)
    seen = gradient.abs().sum((0, 1))
    at = torch.arange(len(seen), dtype=torch.float32)
    return torch.stack([seen.sum(1) @ at, seen.sum(0) @ at]) / seen.sum().clamp_min(1e-12)


@torch.no_grad()
def check_stem_repeats(subject: BackboneSubject) -> None:
    """In evaluation the same picture gives the same tokens, whatever was seen before; no shared generator is used."""
    stem = _own(subject).eval()
    images = _pictures(subject.pixels)
    first = stem(images)
    stem(_pictures(subject.pixels, 1))
    with seeded_anew(1):
        before = shared_states()
        again = stem(images)
        touched = moved(before)
    if touched:
        raise CheckFailed(f"forward() draws from the shared generator of {', '.join(touched)}", "draw none in eval()")
    if far(again, first) is not None:
        raise CheckFailed("the same pictures gave other tokens the second time", "keep nothing between calls")


@torch.no_grad()
def check_stem_samples_apart(subject: BackboneSubject) -> str:
    """Another first picture leaves the others' tokens alone: in evaluation, and while training but for batch norm."""
    for training in (False, True):
        stem = _own(subject).train(training)
        if training and any(isinstance(one, nn.modules.batchnorm._BatchNorm) for one in stem.modules()):
            return "while training its batch norms look at all pictures: micro-batches change numbers"
        images = _pictures(subject.pixels)
        mixed = torch.cat([_pictures(subject.pixels, 1)[:1], images[1:]])
        with seeded_anew(0):
            base = stem(images)
        with seeded_anew(0):
            made = stem(mixed)
        if far(made[1:], base[1:]) is not None:
            cause = "another first picture changed the tokens of the others"
            raise CheckFailed(cause, "pictures do not see each other")
    return ""


def check_stem_gradients(subject: BackboneSubject) -> None:
    """Every weight that is trained gets a finite gradient within a few steps; most of a picture is looked at."""
    stem = _own(subject).train()
    images = _pictures(subject.pixels).requires_grad_()
    weights = {name: weight for name, weight in stem.named_parameters() if weight.requires_grad}
    alive: set[str] = set()
    for _ in range(_STEPS):
        tokens = stem(images)
        (tokens * torch.linspace(-1, 1, tokens.numel()).view(tokens.shape)).sum().backward()
        with torch.no_grad():
            for name, weight in weights.items():
                if weight.grad is None:
                    continue
                if not torch.isfinite(weight.grad).all():
                    raise CheckFailed(f"the gradient of {name} is not finite", "clamp what is divided by or rooted")
                if weight.grad.any():
                    alive.add(name)
                    weight.sub_(1e-3 * weight.grad / weight.grad.norm())
        stem.zero_grad()
    dead = [name for name in weights if name not in alive]
    if dead:
        raise CheckFailed(f"the weight {dead[0]} gets no gradient", "use it in forward(), or do not make it")
    assert images.grad is not None
    unseen = float((images.grad.abs().sum((0, 1)) == 0).float().mean())
    if unseen > 0.5:
        raise CheckFailed(f"forward() never looks at {unseen:.0%} of a picture", "pool or stride over all of it")


@torch.no_grad()
def check_stem_sizes(subject: BackboneSubject) -> str:
    """Built for other sizes of pictures, its grid is right again; one it cannot take is a ValueError. Tells which."""
    _skip_ours(subject)
    takes, refused = [], []
    for pixels in _SIZES:
        try:
            stem = _built(subject, pixels)
        except (ValueError, UserError):
            refused.append(str(pixels))
            continue
        except Exception as wrong:
            cause = f"for pictures of {pixels} pixels its constructor raised {type(wrong).__name__}: {wrong}"
            raise CheckFailed(cause, "refuse a size in words: raise ValueError(...)") from wrong
        rows, columns = _grid(stem)
        try:
            tokens = stem.eval()(_pictures(pixels, samples=1))
        except (RuntimeError, ValueError, IndexError) as wrong:
            cause = f"built for pictures of {pixels} pixels, it cannot take them: {type(wrong).__name__}: {wrong}"
            raise CheckFailed(cause, "refuse a size in the constructor: raise ValueError(...)") from wrong
        if tokens.shape[1] != rows * columns:
            cause = f"{pixels} pixels gave {tokens.shape[1]} tokens, and grid says {rows} x {columns}"
            raise CheckFailed(cause, "make `grid` of `pixels` in the constructor")
        takes.append(f"{pixels} ({rows} x {columns})")
    if not takes:
        raise CheckFailed(f"it takes none of {', '.join(map(str, _SIZES))} pixels", "take one of the usual sizes")
    return f"takes {', '.join(takes)}" + (f"; refuses {', '.join(refused)}" if refused else "")


def check_stem_argument(subject: BackboneSubject) -> str:
    """What stands behind the colon of its name matters or is refused: else two names would mean one stem."""
    plain = _own(subject)
    try:
        other = _built(subject, subject.pixels, "no-such-argument")
    except Exception as wrong:  # noqa: BLE001 (any refusal will do)
        return f"refuses {subject.stem.name}:no-such-argument ({type(wrong).__name__})"
    mine, theirs = plain.state_dict(), other.state_dict()
    if mine.keys() == theirs.keys() and all(mine[name].shape == theirs[name].shape for name in mine):
        other.load_state_dict(mine)
        with torch.no_grad():
            images = _pictures(subject.pixels)
            if far(other.eval()(images), plain.eval()(images)) is None:
                cause = f"{subject.stem.name}:no-such-argument is taken, and is the same as {subject.stem.name}"
                raise CheckFailed(cause, "use `argument`, or raise ValueError where it is not empty")
    return "is decided by its argument"


def _own(subject: BackboneSubject) -> Stem:
    """The stem with drawn weights; CheckSkipped where it is vlpbench's and a trunk is checked."""
    _skip_ours(subject)
    try:
        trunk = subject.build(frozenset({"image_tokens"}) & subject.offers)
    except ValueError as wrong:
        raise CheckFailed(f"it cannot be built for {subject.pixels} pixels: {wrong}", "take 32 pixels") from wrong
    assert isinstance(trunk, Trunk)
    return trunk.stem


def _skip_ours(subject: BackboneSubject) -> None:
    if subject.author is subject.trunk:
        raise CheckSkipped("built-in-stem")


def _built(subject: BackboneSubject, pixels: int, argument: str | None = None) -> Stem:
    with seeded_anew(0):
        return subject.stem(subject.size, pixels, subject.argument if argument is None else argument)


def _grid(stem: Stem) -> tuple[int, int]:
    grid = getattr(stem, "grid", None)
    if not isinstance(grid, tuple) or len(grid) != 2 or not all(isinstance(one, int) and one > 0 for one in grid):
        raise CheckFailed(f"grid is {grid!r}", "set self.grid = (rows, columns) in the constructor")
    return grid


def _pictures(pixels: int, seed: int = 0, samples: int = 3) -> Tensor:
    """B, 3, H, H."""
    rng = np.random.default_rng((pixels, seed))
    return torch.from_numpy(rng.standard_normal((samples, 3, pixels, pixels), dtype=np.float32))
