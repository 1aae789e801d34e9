"""Zero-shot by the similarity that an objective trained: against double loops, both directions, all sizes of blocks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from vlpbench.backbones import DecoderOnly, DualEncoder, EncoderDecoder
from vlpbench.config.settings import Protocol
from vlpbench.config.task_name import ProtocolName
from vlpbench.contract.abilities import Backbone
from vlpbench.contract.noconfig import NoConfig
from vlpbench.contract.objective import Objective
from vlpbench.data.splits import Split
from vlpbench.errors import UserError
from vlpbench.metrics.recall import ranks
from vlpbench.results.meanings import meaning
from vlpbench.tasks import class_prompts, gallery, similarity
from vlpbench.tasks.fine_tuning import Asked, ready
from vlpbench.tasks.suite import run_task, task_named, why_not
from vlpbench.tasks.task import Row
from vlpbench.tasks.trial import Trial
from vlpbench.training.pace import Pace
from vlpbench.types import Batch, Spec, Step

Made = Callable[..., Trial]
Opened = Callable[..., Split]
RETRIEVAL, CLASSES = "retrieval@zero-shot", "classification@zero-shot"


class TokenWise(Objective):
    """Each patch takes its most similar word, each word its most similar patch; the means of both differ."""

    name, needs, trains = "token-wise", frozenset({"image_tokens", "text_tokens"}), frozenset({"similarity"})

    def __init__(self, config: Any, spec: Spec) -> None:
        super().__init__(config, spec)
        self.of_image, self.of_text = nn.Linear(spec.width, 8), nn.Linear(spec.width, 8)

    def encode(self, backbone: Backbone, batch: Batch) -> Mapping[str, Tensor]:
        return {}

    def loss(self, features: Mapping[str, Tensor], batch: Batch) -> Step:
        return Step(torch.zeros(len(batch)))

    def similarity(self, backbone: Backbone, image: Any, text: Any) -> tuple[Tensor, Tensor]:
        patches = nn.functional.normalize(self.of_image(backbone.image_tokens(image)), dim=-1)
        words = nn.functional.normalize(self.of_text(backbone.text_tokens(text)), dim=-1)
        near = torch.einsum("npe,mte->nmpt", patches, words)
        there = text.mask[None].float()
        to_text = near.masked_fill(~text.mask[None, :, None], -torch.inf).amax(3).mean(2)
        return to_text, (near.amax(2) * there).sum(2) / there.sum(2)


def asked(made: Trial, cls: type[Objective] = TokenWise, more: frozenset[str] = frozenset()) -> Trial:
    """The trial after a pretraining that left this objective with weights of its own."""

    def left(spec: Spec) -> Objective:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(7)
            return cls(NoConfig(), spec)

    return replace(made, heads={"similarity": left}, trains=frozenset({"similarity"}) | more)


@torch.no_grad()
def pair(found: Asked, pictures: Tensor, text: str, made: Trial) -> tuple[float, float]:
    """Both similarities of one picture and one sentence, from the definition, without any padding."""
    (head,) = found.readout.objectives
    assert isinstance(head, TokenWise)
    tokens, mask = (torch.from_numpy(one) for one in made.tokenizer.encode([text], made.settings.text.length))
    patches = head.of_image(found.backbone.image_tokens(found.backbone.see(pictures))[0])
    words = head.of_text(found.backbone.text_tokens(found.backbone.read(tokens, mask))[0])
    near = nn.functional.cosine_similarity(patches[:, None], words[None, mask[0]], dim=2)
    return float(near.amax(1).mean()), float(near.amax(0).mean())


def slow(found: Asked, split: Split, made: Trial) -> tuple[np.ndarray, np.ndarray]:
    """I, T twice: a double loop over all pairs, each with states of its own and padded to another length."""
    texts = [text for sample in split.samples for text in sample.captions]
    both = np.array([
        [pair(found, made.pictures(split, [row]), text, made) for text in texts] for row in range(len(split.samples))
    ])
    return both[:, :, 0], both[:, :, 1]


def few(split: Split, images: int = 4) -> Split:
    """The first pictures; the second says what the first says, and has fewer captions."""
    samples = list(split.samples[:images])
    samples[1] = replace(samples[1], captions=(samples[0].captions[0], *samples[1].captions[1:3]))
    return replace(split, samples=tuple(samples), pixels=split.pixels[:images])


def predicted(made: Trial, split: Split) -> list[Row]:
    found = ready(task_named(made.task), made)
    return task_named(made.task).predict(found.backbone, found.readout, split, made)


def assert_same(ours: list[Row], others: list[Row]) -> None:
    """Equal rows, but for rounding of the scores."""
    for one, two in zip(ours, others, strict=True):
        assert one["scores"] == pytest.approx(two["scores"], abs=1e-5)
        assert {**one, "scores": 0} == {**two, "scores": 0}


@pytest.mark.parametrize("trunk", [DualEncoder, EncoderDecoder, DecoderOnly])
def test_each_direction_has_the_ranks_of_its_own_double_loop(trial: Made, opened: Opened, trunk: Any) -> None:
    made, split = asked(trial(RETRIEVAL, trunk, protocol=Protocol(same_texts=True))), few(opened("test"))
    found = ready(task_named(RETRIEVAL), made)
    assert found.backbone.abilities >= {"image_tokens", "text_tokens"}
    to_text, to_image = slow(found, split, made)
    assert np.abs(to_text - to_image).max() > 0.01, "two matrices, or the test sees nothing"
    rows = predicted(made, split)
    owner = np.repeat(range(4), [len(sample.captions) for sample in split.samples])
    same = np.unique([text for sample in split.samples for text in sample.captions], return_inverse=True)[1]
    expected = ranks(to_text, owner, same)[0], ranks(to_image, owner, same)[1]
    for placed, matrix, way in zip(
        expected, (to_text, to_image.T), ("image to text", "text to image"), strict=True
    ):
        here = [row for row in rows if row["direction"] == way]
        assert [row["better"] for row in here] == placed.better.tolist()
        assert np.array([row["scores"] for row in here]) == pytest.approx(-np.sort(-matrix, 1), abs=1e-5)
        assert {(row["k"], row["rule"], row["shortlist"], row["listed"]) for row in here} == {
            (0, "similarity", "all pairs", matrix.shape[1])
        }


@pytest.mark.parametrize("folds", [1, 2])
def test_sizes_of_blocks_change_nothing(
    towers: Made, opened: Opened, monkeypatch: pytest.MonkeyPatch, folds: int
) -> None:
    made, split = asked(towers(RETRIEVAL, protocol=Protocol(folds=folds))), few(opened("test"), 12)
    expected = predicted(made, split)
    for size in (1, 3, 256):
        assert_same(predicted(replace(made, pace=Pace(at_once=size)), split), expected)
    for module, pictures, texts in ((similarity, 2, 5), (gallery, 3, 7)):
        monkeypatch.setattr(module, "PICTURES", pictures)
        monkeypatch.setattr(module, "TEXTS" if module is similarity else "SENTENCES", texts)
    assert_same(predicted(made, split), expected)


def test_a_fold_is_a_gallery_of_its_own(towers: Made, opened: Opened) -> None:
    split = opened("test")
    whole = predicted(asked(towers(RETRIEVAL, protocol=Protocol(folds=2))), split)
    for fold, start in enumerate((0, 6)):
        part = replace(split, samples=split.samples[start : start + 6], pixels=split.pixels[start : start + 6])
        alone = predicted(asked(towers(RETRIEVAL)), part)
        assert_same([row for row in whole if row["fold"] == fold], [row | {"fold": fold} for row in alone])


def test_neighbours_change_no_score(towers: Made, opened: Opened) -> None:
    split = opened("test")
    turned = replace(split, samples=split.samples[::-1], pixels=split.pixels[::-1].copy())
    made = asked(towers(RETRIEVAL))
    here, there = ({row["query"]: row for row in predicted(made, one)} for one in (split, turned))
    assert here.keys() == there.keys()
    for query, row in here.items():
        assert row["scores"] == pytest.approx(there[query]["scores"], abs=1e-5)


def test_equal_texts_are_one_sentence(towers: Made, opened: Opened) -> None:
    """What two pictures say alike scores alike to the last bit, so it ties wherever it stands in a block."""
    split = few(opened("test"))
    made = asked(towers(RETRIEVAL))
    rows = predicted(made, split)
    first, second = (f"{split.samples[at].id}/0" for at in (0, 1))
    for row in rows[:4]:
        scores = dict(zip(row["found"], row["scores"], strict=True))
        assert scores[first] == scores[second]
    told = {row["query"]: row for row in rows[4:]}
    assert told[first]["scores"] == told[second]["scores"]
    masked = predicted(replace(made, protocol=Protocol(same_texts=True)), split)
    assert sum(row["masked"] for row in masked) > 0 and all(row["masked"] is None for row in rows)


def test_every_picture_is_seen_once_and_every_sentence_read_once(towers: Made, opened: Opened) -> None:
    made = asked(towers(RETRIEVAL, protocol=Protocol(folds=2)))
    made = replace(made, pace=Pace(at_once=4))
    found, split = ready(task_named(RETRIEVAL), made), opened("test")
    seen: dict[str, int] = {"stem": 0, "words": 0}

    def count(name: str) -> Any:
        def hook(module: nn.Module, given: Any, out: Any) -> None:
            seen[name] += len(given[0])

        return hook

    for name in seen:
        getattr(found.backbone, name).register_forward_hook(count(name))
    task_named(RETRIEVAL).predict(found.backbone, found.readout, split, made)
    texts = {text for sample in split.samples for text in sample.captions}
    assert seen == {"stem": len(split.samples), "words": len(texts)}


class Turned(TokenWise):
    """Gives the second matrix texts first."""

    name = "turned"

    def similarity(self, backbone: Backbone, image: Any, text: Any) -> tuple[Tensor, Tensor]:
        both = super().similarity(backbone, image, text)
        return both[0], both[1].T


class Single(TokenWise):
    """Gives one matrix alone."""

    name = "single"

    def similarity(self, backbone: Backbone, image: Any, text: Any) -> Any:
        return super().similarity(backbone, image, text)[0]


class Diverged(TokenWise):
    """Gives what is no number."""

    name = "diverged"

    def similarity(self, backbone: Backbone, image: Any, text: Any) -> tuple[Tensor, Tensor]:
        both = super().similarity(backbone, image, text)
        return both[0], both[1] * torch.nan


@pytest.mark.parametrize("task", [RETRIEVAL, CLASSES])
@pytest.mark.parametrize(
    ("cls", "cause"),
    [
        (Turned, r"similarity\(\) of 'turned' returned \(\d+, \d+\), \(\d+, \d+\), not two matrices of \(\d+, \d+\)"),
        (Single, r"similarity\(\) of 'single' returned \(\d+, \d+\), not two matrices"),
    ],
)
def test_what_is_no_pair_of_matrices_is_named(towers: Made, task: str, cls: Any, cause: str) -> None:
    with pytest.raises(UserError, match=cause) as caught:
        run_task(asked(towers(task), cls))
    assert "a row a picture and a column a text" in caught.value.remedy


def test_scores_that_are_not_finite_are_an_error(towers: Made) -> None:
    with pytest.raises(UserError, match="not a finite number"):
        run_task(asked(towers(RETRIEVAL), Diverged))


class Greedy(TokenWise):
    """Runs out of memory with more pairs than a few at once."""

    name = "greedy"

    def similarity(self, backbone: Backbone, image: Any, text: Any) -> tuple[Tensor, Tensor]:
        if len(image) * len(text) > 100:
            raise torch.OutOfMemoryError("too many pairs")
        return super().similarity(backbone, image, text)


def test_where_memory_runs_out_fewer_are_asked_at_once(towers: Made, capsys: pytest.CaptureFixture[str]) -> None:
    outcome = run_task(asked(towers(RETRIEVAL), Greedy))
    assert "memory" in capsys.readouterr().err
    assert_same(outcome.rows, run_task(asked(towers(RETRIEVAL))).rows)


@pytest.mark.parametrize("more", [frozenset(), frozenset({"vectors"})])
def test_tables_name_it_and_it_goes_before_vectors(towers: Made, more: frozenset[str]) -> None:
    outcome = run_task(asked(towers(RETRIEVAL), more=more))
    assert outcome.head == "similarity" and not outcome.training.samples
    told = outcome.scores.told
    assert (told["rule"], told["k"], told["shortlist"]) == ("similarity", 0, "all pairs")
    assert "all pairs ordered by similarity" in meaning(RETRIEVAL, {"told": told})
    assert 0 <= outcome.scores.values["rsum"] <= 600  # type: ignore[operator]
    assert outcome.scores == replace(outcome.scores, **vars(task_named(RETRIEVAL).score(outcome.rows)))


def test_a_fine_tune_is_the_same_for_all(towers: Made) -> None:
    readout = task_named("retrieval").readout(asked(towers("retrieval")), {})
    assert readout.head == "vectors" and [one.name for one in readout.objectives] == ["contrastive"]


def test_a_cell_whose_pretraining_left_none_is_told(towers: Made) -> None:
    for task in (RETRIEVAL, CLASSES):
        with pytest.raises(UserError, match="pretraining left no similarity"):
            run_task(replace(asked(towers(task)), heads={}))


@pytest.mark.parametrize(
    ("task", "trains", "protocol", "reason"),
    [
        (RETRIEVAL, {"similarity"}, "zero-shot", None),
        (RETRIEVAL, {"match"}, "zero-shot", "n/a: needs image_vector and text_vector"),
        ("retrieval", {"similarity"}, "fine-tune", "n/a: needs image_vector and text_vector"),
        ("retrieval@match@zero-shot", {"similarity"}, "zero-shot", "n/a: pretraining trained no matching head"),
        ("retrieval@likelihood@zero-shot", {"similarity"}, "zero-shot", "n/a: needs context and decode"),
        (CLASSES, {"similarity"}, "zero-shot", None),
        (CLASSES, {"decode"}, "zero-shot", "n/a: needs image_vector and text_vector"),
        ("vqa@choices-match@zero-shot", {"similarity"}, "zero-shot", "n/a: pretraining trained no matching head"),
    ],
)
def test_why_not_on_a_trunk_of_tokens_alone(
    task: str, trains: set[str], protocol: ProtocolName, reason: str | None
) -> None:
    assert why_not(task, {"image_tokens", "text_tokens"}, trains) == reason


@pytest.mark.parametrize("templates", [("a picture of {}",), ("a picture of {}", "{}", "one {} and nothing else")])
def test_a_class_is_as_similar_as_its_prompts_are_on_average(
    trial: Made, opened: Opened, templates: tuple[str, ...]
) -> None:
    made = asked(trial(CLASSES, protocol=Protocol(templates=templates)))
    found = ready(task_named(CLASSES), made)
    known, split = found.readout.facts["classes"], opened("test")
    some = replace(split, samples=split.samples[:4], pixels=split.pixels[:4])
    rows = task_named(CLASSES).predict(found.backbone, found.readout, some, made)
    for at, row in enumerate(rows):
        pictures = made.pictures(some, [at])
        means = {
            one: float(np.mean([pair(found, pictures, text.replace("{}", one), made)[0] for text in templates]))
            for one in known
        }
        assert row["prediction"] == row["top5"][0] == max(means, key=lambda one: means[one])
        assert row["similarity"] == pytest.approx(max(means.values()), abs=1e-5) and "cosine" not in row
        assert row["top5"] == sorted(means, key=lambda one: -means[one])[:5]
    outcome = run_task(made)
    assert outcome.head == "class prompts, similarity" and outcome.scores.told["templates"] == list(templates)


def test_classes_are_scored_alike_whatever_the_size_of_blocks(
    towers: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where not all prompts can be kept from one block of pictures to the next."""
    made = asked(towers(CLASSES, protocol=Protocol(templates=("a picture of {}", "{}"))))
    expected = run_task(made).rows

    def check(others: list[Row]) -> None:
        for one, two in zip(expected, others, strict=True):
            assert one["similarity"] == pytest.approx(two["similarity"], abs=1e-5)
            assert {**one, "similarity": 0} == {**two, "similarity": 0}

    for size in (1, 5):
        check(run_task(replace(made, pace=Pace(at_once=size))).rows)
    monkeypatch.setattr(class_prompts, "KEPT_BYTES", 0)
    check(run_task(replace(made, pace=Pace(at_once=3))).rows)


def test_classes_that_read_alike_tie(towers: Made, opened: Opened) -> None:
    made = asked(towers(CLASSES))
    found = ready(task_named(CLASSES), made)
    facts = {**found.readout.facts, "classes": ["Dog", "cat", "dog"]}
    alike = replace(found.readout, facts=facts)
    rows = task_named(CLASSES).predict(found.backbone, alike, opened("test"), made)
    assert {row["prediction"] for row in rows} <= {"Dog", "cat"}, "of equals the first by alphabet"
    for row in rows:
        assert row["top5"].index("dog") == row["top5"].index("Dog") + 1
