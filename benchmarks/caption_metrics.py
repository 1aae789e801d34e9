"""BLEU-1..4, ROUGE-L and CIDEr with tokenisation, beside pycocoevalcap's own path: Java tokenizer, Bleu, Rouge, Cider.

usage: python benchmarks/caption_metrics.py [--images N] [--rounds N]

Each side runs in a process of its own, the two in turn, started anew for every round so that no word was cut before.
Captions: heads and tails of Flickr8k's, recombined, where VLPBENCH_DATA holds flickr8k-1k; else sentences of a grammar
with Zipf's words. Without Java both sides score our tokens, and only the scorers are compared.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import random
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

from pycocoevalcap.bleu.bleu import Bleu
from pycocoevalcap.cider.cider import Cider
from pycocoevalcap.rouge.rouge import Rouge
from pycocoevalcap.tokenizer.ptbtokenizer import PTBTokenizer

from vlpbench.metrics.bleu import bleu
from vlpbench.metrics.captions import CaptionScores, caption_scores
from vlpbench.metrics.cider import cider
from vlpbench.metrics.grams import count_grams
from vlpbench.metrics.ptb_tokenizer import tokenize
from vlpbench.metrics.rouge import rouge_l

LIMIT = 4.0
"""How many times faster the whole must be; 6 is aimed for."""
CLOSE = 1e-9
"""The largest difference of a score, of the set or of an image."""
PARTS = ("tokenizer", "BLEU", "ROUGE-L", "CIDEr")
COMPARED = ("Bleu_1", "Bleu_2", "Bleu_3", "Bleu_4", "ROUGE_L", "CIDEr")
Captions = tuple[dict[int, str], dict[int, list[str]]]
Timed = tuple[dict[str, float], dict[str, list[float]]]
"""Seconds by part, and by score name its value for the set followed by those of the images."""


def flickr8k() -> list[list[str]] | None:
    """The captions of each picture of flickr8k-1k, or None where it is not at hand."""
    paths = sorted(Path(os.environ.get("VLPBENCH_DATA", "nowhere")).glob("flickr8k-1k/captions_*.json"))
    of_image: dict[tuple[str, int], list[str]] = {}
    for path in paths:
        for row in json.loads(path.read_text(encoding="utf-8"))["annotations"]:
            of_image.setdefault((path.name, row["image_id"]), []).append(row["caption"])
    return list(of_image.values()) or None


def recombined(pictures: list[list[str]], rng: random.Random) -> Iterator[Callable[[], str]]:
    """For each made-up picture a way to say it: the head of a caption of one picture, the tail of one of another."""
    while True:
        one, other = rng.sample(pictures, 2)

        def say(one: list[str] = one, other: list[str] = other) -> str:
            head, tail = rng.choice(one).split(), rng.choice(other).split()
            ends, starts = len(head) // 2 + rng.randint(-1, 1), len(tail) // 2 + rng.randint(-1, 1)
            return " ".join(head[:ends] + tail[starts:])

        yield say


def grammar(rng: random.Random) -> Iterator[Callable[[], str]]:
    """The same from a grammar: each picture has sixteen words of its own, drawn by Zipf's law from six thousand."""
    sounds = [f"{a}{b}" for a in "bcdfgklmnprst" for b in "aeiou"]
    words = ["".join(rng.choices(sounds, k=rng.randint(1, 3))) for _ in range(6000)]
    weights = [1 / rank for rank in range(3, 6003)]
    small = "a the in on with is of and".split()
    while True:
        own = rng.choices(words, weights, k=16)

        def say(own: list[str] = own) -> str:
            said = [word for _ in range(rng.randint(2, 7)) for word in (rng.choice(small), rng.choice(own))]
            return " ".join(said).capitalize() + rng.choice([".", " .", ""])

        yield say


def captions(images: int) -> Captions:
    """A prediction and five references for each picture; no reference comes twice."""
    rng = random.Random(0)
    pictures = flickr8k()
    ways = recombined(pictures, rng) if pictures else grammar(rng)
    predictions: dict[int, str] = {}
    references: dict[int, list[str]] = {}
    seen: set[str] = set()
    for image in range(images):
        say = next(ways)
        references[image] = []
        while len(references[image]) < 5:
            text = say()
            if text not in seen:
                seen.add(text)
                references[image].append(text)
        predictions[image] = say()
    return predictions, references


def clock(seconds: dict[str, float], part: str, work: Callable[[], Any]) -> Any:
    """What `work` gives; its seconds are noted under `part`."""
    start = time.perf_counter()
    result = work()
    seconds[part] = time.perf_counter() - start
    return result


def cut(predictions: dict[int, str], references: dict[int, list[str]]) -> tuple[list[str], list[list[str]]]:
    """Both sides by our tokenizer."""
    flat = iter(tokenize([text for texts in references.values() for text in texts]))
    given = [[next(flat) for _ in texts] for texts in references.values()]
    return tokenize(list(predictions.values())), given


