"""Our training step beside those of transformers' BLIP and BART and of open_clip's CoCa, on the same batch.

usage: python benchmarks/training_step.py [--device cuda --size base --batch 512] [--compile] [--only ours,BLIP]
                                          [--rounds N] [--json FILE]

Random weights, made-up input that lies on the device, all texts of full length, AdamW in its fused form, gradients
clipped; bf16 by autocast on a GPU, fp32 on a CPU. Equal on all sides: widths, heads, layers, picture, patch, length of
text, vocabulary, batch. Ours is the encoder-decoder pretrained with prefix-lm (half of the text read, half written),
once with a convolutional stem and once with linear patches; BART is that same wiring on that same stem; BLIP and CoCa
have a ViT of linear patches and write (CoCa: also match) the whole text. All are built in one process and take turns
step by step; a step is timed by events on a GPU. Operations of all sides are counted by torch's counter, forward and
backward, with attention counted as the products it is; peak memory is that of the side's own step and weights, and is
told on a GPU alone. `--compile` adds torch.compile of each (on a GPU by default); ours then is what a cell runs.

By default on a CPU: width 128, 2 + 2 layers, 64 pixels, 24 tokens, 32 pairs a step, which takes two minutes on two
cores; on a GPU: size base, 224 pixels, 64 tokens, 512 pairs. Limits hold on a GPU, in TFLOP/s against BLIP.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from ours import OPTIM, STEMS, Setting, training_of
from peers import Shape, available
from side_by_side import (
    Line,
    alternate,
    arguments,
    begin,
    finish,
    markdown,
    median_ratio,
    middle,
    operations,
    peak_of,
    short,
    spread,
)
from torch import nn

from vlpbench.backbones.sizes import SIZES
from vlpbench.contract.wiring import Size, Stem
from vlpbench.device import Device

LIMITS = {"BLIP": 1.5, "BLIP, compiled": 1.2}
"""On a GPU: how many times the TFLOP/s of each side ours must reach."""
COMPILED = ", compiled"


@dataclass
class Side:
    """One model in training."""

    step: Callable[[], Any]
    """One whole step."""
    flops: int
    """Operations of forward and backward of one pair."""
    first: float
    """Seconds to build it, compile it where it is compiled, and take the first step."""
    held: int
    """Bytes of the GPU that it holds between steps."""
    peak: int
    """Most bytes of the GPU that are its own during a step; 0 on a CPU."""
    seconds: list[float] = field(default_factory=list)
    """Of each timed step."""


def taught(build: Callable[[], nn.Module], shape: Shape, batch: int, device: Device, compiled: bool) -> tuple[Any, Any]:
    """A step of another library's model, and the gradient of two of its pairs."""
    model = build().to(device.torch).train()
    model = model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    weights = list(model.parameters())
    optimizer = torch.optim.AdamW(weights, lr=OPTIM.lr, weight_decay=OPTIM.weight_decay, fused=True)
    images = torch.randn(batch, 3, shape.pixels, shape.pixels, device=device.torch)
    images = images.to(memory_format=torch.channels_last)
    tokens = torch.randint(5, shape.words, (batch, shape.text), device=device.torch)
    call = torch.compile(model) if compiled else model

    def gradient() -> None:
        with device.autocast():
            model(images[:2], tokens[:2]).backward()
        optimizer.zero_grad(set_to_none=True)

    def step() -> None:
        optimizer.zero_grad(set_to_none=True)
        with device.autocast():
            loss = call(images, tokens)
        loss.backward()
        nn.utils.clip_grad_norm_(weights, OPTIM.clip)
        optimizer.step()

    return step, gradient


def measured(build: Callable[[], tuple[Any, Any]], device: Device) -> Side:
    """Build a side, count its operations, take its first steps."""
    cuda = device.kind == "cuda"
    before = torch.cuda.memory_allocated() if cuda else 0
    start = device.seconds()
    step, gradient = build()
    built = device.seconds() - start
    flops = operations(gradient) // 2
    start = device.seconds()
    step()
    first = built + device.seconds() - start
    if not cuda:
        return Side(step, flops, first, 0, 0)
    step()
    torch.cuda.synchronize()
    held = torch.cuda.memory_allocated() - before
    torch.cuda.reset_peak_memory_stats()
    step()
    torch.cuda.synchronize()
    return Side(step, flops, first, held, torch.cuda.max_memory_allocated() - before)


