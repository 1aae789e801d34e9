"""Draw 240 coloured squares with a caption each, in the form that example-dataset reads: python squares.py."""

from __future__ import annotations

import json
import random
from pathlib import Path

from PIL import Image

COLOURS = ("red", "green", "blue", "yellow", "white", "purple")
PLACES = ("top left", "top right", "bottom left", "bottom right")
SPLITS = {"train": 160, "val": 40, "test": 40}

folder = Path(__file__).parent / "data" / "squares"
(folder / "images").mkdir(parents=True, exist_ok=True)
draw = random.Random(0)
rows = []
for split, many in SPLITS.items():
    for number in range(many):
        colour, place, name = draw.choice(COLOURS), draw.choice(PLACES), f"{split}-{number}.png"
        left, top = 20 * ("right" in place) + draw.randrange(6), 20 * ("bottom" in place) + draw.randrange(6)
        picture = Image.new("RGB", (40, 40), tuple(draw.randrange(60) for _ in range(3)))
        picture.paste(colour, (left, top, left + 14, top + 14))
        picture.save(folder / "images" / name)
        captions = [f"a {colour} square at the {place}", f"at the {place} is a {colour} square"]
        rows.append({"image": name, "captions": captions, "split": split})
(folder / "samples.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
