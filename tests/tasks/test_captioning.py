"""Captioning: what is written for which picture, what it is compared with, and the two blind floors."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from vlpbench.config.settings import Protocol
from vlpbench.config.task_name import ProtocolName
from vlpbench.data.errors import DataError
from vlpbench.data.splits import Split
from vlpbench.metrics.captions import PURE, caption_scores
from vlpbench.tasks.captioning import PROMPT, Captioning
from vlpbench.tasks.fine_tuning import ready
from vlpbench.tasks.generate import Search, Writer
from vlpbench.tasks.task import Readout
from vlpbench.tasks.trial import Trial
from vlpbench.training.pace import Pace
from vlpbench.types import Sample

Made = Callable[..., Trial]
NEEDS = frozenset({"context", "decode"})
ASKED = Readout("decoder")


@pytest.mark.parametrize(
    ("offers", "trains", "protocol", "reason"),
    [
        ({"context", "decode"}, set(), "fine-tune", None),
        ({"context", "decode"}, {"decode"}, "zero-shot", None),
        ({"context", "decode"}, {"vectors"}, "zero-shot", "n/a: pretraining did not train decode"),
        ({"image_vector", "text_vector"}, {"decode"}, "fine-tune", "n/a: needs decode"),
        ({"decode"}, {"decode"}, "zero-shot", "n/a: needs decode"),
    ],
)
def test_why_not(offers: set[str], trains: set[str], protocol: ProtocolName, reason: str | None) -> None:
    assert Captioning().why_not(offers, trains, protocol) == reason


def test_rows_belong_to_their_pictures(trial: Made, opened: Callable[..., Split]) -> None:
    task, made, split = Captioning(), trial("captioning"), opened("test")
    asked = ready(task, made)
    rows = task.predict(asked.backbone, asked.readout, split, made)
    assert [(row["image_id"], row["image"], tuple(row["references"])) for row in rows] == [
        (sample.id, sample.image, sample.captions) for sample in split.samples
    ]
    assert all(isinstance(row["prediction"], str) for row in rows)
    scores = task.score(rows)
    expected = caption_scores(
        {row["image_id"]: row["prediction"] for row in rows}, {s.id: s.captions for s in split.samples}
    )
    assert scores.values == dict(expected.scores) and set(scores.values) == set(PURE)
    assert [row["CIDEr"] for row in rows] == [expected.per_image["CIDEr"][row["image_id"]] for row in rows]
    assert scores.examples == 12 and scores.ceilings == {}


def test_references_said_back_are_the_best_there_is(opened: Callable[..., Split]) -> None:
    split = opened("test")
    rows = [
        {"image_id": s.id, "prediction": s.captions[0], "references": list(s.captions)} for s in split.samples
    ]
    assert Captioning().score(rows).values["Bleu_4"] == pytest.approx(1.0)


def test_floors_never_saw_a_picture(trial: Made, opened: Callable[..., Split]) -> None:
    made, split = trial("captioning"), opened("test")
    references = {s.id: s.captions for s in split.samples}
    rows = Captioning().predict(made.build(NEEDS).eval(), ASKED, split, made)
    floors = Captioning().score(rows).floors
    taught = [caption for sample in opened("train", "train").samples for caption in sample.captions]
    counts = Counter(taught)
    commonest = sorted(counts, key=lambda text: (-counts[text], text))[0]
    assert floors["majority"] == dict(caption_scores(dict.fromkeys(references, commonest), references).scores)
    assert set(floors) == {"chance", "majority"}
    assert floors["chance"] != floors["majority"]
    again = Captioning().predict(made.build(NEEDS).eval(), ASKED, split, made)
    assert floors == Captioning().score(again).floors, "chance is drawn from a seed"


def test_pictures_without_captions_are_left_out(trial: Made, opened: Callable[..., Split]) -> None:
    whole = opened("test")
    samples = tuple(
        Sample(s.id, s.image) if at % 2 else Sample(s.id, s.image, s.captions) for at, s in enumerate(whole.samples)
    )
    split = Split("digits", "test", samples, whole.pixels, ())
    made = trial("captioning")
    backbone = made.build(NEEDS).eval()
    some = Captioning().predict(backbone, ASKED, split, made)
    every = Captioning().predict(backbone, ASKED, whole, made)
    assert [row["image_id"] for row in some] == [s.id for s in whole.samples[::2]]
    assert [row["prediction"] for row in some] == [row["prediction"] for row in every[::2]]
    bare = Split("digits", "test", tuple(Sample(s.id, s.image) for s in whole.samples), whole.pixels, ())
    with pytest.raises(DataError, match="test split of 'digits' has no captions"):
        Captioning().predict(backbone, ASKED, bare, made)


def test_a_prompt_is_read_first_and_not_repeated(
    trial: Made, opened: Callable[..., Split], monkeypatch: pytest.MonkeyPatch
) -> None:
    starts: list[tuple[list[int], int, int]] = []

    class Listening(Writer):
        def __init__(self, backbone: Any, start: list[int], length: int, search: Search, graph: object) -> None:
            starts.append((start, length, search.beams))
            assert graph is None, "one batch on a CPU"
            super().__init__(backbone, start, length, search)

    monkeypatch.setattr("vlpbench.tasks.captioning.Writer", Listening)
    split = opened("test")
    for task, protocol in (
        ("captioning", Protocol(beams=3)),
        ("captioning", Protocol(prompt="there is")),
        ("captioning@zero-shot", Protocol()),
        ("captioning@zero-shot", Protocol(prompt="there is")),
    ):
        made = trial(task, protocol=protocol)
        Captioning().predict(made.build(NEEDS).eval(), ASKED, split, made)
    vocabulary = made.tokenizer.vocabulary
    assert all(start[0] == vocabulary.bos and vocabulary.eos not in start for start, _, _ in starts)
    said = [made.tokenizer.decode(start[1:]) for start, _, _ in starts]
    assert said == ["", "there is", PROMPT, "there is"]
    assert [(length, beams) for _, length, beams in starts] == [(20, 3), (20, 1), (20, 1), (20, 1)]


def test_batches_that_share_their_steps_say_the_same(
    trial: Made, opened: Callable[..., Split], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Twelve pictures, five at once: as steps of one shape are played on a GPU."""
    choices: list[str] = []

    def graph_for(device: object, choice: str) -> Callable[[Any], Any]:
        choices.append(choice)
        return lambda turn: turn

    monkeypatch.setattr("vlpbench.tasks.captioning.graph_for", graph_for)
    made, split = trial("captioning", protocol=Protocol(beams=4, length_penalty=0.5)), opened("test")
    backbone = made.build(NEEDS).eval()
    plain = Captioning().predict(backbone, ASKED, split, made)
    assert not choices, "one batch is not worth a graph"
    again = replace(made, pace=Pace(at_once=5, compiled="always"))
    assert Captioning().predict(backbone, ASKED, split, again) == plain
    assert choices == ["always"]


def test_a_blind_trial_writes_one_sentence(trial: Made) -> None:
    made = trial("captioning", blind=True)
    backbone = made.build(NEEDS).eval()
    split = made.open_split("test", "evaluate")
    assert (split.pixels == split.pixels.flat[0]).all()
    assert len({row["prediction"] for row in Captioning().predict(backbone, ASKED, split, made)}) == 1


def test_what_is_taught_is_every_caption(trial: Made, opened: Callable[..., Split]) -> None:
    made = trial("captioning")
    readout = Captioning().readout(made, {})
    examples = Captioning().examples(made, readout)
    train = opened("train", "train")
    assert len(examples) == len(train.samples)
    assert int(examples.many.sum()) == sum(len(s.captions) for s in train.samples)
    assert readout.head == "decoder" and np.array_equal(examples.image_ids, [s.id for s in train.samples])
