"""Classification: which splits a probe may see, zero-shot against a slow version, keeping and asking again."""

from __future__ import annotations

import dataclasses
import json
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression

from vlpbench.backbones import DecoderOnly, DualEncoder, EncoderDecoder
from vlpbench.config.settings import Protocol
from vlpbench.config.task_name import ProtocolName
from vlpbench.contract.abilities import Backbone
from vlpbench.data.errors import DataError, TestSplitRefused
from vlpbench.data.splits import Split
from vlpbench.errors import UserError
from vlpbench.records import StageFolder
from vlpbench.tasks.classification import Classification
from vlpbench.tasks.fine_tuning import Asked, ready
from vlpbench.tasks.labelled import Labelled
from vlpbench.tasks.probe import Probe
from vlpbench.tasks.suite import run_task, why_not
from vlpbench.tasks.trial import Trial
from vlpbench.training.pace import Pace

Made = Callable[..., Trial]
Opened = Callable[..., Split]
PROBE, ZERO = "classification@probe", "classification@zero-shot"


def with_labels(opened: Opened, change: Callable[[str, int, str], str | None]) -> Any:
    """An opener whose samples' labels are changed by (split, row, label)."""

    def open_one(name: str, purpose: Any) -> Split:
        split = opened(name, purpose)
        samples = tuple(
            dataclasses.replace(one, fields={"label": change(name, at, one.fields["label"])})
            for at, one in enumerate(split.samples)
        )
        return dataclasses.replace(split, samples=samples)

    return open_one


def means(backbone: Backbone, split: Split, made: Trial) -> np.ndarray[Any, Any]:
    """The mean image token of each picture, all at once."""
    with torch.no_grad():
        tokens = backbone.image_tokens(backbone.see(made.pictures(split, range(len(split.samples)))))
    return tokens.mean(1).double().numpy()


def head_of(asked: Asked) -> Probe:
    (head,) = asked.readout.objectives
    assert isinstance(head, Probe)
    return head


def labels_of(split: Split) -> list[str]:
    return [one.fields["label"] for one in split.samples]


@pytest.mark.parametrize("trunk", [EncoderDecoder, DecoderOnly, DualEncoder])
def test_the_probe_is_scikit_learns_on_training_and_validation(trial: Made, opened: Opened, trunk: Any) -> None:
    made = trial(PROBE, trunk)
    asked = ready(Classification(), made)
    splits = [opened("train"), opened("val")]
    features = np.concatenate([means(asked.backbone, one, made) for one in splits])
    labels = [label for one in splits for label in labels_of(one)]
    test = opened("test")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = LogisticRegression(C=asked.told["C"], max_iter=1_000).fit(features, labels)
    rows = Classification().predict(asked.backbone, asked.readout, test, made)
    sure = model.predict_proba(means(asked.backbone, test, made))
    assert [row["probability"] for row in rows] == pytest.approx(sure.max(1), abs=1e-3)
    assert [row["prediction"] for row in rows] == model.predict(means(asked.backbone, test, made)).tolist()
    assert asked.told["converged"] is True and asked.told["width"] == features.shape[1]


def test_the_result_names_its_splits_and_all_that_was_tried(trial: Made) -> None:
    """Row 27 of the checklist."""
    outcome = run_task(trial(PROBE))
    told = outcome.told
    assert told["chosen_on"] == "val" and told["fitted_on"] == ["train", "val"]
    assert told["images"] == {"train": 40, "val": 12, "val_of_classes_not_in_train": 0}
    assert told["unlabelled"] == {"train": 0, "val": 0}
    assert told["features"] == "mean of image tokens, not normalised" and outcome.head == "mean of image tokens"
    best = max(told["tried"], key=lambda one: (one["accuracy"], -one["C"]))
    assert told["C"] == best["C"] and 7 <= len(told["tried"]) <= 15
    assert told["classes"] == sorted(told["classes"]) and json.loads(json.dumps(dict(told))) == told
    assert outcome.training.samples == 0 and outcome.training.curve == []


