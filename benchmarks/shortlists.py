"""Re-ranking 5,000 pictures and their captions by likelihood, beside judging each pair anew and beside the clock.

usage: python benchmarks/shortlists.py [--device cuda] [--backbone B] [--pictures N] [--k 256] [--json FILE]

Random weights, made-up pictures, five captions each: the nearest k of each query by vectors are scored in both
directions, from pixels to rows, as the task retrieval@likelihood does it: what a picture needs is made once. The other
side puts each pair through stem, encoder and decoder anew; it is measured on some and scaled up to those of one
direction. On a GPU size base, 5,000 pictures and k 256, and limits; on a CPU size nano, 32 pixels and few pictures,
without. (`reranking.py` compares shortlists with all pairs, in time and in R@1, through a matching head.)
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

import torch
from feeding import sentences
from ours import COCO, as_published, blueprint, evaluation, few_pictures
from side_by_side import Line, arguments, clock_of, finish

from vlpbench.config.settings import CellSettings, ImageSettings, Protocol, TextSettings
from vlpbench.data.splits import Split
from vlpbench.data.tokenizer import Tokenizer
from vlpbench.device import Device
from vlpbench.tasks.retrieval import Retrieval
from vlpbench.tasks.trial import Trial
from vlpbench.types import Sample

SECONDS, ANEW = 300.0, 2.0
"""On a GPU at size base seconds for all of COCO's pictures, and how many times as fast as anew."""
CAPTIONS, TASK = 5, "retrieval@likelihood@zero-shot"


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
    split = Split("made up", "test", samples, few_pictures(asked.pictures, setting.pixels), ())
    trial = Trial(
        task=TASK, settings=settings, protocol=protocol, open_split=lambda name, purpose: split, tokenizer=tokenizer,
        blueprint=blueprint(setting), weights={}, visible="all", device=device, trains=frozenset({"vectors", "decode"}),
    )
    return trial, split


@torch.no_grad()
def reranking(asked: argparse.Namespace, device: Device) -> list[Line]:
    """Shortlists scored by likelihood."""
    trial, split = trial_of(asked, device)
    task, now = Retrieval("likelihood"), clock_of(device, asked.clock)
    backbone = trial.build(task.needs(trial.blueprint.offers)).eval()
    readout = task.readout(trial, {})
    task.predict(backbone, readout, split if device.kind == "cpu" else _first(split, 64), trial)
    start = now()
    task.predict(backbone, readout, split, trial)
    mine = now() - start
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
    start = now()
    for _ in range(3):
        anew()
    other = (now() - start) / 3 / block * judged
    full = device.kind == "cuda" and asked.pictures >= COCO and asked.backbone.endswith("/base")
    what = f"{asked.backbone}: re-ranking {asked.pictures:,} x {CAPTIONS}, k {k}"
    lines = [Line(f"{what}, against the limit", "s", mine, SECONDS, mine / SECONDS, 1.0, most=True)] if full else []
    return [*lines, Line(f"{what}, against each pair anew", "s", mine, other, other / mine, ANEW if full else None)]


def _first(split: Split, many: int) -> Split:
    """Some samples, so that kernels are chosen before the clock runs."""
    return Split(split.dataset, split.name, split.samples[:many], split.pixels[:many], ())


def main(argv: Sequence[str] | None = None) -> int:
    """Print all ratios; exit 1 where a limit is broken."""
    parser = arguments(__doc__ or "", rounds=1)
    parser.add_argument("--k", type=int, default=256, help="length of a shortlist")
    asked, device = evaluation(parser, argv)
    return finish(reranking(asked, device), asked, device)


if __name__ == "__main__":
    sys.exit(main())
