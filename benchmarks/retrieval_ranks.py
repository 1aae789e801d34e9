"""Retrieval ranks with ties beside torch.topk of the same scores, and beside the same ranks made from vectors.

usage: python benchmarks/retrieval_ranks.py [--images 5000] [--texts 25000] [--rounds 3]

One side is `vlpbench.metrics.recall.ranks`: exact ranks of all images and all texts, and how many items tie. The other
is what ViLT-style evaluation calls: the ten best of each row and of each column. Both work on one fp32 matrix in one
process, in turns, with as many threads as torch takes by itself (ours takes one); the best round of each side counts.
Memory is the process's peak above what it held just before, the inputs among it, in a round that is not timed.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import torch

from vlpbench.metrics.recall import ranks, ranks_of_vectors

LIMIT = 1.0
"""Time of ranks over time of topk."""
WIDTH = 256
"""Of the vectors."""


def gallery(images: int, texts: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Image and text vectors of unit length (I,256 and T,256) that partly agree, and the image of each text."""
    rng = np.random.default_rng(0)
    owner = np.arange(texts) * images // texts
    left = rng.standard_normal((images, WIDTH), dtype=np.float32)
    right = left[owner] + 3 * rng.standard_normal((texts, WIDTH), dtype=np.float32)
    return (
        left / np.linalg.norm(left, axis=1, keepdims=True),
        right / np.linalg.norm(right, axis=1, keepdims=True),
        owner,
    )


def topk(scores: torch.Tensor) -> Any:
    """The ten best texts of each image and the ten best images of each text."""
    return scores.topk(min(10, scores.shape[1]), dim=1), scores.topk(min(10, scores.shape[0]), dim=0)


def timed(work: Callable[[], Any]) -> float:
    """Seconds that it takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def memory(work: Callable[[], Any]) -> float:
    """MiB that the process holds at most while it works, above what it held before; NaN where Linux doesn't say."""
    try:
        Path("/proc/self/clear_refs").write_text("5")  # the peak starts again from what is held now
    except OSError:
        return float("nan")
    before = psutil.Process().memory_info().rss / 2**20
    work()
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 2**10 - before


def main() -> int:
    """Print the table; exit 1 where ranks take longer than topk."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("--images", 5000), ("--texts", 25000), ("--rounds", 3)):
        parser.add_argument(name, type=int, default=default)
    asked = parser.parse_args()
    left, right, owner = gallery(asked.images, asked.texts)
    scores = left @ right.T
    tensor = torch.from_numpy(scores)
    sides: dict[str, Callable[[], Any]] = {
        "ranks": lambda: ranks(scores, owner),
        "topk": lambda: topk(tensor),
        "vectors": lambda: ranks_of_vectors(left, right, owner),
        "product": lambda: left @ right.T,
    }
    used = {name: memory(work) for name, work in sides.items()}
    times: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(asked.rounds):
        for name, work in sides.items():
            times[name].append(timed(work))
    best = {name: min(found) for name, found in times.items()}

    print(f"{asked.images} images x {asked.texts} texts, fp32, {scores.nbytes / 2**20:.0f} MiB; "
          f"{os.cpu_count()} cores, torch with {torch.get_num_threads()} threads")
    labels = {
        "ranks": "ranks, ties and medians of both directions", "topk": "torch.topk, rows and columns, 10 each",
        "vectors": f"ranks from vectors of width {WIDTH}", "product": "the matrix product by itself",
    }
    print(f"{'':44}{'best s':>9}{'all rounds':>28}{'MiB beside the inputs':>23}")
    for name, label in labels.items():
        rounds = " ".join(f"{one:.3f}" for one in times[name])
        print(f"{label:44}{best[name]:9.3f}{rounds:>28}{used[name]:23.0f}")
    ratio = best["ranks"] / best["topk"]
    print(f"ranks take {ratio:.2f} of topk's time (limit {LIMIT}); "
          f"from vectors {best['vectors'] / best['product']:.2f} of the product's (made twice)")
    return int(ratio > LIMIT)


if __name__ == "__main__":
    sys.exit(main())
