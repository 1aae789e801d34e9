"""Evaluating a base model: captions beside transformers' BLIP, re-ranking beside judging each pair anew.

usage: python benchmarks/evaluation.py [--only captions|reranking] [--device cuda] [--pictures N] [--json FILE]

Random weights, made-up pictures and captions, so what is measured is time alone; each sentence is made 20 words long.

captions: a sentence for each of 5,000 pictures by 4 beams, from pixels to ids, beside `generate` of a BLIP of equal
widths and layers; and beside the limit in seconds. The other side writes for a tenth of the pictures, and its time is
scaled up.

reranking: 5,000 pictures and five captions each, the nearest 256 of each query by vectors scored by likelihood in both
directions, from pixels to rows (task retrieval@likelihood, what a picture needs is made once), beside putting each pair
through stem, encoder and decoder anew, measured on some and scaled up to those of one direction; and beside the limit.

On a CPU size nano, 32 pixels, and few pictures by default; limits in seconds hold on a GPU with all 5,000 alone.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from feeding import sentences
from ours import STEMS, TRUNKS, as_published, blueprint
from peers import Blip, Shape
from side_by_side import Line, arguments, begin, finish

from vlpbench.config.settings import CellSettings, ImageSettings, Protocol, TextSettings
from vlpbench.data.images import prepare_images
from vlpbench.data.splits import Split
from vlpbench.data.tokenizer import Tokenizer
from vlpbench.device import Device
from vlpbench.tasks.generate import Search, generate
from vlpbench.tasks.retrieval import Retrieval
from vlpbench.tasks.trial import Trial
from vlpbench.types import Sample

ALL = 5_000
"""Pictures of COCO's test split."""
SECONDS = {"captions": 30.0, "reranking": 300.0}
"""On a GPU, for all of them at size base."""
ANEW = 2.0
"""How many times as fast re-ranking is as making each pair anew, under the same conditions."""
BEAMS, LENGTH, CAPTIONS, TASK = 4, 20, 5, "retrieval@likelihood@zero-shot"


def pictures(number: int, pixels: int) -> np.ndarray:
    """N, S, S, 3 uint8: few that differ, shown again and again."""
    few = np.random.default_rng(0).integers(0, 256, (min(number, 256), pixels, pixels, 3), np.uint8)
    return few[np.arange(number) % len(few)]


