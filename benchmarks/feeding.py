"""What feeds a training: the store beside JPEG decoding, stored tokens beside cutting texts, real beside made-up input.

usage: python benchmarks/feeding.py [--only pictures|tokens|training] [--device cuda] [--backbone B --batch N]
                                    [--rounds N] [--json FILE]

pictures: pictures a second on one thread at `--pixels` a side, random rows of the uint8 store (a memory map in the page
cache, as it is from the second epoch on) beside decoding and squashing JPEG files of 320 and 640 pixels: by Pillow, as
the store itself does it once, by torchvision.io and by simplejpeg where they are installed. The pictures are drawn
here, smooth noise with grain, about as large on disk as photographs are.

tokens: a stage's texts read from the token store beside cutting them with the tokenizer that has never seen them.

training: pairs a second of a training on one batch that lies on the device, beside the same with its loader at work:
from the memory map, copied while the step before is computed, and from the store resident in the device's memory; and
the loader alone. Each takes blocks of steps in turn. By default base with 512 pairs on a GPU, nano with 64 on a CPU.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from ours import as_published, loader_of, made_up, training_of
from side_by_side import Line, alternate, arguments, begin, finish, median_ratio, middle

from vlpbench.config.settings import TextSettings
from vlpbench.data.ahead import crossed
from vlpbench.data.decoding import decode
from vlpbench.data.loader import Loader
from vlpbench.data.store import open_store
from vlpbench.data.token_store import encoded
from vlpbench.data.tokenizer import Tokenizer
from vlpbench.device import Device

STORE, TOKENS, REAL = 10.0, 5.0, 0.97
"""How many times as fast the store is as the fastest decoder of 640-pixel files, and as cutting texts; the share of the
rate with made-up input that the resident store reaches on a GPU."""
SIDES = (320, 640)
"""Pixels a row of the JPEG files, which are three quarters as high."""
LENGTH = 32
"""Tokens of a text."""


def drawn(folder: Path, width: int, number: int) -> list[str]:
    """JPEG files of smooth noise with grain; their names."""
    from PIL import Image

    rng = np.random.default_rng(width)
    names = []
    for at in range(number):
        coarse = Image.fromarray(rng.integers(0, 256, (9, 12, 3), np.uint8))
        smooth = np.asarray(coarse.resize((width, width * 3 // 4), Image.Resampling.BICUBIC), np.int16)
        grain = rng.normal(0, 9, smooth.shape[:2])[..., None]
        names.append(f"{width}-{at}.jpg")
        Image.fromarray(np.clip(smooth + grain, 0, 255).astype(np.uint8)).save(folder / names[-1], quality=85)
    return names


def decoders(pixels: int) -> tuple[dict[str, Callable[[Path], Any]], list[str]]:
    """Ways to make a picture of a file, by name; and what is not installed."""
    from PIL import Image

    found: dict[str, Callable[[Path], Any]] = {"Pillow": lambda path: decode(path, pixels)}
    missing = []
    try:
        from torchvision.io import ImageReadMode, decode_jpeg, read_file

        def by_torchvision(path: Path) -> torch.Tensor:
            picture = decode_jpeg(read_file(str(path)), mode=ImageReadMode.RGB)[None]
            return torch.nn.functional.interpolate(picture, (pixels, pixels), mode="bicubic", antialias=True)

        found["torchvision.io"] = by_torchvision
    except (ImportError, RuntimeError) as error:
        missing.append(f"torchvision.io is left out: {error}")
    try:
        import simplejpeg

        def by_simplejpeg(path: Path) -> np.ndarray:
            picture = simplejpeg.decode_jpeg(path.read_bytes(), min_height=pixels, min_width=pixels)
            return np.asarray(Image.fromarray(picture).resize((pixels, pixels), Image.Resampling.BICUBIC))

        found["simplejpeg"] = by_simplejpeg
    except ImportError:
        missing.append("simplejpeg is left out: it is not installed (pip install simplejpeg)")
    return found, missing


def pictures(asked: argparse.Namespace, device: Device, folder: Path) -> list[Line]:
    """The store beside decoders."""
    lines, (ways, missing) = [], decoders(asked.pixels)
    print("\n".join(missing))
    for width in SIDES:
        names = drawn(folder, width, asked.pictures)
        store = open_store(folder, names, asked.pixels, folder / "cache")
        repeated = np.tile(store.pixels, (max(1, 2048 // len(names)), 1, 1, 1))  # as large as no processor's cache is
        kept = folder / f"{width}.npy"
        np.save(kept, repeated)
        whole, rng = np.load(kept, mmap_mode="r"), np.random.default_rng(0)
        size = sum((folder / name).stat().st_size for name in names) / len(names) / 1000
        sides: dict[str, Callable[[], Any]] = {
            name: lambda way=way, names=names: [way(folder / one) for one in names] for name, way in ways.items()
        }
        many = 4 * len(names)
        sides["store"] = lambda whole=whole, many=many, rng=rng: whole[rng.integers(0, len(whole), many)]
        times = alternate(sides, asked.rounds, device, asked.clock)
        rates = {name: (many if name == "store" else len(names)) / middle(taken) for name, taken in times.items()}
        fastest = max(ways, key=rates.__getitem__)
        for name in ways:
            limit = STORE if width == 640 and name == fastest else None
            ratio = rates["store"] / rates[name]
            lines.append(Line(f"store against {name}, JPEG of {width} x {width * 3 // 4} ({size:.0f} kB), one thread",
                              "pictures/s", rates["store"], rates[name], ratio, limit))
    return lines


def sentences(number: int) -> list[str]:
    """Captions of a small grammar, with words by Zipf's law."""
    rng = random.Random(0)
    words = ["".join(rng.choices("bcdfgklmnprst", k=1) + rng.choices("aeiou", k=2)) + str(n) for n in range(3000)]
    weights = [1 / rank for rank in range(3, 3003)]
    return [" ".join(rng.choices(words, weights, k=rng.randint(6, 14))) for _ in range(number)]


