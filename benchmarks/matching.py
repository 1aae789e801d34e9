"""Re-ranking of COCO's size by a matching head: seconds, and how much of the work is made once a picture.

usage: python benchmarks/matching.py [--device cuda] [--size base] [--images 5000] [--k 256] [--two-way]
                                     [--blocks N] [--count] [--json FILE]

Random weights, made-up pictures of 224 pixels (32 at sizes nano and tiny), five captions each: a two-tower trunk with
fusion layers (ALBEF's; with --two-way METER's, whose pictures look at words) judges the nearest k of each query in both
directions, block by block of pictures, as the task retrieval@match does. `--blocks` measures the first few and scales
up; on a CPU one is measured unless it says more. With --json each block is kept when it is done: called again with the
same options on the same device, it goes on. The account counts floating-point operations on shapes alone (--count stops
there): what is made once a picture or a sentence, what each pair takes, and what it took without what is made once.
Limit on a GPU at base with 5,000 pictures and k 256: 300 s. (`shortlists.py` does the same by likelihood.)
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from ours import as_published
from shortlists import trial_of
from side_by_side import Line, arguments, begin, clock_of, finish, machine, operations

from vlpbench.backbones import Conv3, DualFusion
from vlpbench.backbones.dual_fusion import DualFusionConfig
from vlpbench.backbones.sizes import SIZES
from vlpbench.data.splits import Split
from vlpbench.device import Device
from vlpbench.files import write_json
from vlpbench.metrics.shortlist import shortlist_of_vectors
from vlpbench.objectives.image_text_matching import Config, ImageTextMatching
from vlpbench.tasks.gallery import Gallery, States
from vlpbench.tasks.rerank import Match, block_scores
from vlpbench.tasks.trial import Plan, Trial
from vlpbench.training.build import Blueprint, draw

NEEDS = frozenset({"image_vector", "text_vector", "fused_tokens"})
ALL, SECONDS, WORDS = 5_000, 300.0, 12
"""Pictures and seconds of the limit; words of a caption in the account."""
OF_RESULT = ("device", "size", "images", "k", "two_way", "threads", "clock")
"""Options that a kept result must share."""


def made_up(asked: argparse.Namespace, images: int, device: Device) -> tuple[Trial, Split]:
    """Random weights, and so many pictures with captions."""
    backbone = f"conv3/encoder-decoder/{asked.size}"
    trial, split = trial_of(argparse.Namespace(pictures=images, k=asked.k, backbone=backbone, batch=1), device)
    shape, config = as_published(backbone, 1), DualFusionConfig(two_way=asked.two_way)
    vocabulary = trial.tokenizer.vocabulary
    plan = Blueprint(Conv3, "", DualFusion, SIZES[asked.size], shape.pixels, vocabulary, shape.text, 0, config)
    return replace(trial, blueprint=plan), split


def account(blueprint: Plan, side: int, texts: int = 32) -> dict[str, float]:
    """GFLOP of a picture, of what texts see of it, of a sentence, and of a pair with and without what is made once."""
    with torch.device("meta"):
        backbone = blueprint.build(NEEDS).eval().requires_grad_(False)
        head = ImageTextMatching(Config(), backbone.spec).requires_grad_(False)
        pixels = torch.empty(1, 3, side, side)
        tokens = torch.ones(texts, WORDS, dtype=torch.long)

        def made(shared: bool, times: int) -> int:
            """All of one picture and its texts, matched so many times."""
            image, text = backbone.see(pixels), backbone.read(tokens, tokens > 0)
            pair = image.each(texts) if shared else image.rows(torch.zeros(texts, dtype=torch.long))

            def call() -> None:
                backbone.image_tokens(image)
                backbone.text_tokens(text)
                for _ in range(times):
                    head.match(backbone, pair, text)

            return operations(call)

        picture = operations(lambda: backbone.image_tokens(backbone.see(pixels)))
        sentence = operations(lambda: backbone.text_tokens(backbone.read(tokens, tokens > 0))) / texts
        once, twice = made(True, 1), made(True, 2)
        pair, plain = (twice - once) / texts, (made(False, 2) - made(False, 1)) / texts
        found = {"picture": picture, "seen": 2 * once - twice - picture - sentence * texts, "sentence": sentence,
                 "pair": pair, "pair, nothing made once": plain}
    return {name: flops / 1e9 for name, flops in found.items()}


class Pieces:
    """Blocks of pictures, each kept when it is done."""

    def __init__(self, asked: argparse.Namespace, device: Device) -> None:
        self.asked, self.device = asked, device
        self.key = {name: getattr(asked, name) for name in OF_RESULT} | {"model": machine(device)["model"]}
        self.done: dict[str, dict[str, float]] = {}
        if asked.json is not None and asked.json.is_file():
            kept = json.loads(asked.json.read_text(encoding="utf-8"))
            self.done = kept.get("blocks", {}) if kept.get("key") == self.key else {}

    def keep(self, name: str, seconds: float, pairs: int) -> None:
        """A block is done."""
        self.done[name] = {"seconds": seconds, "pairs": pairs}
        if self.asked.json is not None:
            write_json(self.asked.json, {"key": self.key, "blocks": self.done})


@torch.no_grad()
def measured(asked: argparse.Namespace, device: Device) -> tuple[float, int, Pieces]:
    """Seconds of it all, pairs, and the blocks."""
    pieces, now = Pieces(asked, device), clock_of(device, asked.clock)
    trial, split = made_up(asked, asked.images, device)
    backbone = trial.build(NEEDS).eval()
    head = ImageTextMatching(Config(), backbone.spec)
    draw(head, 0)
    states = States(Gallery(split), backbone, trial)
    judge = Match(backbone, head.to(device.torch).eval(), trial)
    with device.autocast():
        start = now()
        images, sentences = states.vectors(keep=True)
        seconds = now() - start
        wanted = _pairs(images, sentences[states.gallery.sentence], states.gallery.sentence, asked.k)
        many = min(asked.blocks, len(states.image_blocks)) or len(states.image_blocks)
        begun = time.monotonic()
        for number, block in enumerate(states.image_blocks[:many]):
            if str(number) in pieces.done:
                continue
            pairs = wanted[(wanted[:, 0] >= block[0]) & (wanted[:, 0] <= block[-1])]
            start = now()
            block_scores(states, judge, number, pairs)
            pieces.keep(str(number), now() - start, len(pairs))
            left = (time.monotonic() - begun) / (number + 1) * (many - number - 1)
            print(f"block {number + 1} of {many}, {len(pairs):,} pairs, about {left:.0f} s left", file=sys.stderr)
    seen = [pieces.done[str(number)] for number in range(many)]
    rate = sum(one["seconds"] for one in seen) / sum(one["pairs"] for one in seen)
    return seconds + rate * len(wanted), len(wanted), pieces


def _pairs(images: np.ndarray, texts: np.ndarray, sentence: np.ndarray, k: int) -> np.ndarray:
    """N, 2: pictures and sentences that either direction lists, each pair once."""
    listed = shortlist_of_vectors(images, texts, min(k, len(images)))
    many = int(sentence.max()) + 1
    both = (np.arange(len(images))[:, None] * many + sentence[listed.texts_of_image],
            listed.images_of_text * many + sentence[:, None])
    return np.stack(np.divmod(np.unique(np.concatenate([one.ravel() for one in both])), many), 1)


def lines_of(asked: argparse.Namespace, device: Device) -> tuple[list[Line], dict[str, Any]]:
    """What is printed, and what else is written."""
    few, _ = made_up(asked, 8, device)
    each = account(few.blueprint, few.settings.image.size)
    what = f"conv3/dual-fusion/{asked.size}{', two-way' if asked.two_way else ''}"
    print(f"GFLOP: {', '.join(f'{name} {flops:.3g}' for name, flops in each.items())}", flush=True)
    plain, pair = each["pair, nothing made once"], each["pair"]
    lines = [Line(f"{what}: a pair, beside one whose keys are made anew", "GFLOP", pair, plain, plain / pair)]
    if asked.count:
        return lines, {"gflops": each}
    seconds, pairs, pieces = measured(asked, device)
    flops = asked.images * (each["picture"] + each["seen"] + 5 * each["sentence"]) + pairs * pair
    full = device.kind == "cuda" and asked.images >= ALL and asked.size == "base" and asked.k >= 256
    said = f"{what}: {asked.images:,} x 5, k {asked.k}, {pairs:,} pairs, {flops / 1e6:.3g} PFLOP"
    facts = {"gflops": each, "pairs": pairs, "key": pieces.key, "blocks": pieces.done}
    limit = 1.0 if full else None
    return [*lines, Line(said, "s", seconds, SECONDS, seconds / SECONDS, limit, most=True)], facts


def main(argv: Sequence[str] | None = None) -> int:
    """Print account and seconds; exit 1 where the limit is broken."""
    parser = arguments(__doc__ or "", rounds=1)
    parser.add_argument("--size", choices=list(SIZES), help="base on a GPU, else nano")
    parser.add_argument("--images", type=int, help="5,000 on a GPU, else 200")
    parser.add_argument("--k", type=int, default=256, help="length of a shortlist")
    parser.add_argument("--two-way", action="store_true", help="pictures look at words too")
    parser.add_argument("--blocks", type=int, help="of 128 pictures; 1 on a CPU, else all")
    parser.add_argument("--count", action="store_true", help="only count operations")
    asked = parser.parse_args(argv)
    device = begin(asked)
    large = device.kind == "cuda"
    asked.size = asked.size or ("base" if large else "nano")
    asked.images = asked.images or (ALL if large else 200)
    asked.blocks = asked.blocks or (0 if large else 1)
    lines, facts = lines_of(asked, device)
    return finish(lines, asked, device, **facts)


if __name__ == "__main__":
    sys.exit(main())
