"""A small world, a tokenizer and a trial of each task on it, all real."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from vlpbench.backbones import Conv2, DualEncoder, EncoderDecoder
from vlpbench.backbones.sizes import SIZES
from vlpbench.config.settings import CellSettings, ImageSettings, Protocol, TextSettings
from vlpbench.data.sources.vqa import Vqa as VqaFiles
from vlpbench.data.sources.vqa import VqaConfig
from vlpbench.data.splits import Purpose, Split, open_split
from vlpbench.data.tokenizer import Tokenizer
from vlpbench.data.worlds.digits import Digits, DigitsConfig
from vlpbench.device import Device
from vlpbench.metrics.captions import PURE
from vlpbench.tasks.trial import Trial
from vlpbench.training.build import Blueprint

Opened = Callable[..., Split]
LENGTH = 20


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Digits:
    """Forty training scenes, twelve of each other split."""
    cache = tmp_path_factory.mktemp("world")
    return Digits(DigitsConfig(train=40, val=12, test=12, questions=3), Path("nowhere"), cache)


@pytest.fixture(scope="session")
def opened(world: Digits) -> Opened:
    """(name, purpose, blind) -> a split of the world."""

    def open_one(name: str, purpose: Purpose = "evaluate", blind: bool = False) -> Split:
        return open_split(world, name, purpose=purpose, size=32, on_bad="error", blind=blind)

    return open_one


@pytest.fixture(scope="session")
def chosen(world: Digits, opened: Opened, tmp_path_factory: pytest.TempPathFactory) -> Opened:
    """(name, purpose, blind) -> a split of a set of the VQA layout whose questions have two to four choices.

    Pictures and questions are the world's; right choices are written like sentences. The last question has none.
    """
    folder = tmp_path_factory.mktemp("choices")
    for name in ("train", "val", "test"):
        _write_choices(folder, name, opened(name, "train" if name == "train" else "evaluate"))
    files = {name: f"{name}.json" for name in ("train", "val", "test")}
    (folder / "images").symlink_to(world.images)
    asked = {name: f"questions_{file}" for name, file in files.items()}
    made = VqaFiles(VqaConfig(questions=asked, annotations=files), folder, folder / "cache")

    def open_one(name: str, purpose: Purpose = "evaluate", blind: bool = False) -> Split:
        return open_split(made, name, purpose=purpose, size=32, on_bad="error", blind=blind)

    return open_one


def _write_choices(folder: Path, name: str, split: Split) -> None:
    asked = [(sample.id, question) for sample in split.samples for question in sample.questions]
    pool = sorted({question.answers[0] for _, question in asked})
    questions, annotations = [], []
    for at, (image, question) in enumerate(asked):
        right = question.answers[0]
        others = [pool[(at + step) % len(pool)] for step in range(len(pool)) if pool[(at + step) % len(pool)] != right]
        choices = [f"{answer.capitalize()}." for answer in (right, *others[: 1 + at % 3])]
        choices = choices[at % 2 :] + choices[: at % 2]
        questions.append({"question_id": question.id, "image_id": image, "question": question.text})
        annotations.append({
            "question_id": question.id, "image_id": image, "question_type": question.kind,
            "answer_type": question.answer_kind, "answers": [{"answer": right, "answer_id": 1}],
        })
        if at < len(asked) - 1:
            questions[-1]["multiple_choices"] = choices
            annotations[-1]["multiple_choice_answer"] = f"{right.capitalize()}."
    images = [{"id": sample.id, "file_name": sample.image} for sample in split.samples]
    (folder / f"questions_{name}.json").write_text(json.dumps({"images": images, "questions": questions}))
    (folder / f"{name}.json").write_text(json.dumps({"annotations": annotations}))


@pytest.fixture(scope="session")
def tokenizer(opened: Opened) -> Tokenizer:
    """Learnt from the training texts."""
    samples = opened("train", "train").samples
    texts = [text for one in samples for text in (*one.captions, *(q.text for q in one.questions))]
    return Tokenizer.train(texts, TextSettings(vocabulary=340))


@pytest.fixture
def trial(opened: Opened, tokenizer: Tokenizer) -> Callable[..., Trial]:
    """(task, settings of the protocol) -> a trial that starts from the initial weights."""

    def make(
        task: str, trunk: Any = EncoderDecoder, opener: Any = None, protocol: Any = None, **settings: Any
    ) -> Trial:
        short = protocol or Protocol(samples=24, batch=8, answers=30, metrics=PURE)
        whole = CellSettings(
            image=ImageSettings(size=32), text=TextSettings(length=LENGTH, vocabulary=340),
            protocol={task: short}, **settings,
        )
        blind = whole.blind
        vocabulary = tokenizer.vocabulary
        return Trial(
            task=task, settings=whole, protocol=short,
            open_split=opener or (lambda name, purpose: opened(name, purpose, blind)), tokenizer=tokenizer,
            blueprint=Blueprint(Conv2, "", trunk, SIZES["nano"], 32, vocabulary, LENGTH, whole.seed),
            weights={}, visible="all", device=Device("cpu"),
        )

    return make


@pytest.fixture
def towers(trial: Callable[..., Trial]) -> Callable[..., Trial]:
    """The same on two towers."""
    return lambda task, **settings: trial(task, DualEncoder, **settings)