def tokens(asked: argparse.Namespace, device: Device, folder: Path) -> list[Line]:
    """The token store beside the tokenizer."""
    texts = sentences(asked.texts)
    Tokenizer.train(texts[:2000], TextSettings(vocabulary=1000)).save(folder / "tokenizer.json")

    def read() -> None:
        made = encoded(texts, Tokenizer.load(folder / "tokenizer.json"), LENGTH, folder / "cache")
        np.asarray(made.tokens).sum()

    def cut() -> None:
        Tokenizer.load(folder / "tokenizer.json").encode(texts, LENGTH)

    times = alternate({"store": read, "tokenizer": cut}, asked.rounds, device, asked.clock)
    rates = [len(texts) / middle(times[name]) for name in ("store", "tokenizer")]
    what = f"{len(texts):,} texts from the token store against cutting them"
    return [Line(what, "texts/s", *rates, median_ratio(times["store"], times["tokenizer"]), TOKENS)]


def training(asked: argparse.Namespace, device: Device, folder: Path) -> list[Line]:
    """Real input beside made-up input."""
    large = device.kind == "cuda"
    setting = as_published(asked.backbone or f"conv3/encoder-decoder/{'base' if large else 'nano'}", 64)
    setting = replace(setting, batch=asked.batch or (512 if large else 64))
    number, steps = 8 * setting.batch, asked.steps or (40 if large else 6)
    np.save(folder / "pictures.npy", made_up(setting, number).pixels)
    examples = made_up(setting, number, np.load(folder / "pictures.npy", mmap_mode="r"))
    ours = training_of(setting, device)
    plain = replace(loader_of(setting, 1 << 30, examples, asked.workers), device=device)
    resident = replace(plain, resident="always")

    def batches(loader: Loader) -> Iterator[Any]:
        with closing(crossed(loader.from_step(0), device)) as coming:
            yield from (views for _, views in islice(coming, steps))

    def fed(loader: Loader) -> None:
        for views in batches(loader):
            ours.step(views)

    sides: dict[str, Callable[[], Any]] = {
        "the step alone": lambda: deque((ours.step() for _ in range(steps)), 0),
        "with the resident store": lambda: fed(resident),
        "with the memory map": lambda: fed(plain),
        "the loader alone, resident": lambda: deque(batches(resident), 0),
        "the loader alone, memory map": lambda: deque(batches(plain), 0),
    }
    times = alternate(sides, asked.rounds, device, asked.clock)
    rates = {name: steps * setting.batch / middle(taken) for name, taken in times.items()}
    limits = {"with the resident store": REAL if large else None}
    pairs = [(name, "the step alone") for name in list(sides)[1:]] + [tuple(list(sides)[-2:])]
    return [
        Line(f"{setting.backbone}, {setting.batch} pairs: {name} against {other}", "pairs/s", rates[name],
             rates[other], median_ratio(times[name], times[other]), limits.get(name))
        for name, other in pairs
    ]


PARTS = {"pictures": pictures, "tokens": tokens, "training": training}


def main(argv: Sequence[str] | None = None) -> int:
    """Print all ratios; exit 1 where a limit is broken."""
    parser = arguments(__doc__ or "", rounds=5)
    parser.add_argument("--only", choices=list(PARTS))
    parser.add_argument("--pixels", type=int, default=224, help="a side of a stored picture")
    parser.add_argument("--pictures", type=int, default=48, help="JPEG files of each size")
    parser.add_argument("--texts", type=int, default=30_000)
    parser.add_argument("--backbone", help="stem/trunk/size of the training")
    parser.add_argument("--batch", type=int, help="of the training")
    parser.add_argument("--steps", type=int, help="of a block of the training")
    parser.add_argument("--workers", type=int, default=1, help="threads that make batches ahead of time")
    asked = parser.parse_args(argv)
    device = begin(asked)
    lines = []
    with tempfile.TemporaryDirectory() as folder:
        for name, part in PARTS.items():
            if asked.only in (None, name):
                lines += part(asked, device, Path(folder))
    return finish(lines, asked, device)


if __name__ == "__main__":
    sys.exit(main())
