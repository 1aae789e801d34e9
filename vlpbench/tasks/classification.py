"""Classes of pictures, for data sets with labels: by a probe of frozen features, or zero-shot by sentences of words.

Zero-shot goes by the similarity that pretraining trained, where it trained one, else by vectors. A probe learns nothing
of the split that it is scored on (`vlpbench.tasks.probe_pictures`).
Axes: N pictures, C classes, D width of features, E joint width.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vlpbench.config.task_name import ProtocolName
from vlpbench.contract.abilities import Backbone
from vlpbench.data.errors import DataError
from vlpbench.data.examples import Examples
from vlpbench.data.splits import Split
from vlpbench.errors import UserError
from vlpbench.metrics.classification import TOP, accuracies, chance, commonest, likeliest
from vlpbench.tasks.class_prompts import (
    Prompts,
    class_similarities,
    class_vectors,
    cosines,
    prompt_vectors,
    prompts_of,
)
from vlpbench.tasks.labelled import Labelled
from vlpbench.tasks.probe import Features, Probe, ProbeConfig, choose, fit
from vlpbench.tasks.probe_pictures import fitted_on, taught
from vlpbench.tasks.similarity import Similarity
from vlpbench.tasks.task import Readout, Row, Task
from vlpbench.tasks.trial import Scores, Trial, blocks

__all__ = ["Classification"]

VECTORS = frozenset({"image_vector", "text_vector"})
JUDGED = 4_096
"""Pictures whose classes are scored at once: N, C is never whole."""
_SAID: Mapping[Features, str] = {"image_tokens": "mean of image tokens", "image_vector": "image vector"}


class Classification(Task):
    """The class of each picture."""

    name, primary = "classification", "accuracy"

    def why_not(self, offers: Collection[str], trains: Collection[str], protocol: ProtocolName) -> str | None:
        """A probe asks for features of pictures alone, whatever was pretrained; zero-shot for what was trained."""
        if protocol == "zero-shot" and "similarity" in trains:  # whatever its objective needs, it had
            return None
        if protocol == "zero-shot":
            if not set(offers) >= VECTORS:
                return "n/a: needs image_vector and text_vector"
            return None if "vectors" in trains else "n/a: pretraining did not train vectors"
        return None if _features(offers) else "n/a: needs image_tokens or image_vector"

    def needs(self, offers: Collection[str]) -> frozenset[str]:
        """Two vectors where there are any, for zero-shot; what a probe looks through is its readout's need."""
        return VECTORS if set(offers) >= VECTORS else frozenset()

    def facts(self, trial: Trial) -> dict[str, Any]:
        """`classes` of the training split by alphabet, its commonest, and the splits that a probe is fitted to.

        DataError where there is no class to choose: without labels, and with a single one.
        """
        labels = Labelled(trial.open_split("train", "train")).labels
        classes = sorted(set(labels))
        if len(classes) < 2:
            raise DataError(
                f"all training pictures have the label {classes[0]!r}; a single class cannot be told from others",
                remedy="name a data set with two classes or more in [protocol.classification] data",
            )
        fitted = [] if trial.zero_shot else fitted_on(trial.settings.split)
        return {"classes": classes, "majority": commonest(labels), "fitted_on": fitted}

    def readout(self, trial: Trial, facts: Mapping[str, Any]) -> Readout:
        """The probe's linear layer; zero-shot has none, and may ask one that pretraining left."""
        if trial.zero_shot and "similarity" in trial.trains:
            return Readout("class prompts, similarity", (trial.head("similarity"),), facts)
        if trial.zero_shot:
            return Readout("class prompts", (), facts)
        features = _features(trial.blueprint.offers)
        assert features is not None
        probe = Probe(ProbeConfig(len(facts["classes"]), features), trial.blueprint.spec)
        return Readout(_SAID[features], (probe,), facts)

    def examples(self, trial: Trial, readout: Readout) -> Examples:
        """There are none: a probe is fitted to all pictures at once."""
        raise UserError("classification has no fine-tune, so it sees no batch",
                        remedy="ask for classification@probe or classification@zero-shot")

    def probe(self, backbone: Backbone, readout: Readout, trial: Trial) -> dict[str, Any]:
        """Choose C, fit, and write the weights into the readout's head; the test split is never opened."""
        (head,) = readout.objectives
        assert isinstance(head, Probe)
        pictures = taught(head, backbone, readout.facts["classes"], trial)
        chosen = choose(pictures.features, pictures.labels, pictures.held_features, pictures.held_labels)
        weight, bias, converged = fit(pictures.whole_features, pictures.whole_labels, chosen.strength)
        head.take(weight, bias)
        return {
            "C": chosen.strength,
            **pictures.told,
            "tried": [{"C": strength, "accuracy": accuracy} for strength, accuracy in chosen.tried.items()],
            "not_converged": list(chosen.unfinished),
            "converged": converged,
            "features": f"{_SAID[head.config.features]}, not normalised",
            "width": int(weight.shape[1]),
            "classes": list(readout.facts["classes"]),
        }

    def predict(self, backbone: Backbone, readout: Readout, split: Split, trial: Trial) -> list[Row]:
        """The likeliest classes of each labelled picture, five at most."""
        shown, known = Labelled(split), readout.facts["classes"]
        _refuse_fitted(readout, split, trial)
        said = {"classes": len(known), "majority": readout.facts["majority"], "unlabelled": shown.left_out}
        if trial.zero_shot:
            prompts = Prompts.of(prompts_of(known, trial.protocol.templates), trial)
            said |= {"templates": list(trial.protocol.templates), "cut_prompts": prompts.cut}
            sure, scores = _by_prompts(backbone, readout, prompts, shown, trial)
        else:
            (head,) = readout.objectives
            assert isinstance(head, Probe)
            features = shown.features(functools.partial(head.seen, backbone), backbone, trial)
            sure, scores = "probability", (head.logits(features[block]) for block in blocks(len(shown), JUDGED))
        found = [_found(some, known, sure) for some in scores]
        return [
            {"image_id": sample.id, "image": sample.image, "label": label, "known": label in known, **one, **said}
            for sample, label, one in zip(shown.samples, shown.labels, itertools.chain(*found), strict=True)
        ]

    def score(self, rows: Sequence[Row], metrics: Sequence[str] | None = None) -> Scores:
        """Accuracy, top-5 accuracy where there are more than five classes, and recall of classes, in percent."""
        if not rows:
            raise UserError("there is no prediction to score")
        labels, classes = [row["label"] for row in rows], int(rows[0]["classes"])
        values = accuracies(labels, [row["top5"] for row in rows], classes)
        for row in rows:
            row["accuracy"] = 100.0 * (row["prediction"] == row["label"])
        alike = accuracies(labels, [[row["majority"]] * TOP for row in rows], classes)
        floors: dict[str, dict[str, float | None]] = {
            "chance": {**chance(labels, [row["known"] for row in rows], classes)},
            "majority": {metric: alike[metric] for metric in ("accuracy", "mean_per_class")},
        }
        told = {
            "images": len(rows), "classes": classes, "ties": "the first class by alphabet",
            "labels_not_in_training": sum(not row["known"] for row in rows),
        }
        told |= {name: rows[0][name] for name in ("unlabelled", "templates", "cut_prompts") if name in rows[0]}
        return Scores({**values}, {}, floors, {}, len(rows), told)