def test_splits_are_opened_for_what_they_are_for(trial: Made, opened: Opened) -> None:
    asked: list[tuple[str, str]] = []

    def opener(name: str, purpose: Any) -> Split:
        asked.append((name, purpose))
        return opened(name, purpose)

    run_task(trial(PROBE, opener=opener))
    assert set(asked) == {("train", "train"), ("val", "select"), ("test", "evaluate")}
    asked.clear()
    told = run_task(trial(PROBE, opener=opener, split="val")).told
    assert set(asked) == {("train", "train"), ("val", "evaluate")} and asked[-1] == ("val", "evaluate")
    assert told["fitted_on"] == ["train"] and told["chosen_on"].startswith("1/5 of train")
    held = told["images"]["held_out"]
    counts = np.unique(labels_of(opened("train")), return_counts=True)[1]
    assert told["images"]["train"] == 40 and held == sum(count // 5 for count in counts) > 0
    asked.clear()
    run_task(trial(ZERO, opener=opener))
    assert set(asked) == {("train", "train"), ("test", "evaluate")}


def test_nothing_of_the_test_split_can_choose_c(trial: Made, opened: Opened) -> None:
    """The opener is refused, the data set is sealed, and other test labels leave the probe as it is."""

    class Peeking(Classification):
        def probe(self, backbone: Backbone, readout: Any, made: Trial) -> dict[str, Any]:
            Labelled(made.open_split("test", "evaluate"))
            return super().probe(backbone, readout, made)

    with pytest.raises(TestSplitRefused, match=f"probe of {PROBE} may not read the test split"):
        ready(Peeking(), trial(PROBE))

    def refused(name: str, purpose: Any) -> Split:
        if name == "test":
            raise TestSplitRefused("closed", "", "")
        return opened(name, purpose)

    one = ready(Classification(), trial(PROBE, opener=refused))
    swapped = with_labels(opened, lambda name, at, label: str(at % 3) if name == "test" else label)
    two = run_task(trial(PROBE, opener=swapped))
    assert one.told == two.told


def test_scored_on_validation_its_labels_choose_nothing(trial: Made, opened: Opened) -> None:
    swapped = with_labels(opened, lambda name, at, label: str(at % 3) if name == "val" else label)
    one = ready(Classification(), trial(PROBE, split="val"))
    two = ready(Classification(), trial(PROBE, split="val", opener=swapped))
    assert one.told == two.told
    assert torch.equal(head_of(one).classify.weight, head_of(two).classify.weight)
    other = ready(Classification(), trial(PROBE, opener=swapped))
    assert other.told["tried"] != ready(Classification(), trial(PROBE)).told["tried"], "scored on test they do"


def test_a_probe_says_nothing_of_what_it_was_fitted_to(trial: Made, opened: Opened) -> None:
    made = trial(PROBE)
    asked = ready(Classification(), made)
    for name in ("train", "val"):
        with pytest.raises(UserError, match="was fitted to train and val"):
            Classification().predict(asked.backbone, asked.readout, opened(name), made)
    other = trial(PROBE, split="val")
    with pytest.raises(UserError, match="scored on test needs another"):
        Classification().predict(asked.backbone, asked.readout, opened("test"), other)


@pytest.mark.parametrize("task", [PROBE, ZERO])
def test_kept_and_asked_again(trial: Made, opened: Opened, task: str, tmp_path: Path) -> None:
    kept = StageFolder(tmp_path / "stage")
    kept.path.mkdir()
    one = run_task(dataclasses.replace(trial(task), kept=kept))

    def closed(name: str, purpose: Any) -> Split:
        assert name == "test", "training data are not there any more"
        return opened(name, purpose)

    two = run_task(dataclasses.replace(trial(task, opener=closed), kept=kept))
    assert (one.rows, one.scores, one.told, one.head) == (two.rows, two.scores, two.told, two.head)
    facts = json.loads((kept.path / "stage.json").read_text())["told"]["facts"]
    assert facts["classes"] == ["0", "1", "2", "3", "4"], "the names of the classes stay with the result"


@pytest.mark.parametrize("trunk", [EncoderDecoder, DecoderOnly, DualEncoder])
@pytest.mark.parametrize("task", [PROBE, ZERO])
def test_results_do_not_depend_on_the_block(trial: Made, trunk: Any, task: str) -> None:
    found = [run_task(dataclasses.replace(trial(task, trunk), pace=Pace(at_once=size))) for size in (1, 3, 64)]
    for other in found[1:]:
        assert [row["top5"] for row in other.rows] == [row["top5"] for row in found[0].rows]
        sure = [[row.get("probability", row.get("cosine")) for row in one.rows] for one in (found[0], other)]
        assert sure[1] == pytest.approx(sure[0], abs=1e-4)
        assert other.scores == found[0].scores and other.told.get("C") == found[0].told.get("C")


@pytest.mark.parametrize("split", ["test", "val"])
def test_what_a_probe_is_fitted_to_does_not_hang_on_the_block(trial: Made, split: str, tmp_path: Path) -> None:
    """C is chosen among accuracies that may hang on the last bit of a feature; the weights are the same bytes."""
    kept = []
    for size in (0, 1, 3):
        made = trial(PROBE, split=split)
        stage = StageFolder(tmp_path / str(size))
        ready(Classification(), dataclasses.replace(made, pace=Pace(at_once=size), kept=stage))
        kept.append([path.read_bytes() for path in (stage.weights, stage.path / "stage.json")])
    assert kept[0] == kept[1] == kept[2]


@pytest.mark.parametrize("templates", [("a picture of {}",), ("a picture of {}", "{}", "the digit {} is here")])
def test_zero_shot_against_a_slow_version(towers: Made, opened: Opened, templates: tuple[str, ...]) -> None:
    made, split = towers(ZERO, protocol=Protocol(templates=templates)), opened("test")
    asked = ready(Classification(), made)
    rows = Classification().predict(asked.backbone, asked.readout, split, made)
    classes = sorted(set(labels_of(opened("train"))))
    with torch.no_grad():
        directions = []
        for name in classes:
            total = torch.zeros(made.blueprint.build(()).spec.joint_width)
            for template in templates:
                tokens, mask = made.tokenizer.encode([template.replace("{}", name)], 20)
                vector = asked.backbone.text_vector(
                    asked.backbone.read(torch.from_numpy(tokens), torch.from_numpy(mask))
                )[0]
                total += vector / vector.norm()
            directions.append(total / total.norm())
        for at, row in enumerate(rows):
            image = asked.backbone.image_vector(asked.backbone.see(made.pictures(split, [at])))[0]
            slow = [float(image @ one) for one in directions]
            assert row["cosine"] == pytest.approx(max(slow), abs=1e-5)
            assert row["prediction"] == classes[int(np.argmax(slow))]
            assert row["templates"] == list(templates) and "probability" not in row
    told = Classification().score(rows).told
    assert told["templates"] == list(templates) and told["cut_prompts"] == 0
    assert asked.readout.head == "class prompts" and asked.told == {}


def test_rows_and_scores(trial: Made, opened: Opened) -> None:
    outcome = run_task(trial(PROBE))
    split = opened("test")
    rows = outcome.rows
    assert [row["image_id"] for row in rows] == [one.id for one in split.samples]
    assert [row["image"] for row in rows] == [one.image for one in split.samples]
    assert [row["label"] for row in rows] == labels_of(split)
    for row in rows:
        assert row["prediction"] == row["top5"][0] and sorted(row["top5"]) == ["0", "1", "2", "3", "4"]
        assert 0.2 <= row["probability"] <= 1
        assert row["accuracy"] == 100 * (row["prediction"] == row["label"])
    assert outcome.scores.values["accuracy"] == pytest.approx(np.mean([row["accuracy"] for row in rows]))
    taught = labels_of(opened("train"))
    majority = max(sorted(set(taught)), key=taught.count)
    floors = outcome.scores.floors
    assert floors["chance"] == {"accuracy": 20.0, "mean_per_class": 20.0}
    assert floors["majority"]["accuracy"] == pytest.approx(100 * labels_of(split).count(majority) / 12)
    assert outcome.scores.told == {
        "images": 12, "classes": 5, "ties": "the first class by alphabet", "labels_not_in_training": 0, "unlabelled": 0,
    }
    plain = json.loads(json.dumps(rows))
    assert Classification().score(plain) == outcome.scores, "a pure function of the rows"


def test_more_than_five_classes_have_a_top_five(trial: Made, opened: Opened) -> None:
    many = with_labels(opened, lambda name, at, label: f"class {at % 7}")
    scores = run_task(trial(PROBE, opener=many)).scores
    top = scores.values["accuracy_top5"]
    assert top is not None and 0 <= top <= 100
    assert scores.floors["chance"]["accuracy_top5"] == pytest.approx(500 / 7)
    assert "accuracy_top5" not in scores.floors["majority"]


def test_classes_that_training_lacks(trial: Made, opened: Opened) -> None:
    """In validation they count as wrong and teach nothing; in the test split they are wrong, and counted."""
    change = {"train": "ab", "val": "abz", "test": "abq"}
    strange = with_labels(opened, lambda name, at, label: change[name][at % len(change[name])])
    outcome = run_task(trial(PROBE, opener=strange))
    assert outcome.told["images"] == {"train": 40, "val": 12, "val_of_classes_not_in_train": 4}
    assert max(one["accuracy"] for one in outcome.told["tried"]) <= 100 * 8 / 12 + 1e-9
    assert outcome.told["classes"] == ["a", "b"]
    assert outcome.scores.values["recall[class=q]"] == 0.0
    assert outcome.scores.told["labels_not_in_training"] == 4
    assert outcome.scores.floors["chance"]["accuracy"] == pytest.approx(100 * 8 / 12 / 2)
    unlike = with_labels(opened, lambda name, at, label: "z" if name == "val" else "ab"[at % 2])
    with pytest.raises(DataError, match="no picture of the val split of 'digits' has a class that training"):
        run_task(trial(PROBE, opener=unlike))


def test_a_class_that_validation_lacks_is_learnt_all_the_same(trial: Made, opened: Opened) -> None:
    rare = with_labels(opened, lambda name, at, label: "rare" if name == "train" and not at % 5 else "ab"[at % 2])
    outcome = run_task(trial(PROBE, opener=rare))
    assert outcome.told["classes"] == ["a", "b", "rare"]
    assert {len(row["top5"]) for row in outcome.rows} == {3}


@pytest.mark.parametrize("task", [PROBE, ZERO])
def test_no_labels_and_a_single_class_are_errors_with_a_remedy(trial: Made, opened: Opened, task: str) -> None:
    none = with_labels(opened, lambda name, at, label: None)
    with pytest.raises(DataError, match="train split of 'digits' has no pictures with labels"):
        run_task(trial(task, opener=none))
    one = with_labels(opened, lambda name, at, label: "dog")
    with pytest.raises(DataError, match="a single class cannot be told from others") as caught:
        run_task(trial(task, opener=one))
    assert "[protocol.classification] data" in caught.value.remedy


def test_too_few_pictures_to_hold_some_out(trial: Made, opened: Opened) -> None:
    few = with_labels(opened, lambda name, at, label: str(at // 4))
    with pytest.raises(DataError, match="no class has 5 training pictures") as caught:
        run_task(trial(PROBE, opener=few, split="val"))
    assert 'split = "test"' in caught.value.remedy


def test_a_blind_probe_says_the_commonest_class(trial: Made, opened: Opened) -> None:
    outcome = run_task(trial(PROBE, blind=True))
    taught = [*labels_of(opened("train")), *labels_of(opened("val"))]
    assert {row["prediction"] for row in outcome.rows} == {max(set(taught), key=taught.count)}


def test_without_image_tokens_it_looks_through_the_vector(towers: Made) -> None:
    class Vectors(DualEncoder):
        offers = frozenset({"image_vector"})

    plain = towers(PROBE)
    assert dataclasses.is_dataclass(plain.blueprint)
    outcome = run_task(dataclasses.replace(plain, blueprint=dataclasses.replace(plain.blueprint, trunk=Vectors)))
    assert outcome.head == "image vector" and outcome.told["features"] == "image vector, not normalised"


def test_it_is_not_fine_tuned(trial: Made) -> None:
    with pytest.raises(UserError, match="no fine-tune") as caught:
        Classification().examples(trial(PROBE), ready(Classification(), trial(ZERO)).readout)
    assert "classification@probe" in caught.value.remedy
    with pytest.raises(UserError, match="no prediction"):
        Classification().score([])


@pytest.mark.parametrize(
    ("offers", "trains", "protocol", "reason"),
    [
        ({"image_tokens"}, set(), "probe", None),
        ({"image_vector"}, set(), "probe", None),
        ({"text_vector", "decode"}, {"decode"}, "probe", "n/a: needs image_tokens or image_vector"),
        ({"image_vector", "text_vector"}, {"vectors"}, "zero-shot", None),
        ({"image_vector", "text_vector"}, {"decode"}, "zero-shot", "n/a: pretraining did not train vectors"),
        ({"image_vector", "image_tokens"}, {"vectors"}, "zero-shot", "n/a: needs image_vector and text_vector"),
    ],
)
def test_why_not(offers: set[str], trains: set[str], protocol: ProtocolName, reason: str | None) -> None:
    assert why_not(f"classification@{protocol}", offers, trains) == reason
