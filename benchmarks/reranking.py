"""Retrieval through a matching head: the shortlists of both directions beside the full matrix, cost and R@1.

usage: python benchmarks/reranking.py [--images 1000] [--k 32] [--full] [--pictures 100] [--samples 160000]
                                      [--size nano] [--pixels 32] [--device cpu] [--threads 2] [--cache FOLDER]

A two-tower trunk with fusion layers learns contrastive + image-text-matching from random weights on the world of
shapes (that is retrieval@match's fine-tune), in this process; about ten minutes on two cores. Then the test split (five
captions a picture) is searched twice with the same weights: `retrieval@match` with a shortlist of k, from pixels to
rows, and through all pairs. All pairs are judged whole with --full (millions: minutes on a GPU, an hour on two cores).
Otherwise some are: a few pictures with all captions, and as large a share of the captions with all pictures; the time
is scaled up, and R@1 of both ways is that of those queries. Equal captions are one sentence on both sides. Limits: a
twentieth of the cost, and R@1 within 0.5 in each direction; exit 1 where one is broken. A head that learnt from few
pairs (25,600) is misled by captions far away, and its shortlists score above all pairs.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from vlpbench.backbones import Conv3, DualFusion
from vlpbench.backbones.dual_fusion import DualFusionConfig
from vlpbench.backbones.sizes import SIZES
from vlpbench.config.settings import CellSettings, ImageSettings, Protocol, TextSettings
from vlpbench.data.splits import Purpose, Split, open_split
from vlpbench.data.tokenizer import Tokenizer
from vlpbench.data.worlds.shapes import Shapes, ShapesConfig
from vlpbench.device import Device
from vlpbench.metrics.folds import Fold
from vlpbench.tasks.fine_tuning import Asked, ready
from vlpbench.tasks.gallery import Gallery, States
from vlpbench.tasks.recalls import WAYS
from vlpbench.tasks.rerank import Match, all_scores
from vlpbench.tasks.retrieval import Retrieval
from vlpbench.tasks.trial import Trial
from vlpbench.training.build import Blueprint

COST, POINTS = 1 / 20, 0.5
"""Most of the full matrix's time; most that R@1 may differ, in points."""
LENGTH, WORDS, TASK = 32, 500, "retrieval@match"


Hits = dict[str, np.ndarray]
"""TR and IR: chance (0 to 1) of each query that a right answer comes first; NaN where it was not asked."""


def trial_of(asked: argparse.Namespace, cache: Path) -> Trial:
    """The world, a tokenizer of its training texts, and a trunk with random weights."""
    world = Shapes(ShapesConfig(train=asked.train, val=1, test=asked.images, questions=1), Path("nowhere"), cache)

    def opened(name: str, purpose: Purpose) -> Split:
        return open_split(world, name, purpose=purpose, size=asked.pixels, on_bad="error")

    texts = [text for sample in opened("train", "train").samples for text in sample.captions]
    how = TextSettings(length=LENGTH, vocabulary=WORDS)
    tokenizer = Tokenizer.train(texts, how)
    protocol = Protocol(samples=asked.samples, lr=asked.lr, shortlist=asked.k)
    settings = CellSettings(image=ImageSettings(size=asked.pixels), text=how, protocol={TASK: protocol})
    plan = Blueprint(
        Conv3, "", DualFusion, SIZES[asked.size], asked.pixels, tokenizer.vocabulary, LENGTH, settings.seed,
        DualFusionConfig(two_way=asked.two_way),
    )
    return Trial(
        task=TASK, settings=settings, protocol=protocol, open_split=opened, tokenizer=tokenizer, blueprint=plan,
        weights={}, visible="all", device=Device(asked.device),
    )


def searched(model: Asked, split: Split, trial: Trial, k: int) -> tuple[float, Hits]:
    """Through the task, from pixels to rows: seconds, and what came first."""
    task, here = Retrieval("match"), replace(trial, protocol=replace(trial.protocol, shortlist=k))
    start = trial.device.seconds()
    rows = task.predict(model.backbone, model.readout, split, here)
    seconds = trial.device.seconds() - start
    hits = {
        way: np.array([
            (row["better"] == 0) * row["right"] / (row["tied"] + row["right"])
            for row in rows if row["direction"] == direction
        ])
        for way, direction in zip(("TR", "IR"), WAYS, strict=True)
    }
    return seconds, hits


