"""Paired tests on 5,000 images x 6 seeds with 10,000 resamples, beside scipy's bootstrap and a plain loop.

usage: python benchmarks/intervals.py [--images 5000] [--seeds 6] [--resamples 10000] [--rounds 2]
       python benchmarks/intervals.py --coverage [--studies 2000]

One core, in one process, in turns; the best round of each counts. scipy's side is `scipy.stats.bootstrap(paired=True)`
of the mean difference with its BCa interval, 400 resamples at a time. The plain loop draws images,
sums both rows over seeds and divides, one resample after the other, on a hundredth of the resamples, scaled up. Exit 1
where a comparison takes 10 s or 1 GB.

With --coverage: how many of so many made-up studies hold the truth in their 95% interval, each interval for the target
it states, by what varies and by the number of seeds, as a Markdown table. Exit 1 where one is outside of 93 to 97%,
with three seeds or more (two are listed, not judged). An interval that has no spread to go by is a dash.
"""

from __future__ import annotations

import argparse
import resource
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from vlpbench.results.statistics import Finding, paired_bootstrap, paired_over_both, paired_over_seeds

LIMIT_SECONDS, LIMIT_MB = 10.0, 1000.0
WORLDS = {
    "images": (0, 1, 0), "images, chance": (0, 1, 1), "chance": (0, 0, 1),
    "seeds": (1, 0, 0), "seeds, chance": (1, 0, 1), "seeds, images": (1, 1, 0),
    "seeds, images, chance": (1, 1, 1), "right or wrong": (0, 0, 1), "right or wrong, seeds": (1, 0, 1),
}
"""What varies: how much seeds, images, and chance in each image add to the variance of the estimate."""
IMAGES = 200
"""Of a made-up study."""