def _features(offers: Collection[str]) -> Features | None:
    """What a probe looks through: the features before the projection, where there are any."""
    if "image_tokens" in offers:
        return "image_tokens"
    return "image_vector" if "image_vector" in offers else None


def _refuse_fitted(readout: Readout, split: Split, trial: Trial) -> None:
    """A probe says nothing of pictures that it was fitted to, and one fitted for other cells is another probe."""
    fitted = list(readout.facts["fitted_on"])
    if trial.zero_shot or (split.name not in fitted and fitted == fitted_on(trial.settings.split)):
        return
    raise UserError(
        f"this probe was fitted to {' and '.join(fitted)}; a cell that is scored on {split.name} needs another",
        trial.task, "keep the cells of another split in another folder of results",
    )


def _by_prompts(
    backbone: Backbone, readout: Readout, prompts: Prompts, shown: Labelled, trial: Trial
) -> tuple[str, Iterator[NDArray[Any]]]:
    """What the scores of zero-shot are called, and those of some pictures after others (N, C)."""
    many = len(readout.facts["classes"])
    if readout.objectives:
        similarity = Similarity(backbone, readout.objectives[0], trial)
        return "similarity", class_similarities(similarity, shown, prompts, many)
    of_classes = class_vectors(prompt_vectors(prompts, backbone, trial), many)
    features = shown.features(backbone.image_vector, backbone, trial)
    return "cosine", (cosines(features[block], of_classes) for block in blocks(len(shown), JUDGED))


def _found(scores: NDArray[Any], classes: Sequence[str], sure: str) -> list[Row]:
    """What is said of some pictures from the scores of their classes (N, C); `sure`: what the highest is kept as."""
    rows: list[Row] = []
    for best, of_classes in zip(likeliest(scores), scores, strict=True):
        highest = of_classes[best[0]]
        said = float(1 / np.exp(of_classes - highest).sum()) if sure == "probability" else float(highest)
        named = [classes[one] for one in best]
        rows.append({"prediction": named[0], sure: said, "top5": named})
    return rows
