"""Captions of 5,000 pictures by a base model, beside transformers' BLIP and beside the clock.

usage: python benchmarks/captions.py [--device cuda] [--backbone B] [--pictures N] [--json FILE]

Random weights and made-up pictures, so what is measured is time alone: 4 beams, each sentence 20 words long, from
pixels to ids. The other side is `generate` of a BLIP of equal widths, layers and vocabulary with a ViT of the same
patch; it writes for a tenth of the pictures, and its time is scaled up. On a GPU size base and 5,000 pictures, and a
limit in seconds; on a CPU size nano, 32 pixels and few pictures, without one.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from ours import COCO, as_published, blueprint, evaluation, few_pictures
from peers import Blip, Shape
from side_by_side import Line, arguments, clock_of, finish

from vlpbench.data.images import prepare_images
from vlpbench.device import Device
from vlpbench.tasks.fixed_steps import graph_for
from vlpbench.tasks.generate import Search, Writer

SECONDS = 30.0
"""Seconds for all of COCO's pictures on a GPU at size base."""
BEAMS, LENGTH = 4, 20


@torch.no_grad()
def captions(asked: argparse.Namespace, device: Device) -> list[Line]:
    """Sentences for pictures."""
    setting = as_published(asked.backbone, asked.batch)
    size, now = setting.of_size(), clock_of(device, asked.clock)
    backbone = blueprint(setting).build({"context", "decode"}).eval().to(device.torch)
    backbone = backbone.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    pixels, search = few_pictures(asked.pictures, setting.pixels), Search(BEAMS, least=LENGTH)
    writer = Writer(backbone, [1], LENGTH, search, graph_for(device, "auto"))

    def seen(block: np.ndarray) -> torch.Tensor:
        return prepare_images(torch.from_numpy(block).to(device.torch), setting.pixels)

    def ours(whole: np.ndarray) -> float:
        start = now()
        for at in range(0, len(whole), asked.batch):
            with device.autocast():
                context = backbone.context(backbone.see(seen(whole[at : at + asked.batch])))
                writer.write(context)
        return now() - start

    ours(pixels[: asked.batch])
    mine = ours(pixels)
    full = device.kind == "cuda" and asked.pictures >= COCO and size.name == "base"
    what = f"{setting.backbone}: captions of {asked.pictures:,} pictures, {BEAMS} beams, {LENGTH} words"
    lines = [Line(f"{what}, against the limit", "s", mine, SECONDS, mine / SECONDS, 1.0, most=True)] if full else []
    try:
        import transformers
    except ImportError:
        print("BLIP is left out: transformers is not installed (pip install transformers)\n"
              f"vlpbench alone: {asked.pictures} pictures in {mine:.2f} s")
        return lines
    transformers.logging.set_verbosity_error()
    patch = (4 if size.pooled else 2) * 4
    shape = Shape(size.width, size.heads, size.encoder, size.decoder, setting.pixels, patch, 2 * LENGTH, setting.words)
    model: Any = Blip(shape).model.eval().to(device.torch)

    def theirs(whole: np.ndarray) -> float:
        start = now()
        for at in range(0, len(whole), asked.batch):
            with device.autocast():
                model.generate(pixel_values=seen(whole[at : at + asked.batch]), num_beams=BEAMS, do_sample=False,
                               min_new_tokens=LENGTH, max_new_tokens=LENGTH)
        return now() - start

    some = pixels[: max(asked.batch, len(pixels) // 10)]
    theirs(some[: asked.batch])
    other = theirs(some) * len(pixels) / len(some)
    return [*lines, Line(f"{what}, against BLIP's generate", "s", mine, other, other / mine)]


def main(argv: Sequence[str] | None = None) -> int:
    """Print all ratios; exit 1 where a limit is broken."""
    asked, device = evaluation(arguments(__doc__ or "", rounds=1), argv)
    return finish(captions(asked, device), asked, device)


if __name__ == "__main__":
    sys.exit(main())
