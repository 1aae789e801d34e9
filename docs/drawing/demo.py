"""Draw the demo's committed table and seeds: `python docs/drawing/demo.py` writes docs/pictures/demo.png."""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import matplotlib

matplotlib.use("agg")
from matplotlib import pyplot as plt

ROOT = Path(__file__).parents[2]
DEMO = ROOT / "results" / "reference" / "demo"
COLUMNS = ("vqa acc.", "captioning CIDEr ×100", "retrieval TR@1", "retrieval IR@1")
PANELS = (("vqa", "accuracy", 1.0, COLUMNS[0]), ("captioning", "CIDEr", 100.0, COLUMNS[1]),
          ("retrieval", "TR@1", 1.0, COLUMNS[2]))
"""Task and metric of the frame, what its numbers are multiplied by, and the column that has them."""
HUES = {"none": "#8a8f91", "prefix-lm": "#1f6f78", "contrastive": "#b4521f", "prefix-lm, blind": "#14343a"}


def printed() -> list[list[str]]:
    """The lines of the printed table that are shown: a name, and an entry for each column."""
    lines = [line for line in (DEMO / "table.md").read_text(encoding="utf-8").splitlines() if line.startswith("|")]
    head, _, *rest = [[entry.strip() for entry in line.strip("|").split("|")] for line in lines]
    picked = [head.index(name) for name in ("row", *COLUMNS)]
    until = next(number for number, line in enumerate(rest) if line[0].startswith("row"))
    return [[line[at] for at in picked] for line in rest[:until]]


def seeds() -> dict[tuple[str, str, str], list[float]]:
    """(task, metric, row) -> one score a seed."""
    found: dict[tuple[str, str, str], list[float]] = {}
    with (DEMO / "frame.csv").open(encoding="utf-8", newline="") as file:
        for line in csv.DictReader(file):
            if line["value"]:
                found.setdefault((line["task"], line["metric"], line["row"]), []).append(float(line["value"]))
    return found


def draw_table(axes: plt.Axes, lines: list[list[str]]) -> None:
    """As a paper sets it: three rules, names at the left, numbers in the middle."""
    axes.axis("off")
    axes.set(xlim=(0, 1), ylim=(len(lines) + 1.2, -0.2))
    places = [0.02, 0.40, 0.58, 0.76, 0.92]
    for x, words in zip(places, ("", *COLUMNS), strict=True):
        axes.text(x, 0.5, words, ha="left" if x == places[0] else "center", va="center", weight="bold", size=8)
    for number, line in enumerate(lines):
        for x, entry in zip(places, line, strict=True):
            stars = len(entry) - len(entry.lstrip("*"))  # of Markdown: one is italic, two are bold
            axes.text(x, number + 1.5, entry.strip("*"), ha="left" if x == places[0] else "center", va="center", size=8,
                      weight="bold" if stars == 2 else "normal", style="italic" if stars == 1 else "normal")
    for y, thick in ((0, 1.2), (1, 0.7), (len(lines) + 1, 1.2)):
        axes.axhline(y, color="black", linewidth=thick)


def draw_panel(axes: plt.Axes, scores: dict[str, list[float]], chance: float, title: str) -> None:
    """Each row's seeds as dots, their mean as a line, chance dashed."""
    for number, row in enumerate(HUES):
        if row not in scores:
            axes.text(chance, number, "  (not run)", size=7, color="#606060", va="center")
            continue
        mean = sum(scores[row]) / len(scores[row])
        axes.plot(scores[row], [number] * len(scores[row]), "o", color=HUES[row], alpha=0.55, markersize=5)
        axes.plot([mean, mean], [number - 0.28, number + 0.28], color=HUES[row], linewidth=2.4)
    axes.axvline(chance, color="#606060", linestyle="--", linewidth=0.9)
    axes.text(chance, -0.62, "chance", size=7, color="#606060", ha="left" if chance < 30 else "center", va="bottom")
    axes.set(yticks=range(len(HUES)), yticklabels=HUES, ylim=(len(HUES) - 0.4, -0.6))
    axes.set_title(title, size=8.5, weight="bold", pad=13)
    axes.tick_params(labelsize=8)
    axes.spines[["top", "right"]].set_visible(False)


def draw(where: Path) -> None:
    """The whole picture."""
    lines, by_row = printed(), seeds()
    (chance,) = [line for line in lines if line[0] == "*chance*"]
    figure = plt.figure(figsize=(8.6, 4.5), layout="constrained")
    above, below = figure.subfigures(2, 1, height_ratios=(1.15, 1))
    draw_table(above.subplots(), lines)
    for number, (axes, (task, metric, by, name)) in enumerate(zip(below.subplots(1, 3), PANELS, strict=True)):
        scores = {row: [by * value for value in by_row.get((task, metric, row), [])] for row in HUES}
        scores = {row: values for row, values in scores.items() if values}
        draw_panel(axes, scores, float(chance[1 + COLUMNS.index(name)]), name)
        if number:
            axes.set_yticklabels([])
    figure.savefig(where, dpi=150, facecolor="white", metadata={"Software": ""})


if __name__ == "__main__":
    draw(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "pictures" / "demo.png")