def theirs(images: int, java: bool) -> Timed:
    """pycocoevalcap's path, part by part."""
    predictions, references = captions(images)
    seconds: dict[str, float] = {}
    if java:
        given, said = clock(seconds, "tokenizer", lambda: tuple(
            PTBTokenizer().tokenize({i: [{"caption": text} for text in texts] for i, texts in side.items()})
            for side in (references, {i: [text] for i, text in predictions.items()})
        ))
    else:
        one, many = cut(predictions, references)
        given, said = dict(enumerate(many)), {i: [text] for i, text in enumerate(one)}
    wholes, parts = clock(seconds, "BLEU", lambda: Bleu(4).compute_score(given, said, verbose=0))
    scores = {f"Bleu_{n + 1}": [wholes[n], *parts[n]] for n in range(4)}
    whole, each = clock(seconds, "ROUGE-L", lambda: Rouge().compute_score(given, said))
    scores["ROUGE_L"] = [whole, *each]
    whole, each = clock(seconds, "CIDEr", lambda: Cider().compute_score(given, said))
    scores["CIDEr"] = [whole, *each]
    return seconds | {"all": sum(seconds.values())}, scores


def ours(images: int) -> Timed:
    """Each part by itself (BLEU and CIDEr each with the count of runs that they share in the whole)."""
    predictions, references = captions(images)
    seconds: dict[str, float] = {}
    said, given = clock(seconds, "tokenizer", lambda: cut(predictions, references))
    clock(seconds, "BLEU", lambda: bleu(count_grams(said, given)))
    clock(seconds, "ROUGE-L", lambda: rouge_l(said, given))
    clock(seconds, "CIDEr", lambda: cider(count_grams(said, given)))
    return seconds, {}


def ours_whole(images: int, java: bool) -> Timed:
    """`caption_scores` from raw captions; without Java on tokens, since the other side's are not timed either."""
    predictions, references = captions(images)
    seconds: dict[str, float] = {}
    if not java:
        said, given = cut(predictions, references)
        clock(seconds, "all", lambda: scorers(said, given))
        return seconds, values(caption_scores(predictions, references, COMPARED))
    return seconds, values(clock(seconds, "all", lambda: caption_scores(predictions, references, COMPARED)))


def scorers(said: list[str], given: list[list[str]]) -> None:
    """What `caption_scores` does with tokens."""
    counted = count_grams(said, given)
    bleu(counted)
    cider(counted)
    rouge_l(said, given)


def values(found: CaptionScores) -> dict[str, list[float]]:
    """Of each score the set's and the images', in the order of their ids."""
    return {name: [found.scores[name] or 0.0, *found.per_image[name].values()] for name in COMPARED}


def main() -> int:
    """Print the table; exit 1 where the whole is not fast enough or a score differs."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=5000, help="pictures of five references (default 5000)")
    parser.add_argument("--rounds", type=int, default=3, help="how often each side runs (default 3)")
    asked = parser.parse_args()
    java = shutil.which("java") is not None
    rounds: list[tuple[Timed, Timed, Timed]] = []
    fresh = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, fresh, max_tasks_per_child=1) as process:
        for _ in range(asked.rounds):
            them = process.submit(theirs, asked.images, java).result()
            us = process.submit(ours, asked.images).result(), process.submit(ours_whole, asked.images, java).result()
            rounds.append((them, *us))
    print(f"{asked.images} pictures x 5 references, {'Flickr8k recombined' if flickr8k() else 'a grammar'}; "
          f"the best of {asked.rounds} rounds, {os.getloadavg()[0]:.1f} of {os.cpu_count()} cores wanted")
    ratio = table(rounds)
    (_, expected), _, (_, found) = rounds[0]
    gaps = {name: zip(expected[name], found[name], strict=True) for name in COMPARED}
    gap, name = max((abs(them - us), name) for name, pairs in gaps.items() for them, us in pairs)
    print(f"largest difference of a score, of the set or of a picture: {gap:.1e} ({name}), limit {CLOSE:.0e}")
    if not java:
        print("there is no Java: only the scorers were compared, both on our tokens")
    print(f"limit {LIMIT:g} times faster in all: {'kept' if ratio >= LIMIT else 'broken'}")
    return int(ratio < LIMIT or gap > CLOSE)


def table(rounds: list[tuple[Timed, Timed, Timed]]) -> float:
    """Print the least seconds of each part, since others on the machine only add to them; the ratio of the whole."""
    print(f"{'seconds':12}{'pycocoevalcap':>14}{'vlpbench':>10}{'ratio':>8}")
    ratio = 0.0
    for part in (*PARTS, "all"):
        if part in rounds[0][0][0]:
            them = min(each[0][0][part] for each in rounds)
            us = min(each[2 if part == "all" else 1][0][part] for each in rounds)
            ratio = them / us
            print(f"{part:12}{them:14.3f}{us:10.3f}{ratio:8.1f}")
    return ratio


if __name__ == "__main__":
    sys.exit(main())