def builders(asked: argparse.Namespace, size: Size, device: Device) -> tuple[dict[str, Any], list[str]]:
    """How to build each side, by name, ours first; and what is left out."""
    patch = (4 if size.pooled else 2) * 4
    shape = Shape(size.width, size.heads, size.encoder, size.decoder, asked.pixels, patch, asked.text, asked.words)
    ways = [""] + ([COMPILED] if asked.compile else [])
    found: dict[str, Any] = {}
    for stem in ("conv3", "linear"):
        name = f"{stem}/encoder-decoder/{size.name}"
        setting = Setting(name, asked.pixels, asked.text // 2, asked.words, asked.batch, size=size)
        for way in ways:
            found[f"ours, {stem}{way}"] = lambda one=setting, way=way: our_side(one, device, way == COMPILED)

    def stem_of_ours() -> Stem:
        return STEMS["conv3"](size, asked.pixels)

    peers, missing = available(shape, stem_of_ours)
    for name, build in peers.items():
        for way in ways:
            found[name + way] = lambda build=build, way=way: taught(build, shape, asked.batch, device, way == COMPILED)
    wanted = asked.only.split(",") if asked.only else []
    chosen = {name: build for name, build in found.items() if not wanted or name.split(",")[0] in wanted}
    return chosen, missing


def our_side(setting: Setting, device: Device, compiled: bool) -> tuple[Any, Any]:
    """A step of ours, and the gradient of two of its pairs."""
    made = training_of(setting, device, compiled)
    return made.step, made.gradient


def opposed(name: str, sides: dict[str, Side], batch: int, device: Device) -> list[Line]:
    """A peer beside our own sides: the convolutional stem, as published; and linear patches, which ViTs have."""
    peer, lines = sides[name], []
    for stem in ("conv3",) if name.startswith("BART") else ("conv3", "linear"):
        own = next((one for one in (f"ours, {stem}{COMPILED}", f"ours, {stem}") if one in sides), None)
        if own is None:
            continue
        times = median_ratio(sides[own].seconds, peer.seconds)
        tera = [batch * one.flops / middle(one.seconds) / 1e12 for one in (sides[own], peer)]
        limit = LIMITS.get(name) if device.kind == "cuda" and stem == "conv3" else None
        ratio = times * sides[own].flops / peer.flops
        beside = {"pairs_per_second": [batch / middle(one.seconds) for one in (sides[own], peer)], "pairs_ratio": times}
        lines.append(Line(f"{own} against {name}", "TFLOP/s", *tera, ratio, limit, beside=beside))
    return lines


def table(sides: dict[str, Side], batch: int, peak: float) -> str:
    """What each side reaches."""
    head = ("side", "pairs/s", "spread", "GFLOP a pair", "TFLOP/s", "of peak", "memory", "first step")
    rows = []
    for name, side in sides.items():
        rate = batch / middle(side.seconds)
        tera = rate * side.flops / 1e12
        memory = f"{side.peak / 2**30:.1f} GiB" if side.peak else "-"
        rows.append((name, short(rate), f"{spread(side.seconds):.0%}", short(side.flops / 1e9), short(tera),
                     f"{tera / peak:.0%}", memory, f"{side.first:.1f} s"))
    return markdown(head, rows)


def main(argv: Sequence[str] | None = None) -> int:
    """Print all sides and ratios; exit 1 where a limit is broken."""
    parser = arguments(__doc__ or "", rounds=0)
    parser.add_argument("--size", choices=list(SIZES), help="base on a GPU; on a CPU tiny with width 128 and 2 layers")
    parser.add_argument("--pixels", type=int, help="224 on a GPU, else 64")
    parser.add_argument("--text", type=int, help="tokens of a text: 64 on a GPU, else 24")
    parser.add_argument("--words", type=int, help="of the vocabulary: 32,000 on a GPU, else 1,000")
    parser.add_argument("--batch", type=int, help="512 on a GPU, else 32")
    parser.add_argument("--compile", action=argparse.BooleanOptionalAction, help="on a GPU by default")
    parser.add_argument("--only", default="", help="sides, divided by commas: ours, BLIP, BART, CoCa")
    asked = parser.parse_args(argv)
    device = begin(asked)
    large = asked.device == "cuda"
    usual = {"pixels": 224, "text": 64, "words": 32_000, "batch": 512} if large else {
        "pixels": 64, "text": 24, "words": 1_000, "batch": 32}
    for name, value in usual.items():
        setattr(asked, name, getattr(asked, name) or value)
    asked.compile = large if asked.compile is None else asked.compile
    asked.rounds = asked.rounds or (100 if large else 12)
    small = replace(SIZES["tiny"], width=128, heads=4, encoder=2, decoder=2)
    size = SIZES[asked.size or "base"] if large or asked.size else small
    made, missing = builders(asked, size, device)
    for said in missing:
        print(said)
    sides: dict[str, Side] = {}
    for name, build in made.items():
        start = time.perf_counter()
        try:
            sides[name] = measured(build, device)
        except Exception as error:  # noqa: BLE001 (one side that cannot run leaves the others to be compared)
            print(f"{name} is left out: {type(error).__name__}: {str(error).splitlines()[0]}", flush=True)
            continue
        print(f"{name}: ready after {time.perf_counter() - start:.0f} s", flush=True)
    times = alternate({name: side.step for name, side in sides.items()}, asked.rounds, device, asked.clock, warm=3)
    for name, seconds in times.items():
        sides[name].seconds = seconds
    peak = peak_of(device, asked.clock)
    told = table(sides, asked.batch, peak)
    print(f"\nwidth {size.width}, {size.encoder} + {size.decoder} layers, {asked.pixels} pixels, {asked.text} tokens, "
          f"{asked.words} words, batch {asked.batch}; medians of {asked.rounds} steps each; peak of a matrix product "
          f"{peak:.3g} TFLOP/s\n\n{told}", flush=True)
    others = [name for name in sides if not name.startswith("ours")]
    lines = [line for name in others for line in opposed(name, sides, asked.batch, device)]
    facts = {name: {**vars(side), "step": None} for name, side in sides.items()}
    return finish(lines, asked, device, sides=facts, peak_tflops=peak)


if __name__ == "__main__":
    sys.exit(main())