def rows(seeds: int, images: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Sums of two rows (S, I) over one to five examples an image, as VQA has them."""
    rng = np.random.default_rng(0)
    counts = rng.integers(1, 6, images).astype(float)
    easy = rng.beta(2, 1.5, images)
    a, b = (rng.binomial(counts.astype(int), np.clip(easy + more, 0, 1), (seeds, images)) * 100.0 for more in (0.01, 0))
    return a, b, counts


def with_scipy(a: np.ndarray, b: np.ndarray, resamples: int) -> Any:
    """Scipy's paired bootstrap of the mean difference over images."""
    from scipy.stats import bootstrap

    def difference(one: np.ndarray, other: np.ndarray, axis: int) -> np.ndarray:
        return (one - other).mean(axis=axis)

    pair = (a.mean(0), b.mean(0))
    return bootstrap(pair, difference, paired=True, n_resamples=resamples, batch=400, method="BCa", rng=0)


def plain(a: np.ndarray, b: np.ndarray, counts: np.ndarray, resamples: int) -> list[float]:
    """One resample after the other."""
    rng, found = np.random.default_rng(0), []
    for _ in range(resamples):
        drawn = rng.integers(0, len(counts), len(counts))
        scores = [sum(one[drawn].sum() / counts[drawn].sum() for one in row) / len(row) for row in (a, b)]
        found.append(scores[0] - scores[1])
    return found


def timed(work: Callable[[], Any]) -> float:
    """Seconds that it takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def speed(asked: argparse.Namespace) -> int:
    """Print the table of times; 1 where a limit is missed."""
    a, b, counts = rows(asked.seeds, asked.images)
    sides: dict[str, tuple[Callable[[], Any], float]] = {
        "paired_bootstrap": (lambda: paired_bootstrap(a, b, counts, asked.resamples), 1),
        "paired_over_both": (lambda: paired_over_both(a, b, counts), 1),
        "scipy.stats.bootstrap": (lambda: with_scipy(a, b, asked.resamples), 1),
        "a plain loop": (lambda: plain(a, b, counts, asked.resamples // 100), 100),
    }
    best = dict.fromkeys(sides, float("inf"))
    peak = 0.0
    for _ in range(asked.rounds):
        for name, (work, scale) in sides.items():
            best[name] = min(best[name], timed(work) * scale)
            if name == "paired_bootstrap" and not peak:
                peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
    ours = best["paired_bootstrap"]
    print(f"{asked.images:,} images x {asked.seeds} seeds, {asked.resamples:,} resamples, "
          f"best of {asked.rounds} rounds; the process holds {peak:.0f} MB at most\n")
    print("| | seconds | of ours |\n|---|---|---|")
    for name, seconds in best.items():
        print(f"| {name} | {seconds:.3f} | {seconds / ours:.2f} |")
    return int(ours > LIMIT_SECONDS or peak > LIMIT_MB)


def study(name: str, seeds: int, rng: np.random.Generator) -> tuple[np.ndarray, dict[str, float]]:
    """Differences (S, I) of one made-up study, and what each target's interval has to hold."""
    of_seeds, of_images, of_chance = WORLDS[name]
    seed, image = rng.normal(size=(seeds, 1)), rng.normal(size=(1, IMAGES))
    if "wrong" in name:
        easy, ahead = rng.uniform(0.1, 0.85, (1, IMAGES)), 0.03 + 0.03 * of_seeds * seed.clip(-2, 2)
        a, b = (rng.random((seeds, IMAGES)) < easy + more for more in (ahead, 0.0))
        return 100.0 * a - 100.0 * b, {"both": 3.0, "seeds": 3.0, "examples": 100 * float(ahead.mean())}
    seed, image = of_seeds * seeds**0.5 * seed, of_images * IMAGES**0.5 * image
    chance = of_chance * (seeds * IMAGES) ** 0.5 * rng.normal(size=(seeds, IMAGES))
    return seed + image + chance, {"both": 0.0, "seeds": float(image.mean()), "examples": float(seed.mean())}


def covered(name: str, seeds: int, studies: int) -> dict[str, float]:
    """Percent of the intervals of each target that hold the truth; NaN where there are none."""
    rng, held = np.random.default_rng([seeds, *name.encode()]), dict[str, list[bool]]()
    for at in range(studies):
        differences, truth = study(name, seeds, rng)
        zeros, ones = np.zeros_like(differences), np.ones(IMAGES)
        found: dict[str, Finding] = {
            "both": paired_over_both(differences, zeros, ones), "seeds": paired_over_seeds(differences.mean(1)),
            "examples": paired_bootstrap(differences, zeros, ones, resamples=399, seed=at),
        }
        for target, one in found.items():
            if np.isfinite(one.low):
                held.setdefault(target, []).append(one.low <= truth[target] <= one.high)
    return {target: 100 * float(np.mean(held.get(target, [np.nan]))) for target in ("both", "seeds", "examples")}


def coverage(asked: argparse.Namespace) -> int:
    """Print the table of coverages; 1 where one that is judged is outside of 93 to 97%."""
    print(f"{asked.studies:,} studies of {IMAGES} images a line; 95% intervals, percent that hold the truth\n")
    print("| what varies | seeds | new seeds and examples | new seeds | these models, new examples |")
    print("|---|---|---|---|---|")
    missed = False
    for name in WORLDS:
        for seeds in (2, 3, 6, 9):
            found = covered(name, seeds, asked.studies)
            cells = ["–" if np.isnan(one) else f"{one:.1f}" for one in found.values()]
            print(f"| {name} | {seeds} | {' | '.join(cells)} |", flush=True)
            missed |= seeds > 2 and any(one < 93 or one > 97 for one in found.values())
    return int(missed)


def main() -> int:
    """Print one of the two tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    defaults = {"--images": 5000, "--seeds": 6, "--resamples": 10_000, "--rounds": 2, "--studies": 2000}
    for name, default in defaults.items():
        parser.add_argument(name, type=int, default=default)
    parser.add_argument("--coverage", action="store_true")
    asked = parser.parse_args()
    return coverage(asked) if asked.coverage else speed(asked)


if __name__ == "__main__":
    sys.exit(main())