@torch.no_grad()
def captions(asked: argparse.Namespace, device: Device) -> list[Line]:
    """Sentences for pictures."""
    setting = as_published(asked.backbone, asked.batch)
    size = setting.of_size()
    backbone = blueprint(setting).build({"context", "decode"}).eval().to(device.torch)
    backbone = backbone.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    pixels, search = pictures(asked.pictures, setting.pixels), Search(BEAMS, least=LENGTH)

    def seen(block: np.ndarray) -> torch.Tensor:
        return prepare_images(torch.from_numpy(block).to(device.torch), setting.pixels)

    def ours(whole: np.ndarray) -> float:
        start = device.seconds()
        for at in range(0, len(whole), asked.batch):
            with device.autocast():
                context = backbone.context(backbone.see(seen(whole[at : at + asked.batch])))
                generate(backbone, context, [1], LENGTH, search)
        return device.seconds() - start

    ours(pixels[: asked.batch])
    mine = ours(pixels)
    full = device.kind == "cuda" and asked.pictures >= ALL and size.name == "base"
    what = f"{setting.backbone}: captions of {asked.pictures:,} pictures, {BEAMS} beams, {LENGTH} words"
    most = SECONDS["captions"]
    lines = [Line(f"{what}, against the limit", "s", mine, most, mine / most, 1.0, most=True)] if full else []
    try:
        import transformers
    except ImportError:
        print("BLIP is left out: transformers is not installed (pip install transformers)")
        return lines
    transformers.logging.set_verbosity_error()
    patch = (4 if size.pooled else 2) * 4
    shape = Shape(size.width, size.heads, size.encoder, size.decoder, setting.pixels, patch, 2 * LENGTH, setting.words)
    model: Any = Blip(shape).model.eval().to(device.torch)

    def theirs(whole: np.ndarray) -> float:
        start = device.seconds()
        for at in range(0, len(whole), asked.batch):
            with device.autocast():
                model.generate(pixel_values=seen(whole[at : at + asked.batch]), num_beams=BEAMS, do_sample=False,
                               min_new_tokens=LENGTH, max_new_tokens=LENGTH)
        return device.seconds() - start

    some = pixels[: max(asked.batch, len(pixels) // 10)]
    theirs(some[: asked.batch])
    other = theirs(some) * len(pixels) / len(some)
    return [*lines, Line(f"{what}, against BLIP's generate", "s", mine, other, other / mine)]


def trial_of(asked: argparse.Namespace, device: Device) -> tuple[Trial, Split]:
    """A model with random weights, and a split of made-up pictures and captions."""
    texts = sentences(CAPTIONS * asked.pictures)
    setting = as_published(asked.backbone, asked.batch)
    how = TextSettings(length=setting.text, vocabulary=1000)
    tokenizer = Tokenizer.train(texts[:2000], how)
    protocol = Protocol(shortlist=min(asked.k, asked.pictures - 1))
    settings = CellSettings(image=ImageSettings(size=setting.pixels), text=how, protocol={TASK: protocol})
    samples = tuple(
        Sample(at, f"{at}.jpg", tuple(texts[CAPTIONS * at : CAPTIONS * (at + 1)])) for at in range(asked.pictures)
    )
    split = Split("made up", "test", samples, pictures(asked.pictures, setting.pixels), ())
    trial = Trial(
        task=TASK, settings=settings, protocol=protocol, open_split=lambda name, purpose: split, tokenizer=tokenizer,
        blueprint=blueprint(setting), weights={}, visible="all", device=device, trains=frozenset({"vectors", "decode"}),
    )
    return trial, split


@torch.no_grad()
def reranking(asked: argparse.Namespace, device: Device) -> list[Line]:
    """Shortlists scored by likelihood."""
    trial, split = trial_of(asked, device)
    task = Retrieval("likelihood")
    backbone = trial.build(task.needs(trial.blueprint.offers)).eval()
    readout = task.readout(trial, {})
    task.predict(backbone, readout, split if device.kind == "cpu" else _first(split, 64), trial)
    start = device.seconds()
    task.predict(backbone, readout, split, trial)
    mine = device.seconds() - start
    k = trial.protocol.shortlist
    judged = len(split.samples) * CAPTIONS * k  # at least: pictures list further texts
    block = asked.batch
    firsts = [one.captions[0] for one in split.samples[:block]]
    tokens, mask = trial.tokenizer.encode(firsts, trial.settings.text.length)
    words, said = (torch.from_numpy(one).to(device.torch) for one in (tokens, mask))

    def anew() -> None:
        with device.autocast():
            context = backbone.context(backbone.see(trial.pictures(split, range(block))))
            inputs = torch.cat([torch.ones_like(words[:, :1]), words[:, :-1]], 1)
            features = backbone.decode(context, backbone.read(inputs, said))
            backbone.token_losses(features, words)

    anew()
    start = device.seconds()
    for _ in range(3):
        anew()
    other = (device.seconds() - start) / 3 / block * judged
    full = device.kind == "cuda" and asked.pictures >= ALL and asked.backbone.endswith("/base")
    what = f"{asked.backbone}: re-ranking {asked.pictures:,} x {CAPTIONS}, k {k}"
    most = SECONDS["reranking"]
    lines = [Line(f"{what}, against the limit", "s", mine, most, mine / most, 1.0, most=True)] if full else []
    return [*lines, Line(f"{what}, against each pair anew", "s", mine, other, other / mine, ANEW if full else None)]


def _first(split: Split, many: int) -> Split:
    """Some samples, so that kernels are chosen before the clock runs."""
    return Split(split.dataset, split.name, split.samples[:many], split.pixels[:many], ())


PARTS = {"captions": captions, "reranking": reranking}


def main(argv: Sequence[str] | None = None) -> int:
    """Print all ratios; exit 1 where a limit is broken."""
    parser = arguments(__doc__ or "", rounds=1)
    parser.add_argument("--only", choices=list(PARTS))
    parser.add_argument("--backbone", help=f"of stems {', '.join(STEMS)} and trunks {', '.join(TRUNKS)}")
    parser.add_argument("--pictures", type=int, help="5,000 on a GPU, else 48")
    parser.add_argument("--k", type=int, default=256, help="length of a shortlist")
    parser.add_argument("--batch", type=int, help="pictures at once: 256 on a GPU, else 16")
    asked = parser.parse_args(argv)
    device = begin(asked)
    large = device.kind == "cuda"
    asked.backbone = asked.backbone or f"conv3/encoder-decoder/{'base' if large else 'nano'}"
    asked.pictures = asked.pictures or (ALL if large else 48)
    asked.batch = min(asked.pictures, asked.batch or (256 if large else 16))
    lines = [line for name, part in PARTS.items() if asked.only in (None, name) for line in part(asked, device)]
    return finish(lines, asked, device)


if __name__ == "__main__":
    sys.exit(main())