@torch.no_grad()
def some_pairs(model: Asked, split: Split, trial: Trial, many: int) -> tuple[float, Hits]:
    """Some pictures with all texts and some texts with all pictures: seconds that all pairs would take, by pairs."""
    gallery = Gallery(split)
    images, texts = len(gallery.rows), len(gallery.texts)
    many = min(many, images)
    chosen = np.linspace(0, texts - 1, min(texts, many * texts // images)).astype(np.int64)
    parts = Fold(0, many, np.arange(texts), gallery.owner), Fold(0, images, chosen, gallery.owner[chosen])
    judge = Match(model.backbone, model.readout.objectives[-1], trial)
    start = trial.device.seconds()
    with trial.device.autocast():
        rows, columns = (all_scores(States(gallery, model.backbone, trial), judge, part) for part in parts)
    share = (rows.size + columns.size) / (images * texts)
    seconds = (trial.device.seconds() - start) / share
    hits = {"TR": np.full(images, np.nan), "IR": np.full(texts, np.nan)}
    own = gallery.owner == np.arange(many)[:, None]
    hits["TR"][:many] = np.where(own, rows, -np.inf).max(1) > np.where(own, -np.inf, rows).max(1)
    hits["IR"][chosen] = columns.argmax(0) == gallery.owner[chosen]
    return seconds, hits


def main() -> int:
    """Print both sides; exit 1 where a limit is broken."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=1000, help="test pictures")
    parser.add_argument("--k", type=int, default=32, help="length of a shortlist")
    parser.add_argument("--full", action="store_true", help="judge all pairs")
    parser.add_argument("--pictures", type=int, default=100, help="judged with all captions without --full")
    parser.add_argument("--train", type=int, default=6000, help="training pictures")
    parser.add_argument("--samples", type=int, default=160000, help="pairs seen in training")
    parser.add_argument("--lr", type=float, default=1e-3)
    parser.add_argument("--size", default="nano", choices=list(SIZES))
    parser.add_argument("--pixels", type=int, default=32)
    parser.add_argument("--two-way", action="store_true", help="image tokens look at words too")
    parser.add_argument("--device", default="cpu", choices=["cpu", "cuda"])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--cache", type=Path, help="where the world is written; by default a folder that goes again")
    asked = parser.parse_args()
    torch.set_num_threads(asked.threads)
    with tempfile.TemporaryDirectory() as folder:
        trial = trial_of(asked, asked.cache or Path(folder))
        start = time.perf_counter()
        model = ready(Retrieval("match"), trial)
        split = trial.open_split("test", "evaluate")
        texts = [text for sample in split.samples for text in sample.captions]
        rows, columns = model.backbone.spec.grid
        print(
            f"torch {torch.__version__}, {asked.device}, {asked.threads} threads; dual-fusion {asked.size}, "
            f"{rows * columns} image tokens; trained on {asked.samples} pairs in {time.perf_counter() - start:.0f} s\n"
            f"{len(split.samples)} images x {len(texts)} captions "
            f"({len(set(texts))} that differ), k {asked.k}", flush=True,
        )
        return report(model, split, trial, asked)


def report(model: Asked, split: Split, trial: Trial, asked: argparse.Namespace) -> int:
    """Search both ways and compare."""
    seconds, found = searched(model, split, trial, asked.k)
    firsts = "   ".join(f"{way}@1 {100 * hits.mean():.2f}" for way, hits in found.items())
    print(f"shortlists in {seconds:.1f} s, all queries: {firsts}", flush=True)
    if asked.full:
        whole, truth = searched(model, split, trial, 0)
    else:
        whole, truth = some_pairs(model, split, trial, asked.pictures)
    share, apart = seconds / whole, 0.0
    print(f"all pairs in {whole:.1f} s{'' if asked.full else ', scaled up'}")
    for way, hits in truth.items():
        there = ~np.isnan(hits)
        ours, theirs = 100 * found[way][there].mean(), 100 * hits[there].mean()
        apart = max(apart, abs(ours - theirs))
        print(f"{way}@1 of {there.sum()} queries: shortlists {ours:.2f}, all pairs {theirs:.2f}")
    print(f"1/{1 / share:.1f} of the cost (limit 1/{1 / COST:.0f}); R@1 {apart:.2f} points apart (limit {POINTS})")
    return int(share > COST or apart > POINTS)


if __name__ == "__main__":
    sys.exit(main())
