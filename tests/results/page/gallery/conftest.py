"""A data set of six pictures in real formats, and records of a grid that was asked about them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from vlpbench.files import write_json
from vlpbench.records import SCHEMA, CellFolder

SIZES = {1: (32, 32), 2: (300, 200), 3: (64, 64), 4: (65, 10), 5: (32, 32), 6: (40, 40)}
SOURCE = {
    "kind": "vqa", "folder": "mini", "images": "images", "questions": {"test": "questions.json"},
    "annotations": {"test": "annotations.json"}, "captions": {"test": "captions.json"}, "image_pattern": "", "limit": 0,
}


def caption(image: int, number: int) -> str:
    return f"caption {number} of picture {image}"


class Mini:
    """The data set, and a grid's results: `cell` adds one."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.results = folder / "data" / "mini", folder / "results" / "small"
        self.images = {number: f"{number}.png" for number in SIZES}
        self.texts = {number: [caption(number, at) for at in range(2)] for number in SIZES}
        self.questions = {number: f"what is in picture {number}" for number in SIZES}
        self.rows: list[str] = []
        self.cells: dict[str, dict[str, Any]] = {}
        self.tasks = ["vqa", "captioning", "retrieval"]
        for number, size in SIZES.items():
            path = self.folder / "images" / self.images[number]
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.new("RGB", size, (40 * number, 255 - 40 * number, 90)).save(path)
        self.write()

    def write(self) -> None:
        """The annotation files, as the attributes say."""
        images = [{"id": number, "file_name": name} for number, name in self.images.items()]
        texts = [(number, text) for number, some in self.texts.items() for text in some]
        asked = [{"question_id": 10 * number, "image_id": number, "question": text}
                 for number, text in self.questions.items()]
        given = [{"question_id": one["question_id"], "image_id": one["image_id"], "question_type": "what",
                  "answer_type": "other", "multiple_choice_answer": "x", "answers": [{"answer": "x"}] * 10}
                 for one in asked]
        write_json(self.folder / "captions.json", {"images": images, "annotations": [
            {"id": at, "image_id": number, "caption": text} for at, (number, text) in enumerate(texts)]})
        write_json(self.folder / "questions.json", {"images": images, "questions": asked})
        write_json(self.folder / "annotations.json", {"annotations": given})

    def vqa(self, right: Sequence[int], answer: str = "y") -> list[dict[str, Any]]:
        """Questions of which these pictures' are answered right."""
        return [
            {"question_id": 10 * number, "image_id": number, "question": text, "question_type": "what",
             "answer_type": "other", "answers": ["x"] * 9 + ["z"], "prediction": "x" if number in right else answer,
             "probability": 0.25, "accuracy": float(number in right)}
            for number, text in self.questions.items()
        ]

    def captioning(self, said: str, cider: Mapping[int, float]) -> list[dict[str, Any]]:
        """The same caption for all pictures."""
        return [
            {"image_id": number, "image": self.images[number], "prediction": f"{said} {number}",
             "references": self.texts[number], "CIDEr": cider.get(number, 0.5)}
            for number in self.images
        ]

    def retrieval(self, rank: float = 0.0) -> list[dict[str, Any]]:
        """Both directions; the right items are found first, or not among the first five."""
        numbers = list(self.images)
        names = [f"{number}/{at}" for number in numbers for at in range(2)]

        def row(way: str, query: str, text: str | None, right: list[str], others: list[str]) -> dict[str, Any]:
            found = [*right, *others] if rank == 0 else others
            return {"direction": way, "query": query, "text": text, "rank": rank, "found": found}

        return [
            *(row("image to text", str(one), None, [f"{one}/0", f"{one}/1"],
                  [name for name in names if not name.startswith(f"{one}/")]) for one in numbers),
            *(row("text to image", name, self.texts[int(name[0])][int(name[2])], [name[0]],
                  [str(one) for one in numbers if str(one) != name[0]]) for name in names),
        ]

    def cell(
        self, row: str, seed: int, predictions: Mapping[str, Any], settings: Mapping[str, Any] | None = None,
        fingerprint: str | None = None, data: str = "mini",
    ) -> CellFolder:
        """A finished cell; a task whose predictions are a text is n/a for that reason."""
        number = f"{len(self.cells):012x}"
        self.rows = list(dict.fromkeys([*self.rows, row]))
        self.cells[number] = {"row": row, "seed": seed, "reason": None}
        write_json(self.results / "grid.json", {
            "schema": SCHEMA, "name": self.results.name, "description": "", "rows": self.rows, "tasks": self.tasks,
            "cells": self.cells,
        })
        folder = CellFolder.of(self.results, number, row, f"s{seed}")
        folder.begin({
            "grid": self.results.name, "row": row, "seed": seed, "id": number, "published": {},
            "fingerprints": {"mini": fingerprint} if fingerprint else {},
            "settings": {
                "objective": "none", "backbone": "conv3/encoder-decoder/nano", "blind": False, "tasks": self.tasks,
                "budget": {"samples": 1}, "sources": {"mini": SOURCE}, "split": "test", "data": "mini",
                **(settings or {}),
            },
        })
        found = {
            task: {"reason": rows} if isinstance(rows, str) else {
                "protocol": "fine-tune", "head": "decoder", "data": data, "split": "test", "values": {}, "reasons": {},
                "floors": {}, "ceilings": {}, "fine_tune": {"samples": 1, "flops": 1},
            }
            for task, rows in predictions.items()
        }
        cost = {"parameters": 1, "image_tokens": 1, "samples": 1, "targets": 1, "flops": 1}
        kept = {task: rows for task, rows in predictions.items() if not isinstance(rows, str)}
        folder.finish({"tasks": found, "cost": cost, "left_out": {}}, [], kept, {})
        return folder


@pytest.fixture
def mini(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Mini:
    """The data set where VLPBENCH_DATA says, and an empty grid."""
    monkeypatch.setenv("VLPBENCH_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("VLPBENCH_CACHE", str(tmp_path / "cache"))
    return Mini(tmp_path)


@pytest.fixture
def asked(mini: Mini) -> Mini:
    """Two rows and a blind one, two seeds each, all three tasks; the second row is better."""
    for seed in range(2):
        mini.cell("one", seed, {"vqa": mini.vqa([1, 2]), "captioning": mini.captioning("one", {}),
                                "retrieval": mini.retrieval(7.0)})
        mini.cell("two", seed, {"vqa": mini.vqa([1, 2, 3], f"seed {seed}"),
                                "captioning": mini.captioning("two", {4: 2.0}), "retrieval": mini.retrieval()})
        mini.cell("two, blind", seed, {"vqa": mini.vqa([]), "captioning": "n/a: needs decode"}, {"blind": True})
    return mini
