"""Draw the house as one picture: `python docs/drawing/design.py` writes docs/pictures/design.svg."""

from __future__ import annotations

import sys
from html import escape
from pathlib import Path

FLOORS: list[tuple[str, list[str]]] = [
    ("what a person types", ["cli"]),
    ("the kit that knows a wrong plugin", ["testing"]),
    ("one cell's life, many cells' lives", ["runner"]),
    ("rows and axes become cells", ["grid", "grids", "recipes"]),
    ("questions, captions, retrieval; tables", ["tasks", "scoring", "results"]),
    ("what is compared, and the step", ["registry", "objectives", "backbones", "training"]),
    ("samples in, records out", ["data", "records"]),
    ("all that a plugin author imports", ["plugin", "contract"]),
    ("know nothing of the house", [
        "config", "device", "errors", "files", "hardware", "hookspecs", "metrics", "parts", "streams", "types",
    ]),
]
"""From the roof down: what a floor is for, and its rooms. A room imports from its own wing and from below."""
CELL = [
    ("cli", "a command names a grid"),
    ("grid", "rows × axes × seeds: cells, each with"),
    ("", "the reason not to run it, or none"),
    ("runner", "done: skip; shared stage: take it"),
    ("training", "pretrain under the grid's one budget"),
    ("tasks", "fine-tune, then predict, task by task"),
    ("metrics", "score the predictions"),
    ("records", "keep all of it, with hashes"),
    ("results", "frame, table, tests, plots"),
]
BATCH = [
    ("data", "the seed's order; decode, crop, tokens"),
    ("objectives", "corrupt: the text surgery, in numpy"),
    ("training", "one crossing to the device"),
    ("backbones", "encode asks its abilities,"),
    ("", "which are made of parts"),
    ("objectives", "loss: sums per sample, float32"),
    ("training", "joint mean, backward, one step"),
]
STYLE = """
  .ground{fill:#f7f9f9} .floor{fill:#e6eeee} .room{fill:#ffffff;stroke:#7d9a9d} .name{fill:#14343a}
  .said{fill:#4d6468} .cell{fill:#b4521f} .batch{fill:#1f6f78} .on{fill:#ffffff}
  @media (prefers-color-scheme: dark){
    .ground{fill:#14201f} .floor{fill:#1d2e2f} .room{fill:#2a4042;stroke:#5d8084} .name{fill:#e8f1f1}
    .said{fill:#a9c0c2} .cell{fill:#e58a55} .batch{fill:#58b3bd} .on{fill:#10191a}
  }
  text{font-family:ui-sans-serif,system-ui,"Helvetica Neue",Arial,sans-serif}
  .name{font-size:14px;font-weight:600} .said{font-size:12px} .head{font-size:15px;font-weight:700}
  .mark{font-size:11px;font-weight:700}
"""
LEFT, HOUSE, TALL, GAP, WAYS = 20, 560, 58, 8, 606
WIDTH, HEIGHT = 984, 2 * LEFT + 9 * (TALL + GAP) - GAP


def text(x: float, y: float, words: str, look: str, anchor: str = "start") -> str:
    """One line of words."""
    return f'<text x="{x:g}" y="{y:g}" class="{look}" text-anchor="{anchor}">{escape(words)}</text>'


def mark(x: float, y: float, sign: str, way: str) -> str:
    """The number of a step in a coloured circle."""
    return f'<circle cx="{x:g}" cy="{y:g}" r="9" class="{way}"/>' + text(x, y + 4, sign, "mark on", "middle")


def signs(way: list[tuple[str, str]], letters: str) -> list[tuple[str, str, str]]:
    """Each line of a way with its sign; a line that goes on has none."""
    rest = iter(letters)
    return [(next(rest) if room else "", room, words) for room, words in way]


def house(marks: dict[str, list[tuple[str, str]]]) -> list[str]:
    """The floors with their rooms, and in each room the steps that happen there."""
    drawn = []
    for number, (said, rooms) in enumerate(FLOORS):
        top = LEFT + number * (TALL + GAP)
        drawn += [f'<rect x="{LEFT}" y="{top}" width="{HOUSE}" height="{TALL}" rx="6" class="floor"/>',
                  text(LEFT + 10, top + 15, said, "said")]
        wide = (HOUSE - 20 - 6 * (len(rooms) - 1)) / len(rooms)
        wide = min(wide, 175)
        for place, room in enumerate(rooms):
            x, y = LEFT + 10 + place * (wide + 6), top + 22
            small = ' style="font-size:8.5px"' if len(rooms) > 5 else ""
            steps = marks.get(room, [])
            drawn += [f'<rect x="{x:g}" y="{y}" width="{wide:g}" height="29" rx="4" class="room"/>',
                      text(x + (wide - 20 * len(steps)) / 2 if len(rooms) <= 5 else x + wide / 2, y + 19, room,
                           f'name"{small} data-room="{room}', "middle")]
            at = [x + wide - 12 - 20 * back for back in reversed(range(len(steps)))]
            if len(rooms) > 5:
                at, y = [x + wide - 4] * len(steps), y - 13
            drawn += [mark(where, y + 14.5, sign, way) for where, (sign, way) in zip(at, steps, strict=True)]
    return drawn


def list_of(way: list[tuple[str, str, str]], kind: str, head: str, top: float) -> list[str]:
    """A way as a numbered list beside the house."""
    drawn = [text(WAYS, top, head, f"head {kind}")]
    for line, (sign, room, words) in enumerate(way):
        y = top + 26 + 25 * line
        drawn += [mark(WAYS + 9, y - 4, sign, kind), text(WAYS + 26, y, room, "name")] if room else []
        drawn.append(text(WAYS + 124, y, words, "said"))
    return drawn


def picture() -> str:
    """The whole SVG."""
    cell, batch = signs(CELL, "12345678"), signs(BATCH, "abcdef")
    marks: dict[str, list[tuple[str, str]]] = {}
    for way, kind in ((cell, "cell"), (batch, "batch")):
        for sign, room, _ in way:
            if room:
                marks.setdefault(room, []).append((sign, kind))
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">',
        "<title>The rooms of vlpbench, and the ways of a cell and of a batch through them</title>",
        f"<style>{STYLE}</style>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" rx="12" class="ground"/>',
        *house(marks),
        *list_of(cell, "cell", "A cell's way", LEFT + 18),
        *list_of(batch, "batch", "A batch's way", LEFT + 310),
        text(WAYS, HEIGHT - 66, "A room imports from its own wing", "said"),
        text(WAYS, HEIGHT - 49, "and from the floors below, never upwards.", "said"),
        text(WAYS, HEIGHT - 32, "Plugins import the room “plugin” alone.", "said"),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


if __name__ == "__main__":
    where = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parents[1] / "pictures" / "design.svg"
    where.write_text(picture(), encoding="utf-8")
