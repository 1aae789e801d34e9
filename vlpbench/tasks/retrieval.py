"""Image-text retrieval, both directions over one gallery: by vectors, by a matching head, or by likelihood of captions.

Zero-shot without a form goes by the similarity that pretraining trained, where it trained one, else by vectors. A
matching head or a decoder looks at pairs, so it is asked for a shortlist only: the items that vectors find nearest. All
others stay below them in vector order (`metrics/shortlist.py`). Without vectors, it looks at all pairs.
Axes: I pictures, T texts, Q queries, k listed items.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Literal

import numpy as np
import torch

from vlpbench.config.task_name import ProtocolName
from vlpbench.contract.abilities import Backbone
from vlpbench.contract.objective import Objective
from vlpbench.data.examples import Examples, caption_examples
from vlpbench.data.splits import Split
from vlpbench.errors import UserError
from vlpbench.metrics.shortlist import Shortlist
from vlpbench.objectives.contrastive import Config as ContrastiveConfig
from vlpbench.objectives.contrastive import Contrastive
from vlpbench.objectives.image_text_matching import Config as MatchingConfig
from vlpbench.objectives.image_text_matching import ImageTextMatching
from vlpbench.objectives.language_model import Config as LanguageConfig
from vlpbench.objectives.language_model import LanguageModel
from vlpbench.tasks.gallery import Gallery, States
from vlpbench.tasks.ordering import Order, Vectors, by_matrices, by_matrix, by_shortlist, by_vectors
from vlpbench.tasks.recalls import recall_scores, rows_of
from vlpbench.tasks.rerank import Judge, Likelihood, Match, all_scores, listed_scores
from vlpbench.tasks.similarity import Similarity, all_similarities
from vlpbench.tasks.task import Readout, Row, Task
from vlpbench.tasks.trial import Head, Scores, Trial, blocks

__all__ = ["Form", "Retrieval"]

Form = Literal["", "match", "likelihood"]
"""By vectors, by a matching head, by the likelihood of captions."""
VECTORS = frozenset({"image_vector", "text_vector"})
ASKED: Mapping[Form, frozenset[str]] = {
    "": VECTORS, "match": frozenset({"fused_tokens"}), "likelihood": frozenset({"context", "decode"}),
}
"""The abilities that each form cannot do without."""


class Retrieval(Task):
    """Find the caption of a picture, and the picture of a caption. A grid may fix the form: `retrieval@match`."""

    name, primary = "retrieval", "rsum"
    form: Form = ""

    def __init__(self, form: Form = "") -> None:
        """`form` says what scores a pair."""
        self.form = form

    def why_not(self, offers: Collection[str], trains: Collection[str], protocol: ProtocolName) -> str | None:
        """Needs the abilities of its form; for zero-shot, trained ones, or a head that pretraining trained."""
        if protocol == "zero-shot":
            if _asked_head(self.form, trains):  # whatever its objective needs, it had
                return None
            if self.form == "match":
                return "n/a: pretraining trained no matching head"
        if not set(offers) >= ASKED[self.form]:
            return f"n/a: needs {' and '.join(sorted(ASKED[self.form]))}"
        trained = "decode" if self.form == "likelihood" else "vectors"
        if protocol == "zero-shot" and trained not in trains:
            return f"n/a: pretraining did not train {trained}"
        return None

    def needs(self, offers: Collection[str]) -> frozenset[str]:
        """What its form asks for, and vectors for the shortlist where they are to be had."""
        asked = ASKED[self.form] if self.form != "match" else ASKED["match"] & set(offers)
        return asked | VECTORS if set(offers) >= VECTORS else asked

    def readout(self, trial: Trial, facts: Mapping[str, Any]) -> Readout:
        """The contrastive loss on the training pairs where there are vectors, and the loss of the form beside it.

        UserError for a shortlist or a rule that the backbone's vectors cannot serve.
        """
        head = self.form or "vectors"
        _check(trial, self.form)
        if trial.zero_shot:
            asked = _asked_head(self.form, trial.trains)
            return Readout(asked, (trial.head(asked),)) if asked else Readout(head)
        spec, taught = trial.blueprint.spec, list[Objective]()
        if trial.blueprint.offers >= VECTORS:
            taught.append(Contrastive(ContrastiveConfig(), spec))
        if self.form == "match":
            taught.append(ImageTextMatching(MatchingConfig(), spec))
        elif self.form == "likelihood":
            taught.append(LanguageModel(LanguageConfig(trial.visible), spec))
        return Readout(head, tuple(taught))

    def examples(self, trial: Trial, readout: Readout) -> Examples:
        """One example a picture, one of whose captions each step takes."""
        return caption_examples(trial.open_split("train", "train"), trial.tokenizer, trial.settings.text.length)

    @torch.no_grad()
    def predict(self, backbone: Backbone, readout: Readout, split: Split, trial: Trial) -> list[Row]:
        """The rank of the right answer of each query and the best items found, with their scores; fold by fold."""
        gallery = Gallery(split, trial.protocol.folds)
        states = States(gallery, backbone, trial)
        if readout.head == "similarity":
            return _by_similarity(states, Similarity(backbone, readout.objectives[0], trial))
        protocol, judge = trial.protocol, self._judge(backbone, readout, trial)
        how: dict[str, Any] = {}
        rows: list[Row] = []
        if judge:
            k = protocol.shortlist if has_vectors(trial) else 0
            rule = protocol.rule if self.form == "match" else "likelihood per token"
            how = {"k": k, "rule": rule, "shortlist": "vectors" if k else "all pairs"}
        with trial.device.autocast():
            near = judge is None or how["k"] or how["rule"] == "match + vector"
            vectors = states.vectors(keep=judge is not None) if near else None
            for number in range(len(gallery.folds)):
                order = _order(states, number, vectors, judge, how)
                rows += rows_of(number, gallery, order, how)
        return rows

    def _judge(self, backbone: Backbone, readout: Readout, trial: Trial) -> Judge | None:
        """What scores pairs; None where vectors do."""
        if self.form == "match":
            (head,) = (one for one in readout.objectives if "match" in one.trains)
            return Match(backbone, head, trial)
        if self.form == "likelihood":
            return Likelihood(backbone, [trial.tokenizer.vocabulary.bos], trial)
        return None

    def score(self, rows: Sequence[Row], metrics: Sequence[str] | None = None) -> Scores:
        """R@k of both directions in percent, with the floor of a random order."""
        return recall_scores(rows)


def _asked_head(form: Form, trains: Collection[str]) -> Head | None:
    """Which of pretraining's heads zero-shot asks: with no form said, a similarity goes before vectors."""
    asked: Head | None = {"": "similarity", "match": "match", "likelihood": None}[form]
    return asked if asked in trains else None


def _by_similarity(states: States, similarity: Similarity) -> list[Row]:
    """All pairs, each direction by its own matrix; fold by fold."""
    gallery, trial, rows = states.gallery, states.trial, list[Row]()
    how = {"k": 0, "rule": "similarity", "shortlist": "all pairs"}
    for number, fold in enumerate(gallery.folds):
        with trial.device.autocast():
            both = all_similarities(states, similarity, fold)
        same = gallery.sentence[fold.texts] if trial.protocol.same_texts else None
        rows += rows_of(number, gallery, by_matrices(both, fold.owner, same), how)
    return rows


def has_vectors(trial: Trial) -> bool:
    """Whether there are vectors that something was learnt for: by the fine-tune, or by pretraining for zero-shot."""
    return trial.blueprint.offers >= VECTORS and (not trial.zero_shot or "vectors" in trial.trains)


def _check(trial: Trial, form: Form) -> None:
    """UserError unless protocol and backbone go together."""
    protocol, place = trial.protocol, f"[protocol.{trial.task}]"
    if form == "match" and protocol.rule == "match + vector" and not has_vectors(trial):
        raise UserError(
            'the rule "match + vector" adds a cosine, and there are no trained vectors', place, 'say rule = "match"'
        )


def _order(
    states: States, number: int, vectors: Vectors | None, judge: Judge | None, how: Mapping[str, Any]
) -> Order:
    """One fold's order: by vectors alone, by a shortlist of theirs, or by all pairs."""
    gallery = states.gallery
    fold = gallery.folds[number]
    sentence = gallery.sentence[fold.texts]
    same = sentence if states.trial.protocol.same_texts else None
    own = None if vectors is None else (vectors[0][fold.start : fold.stop], vectors[1][sentence])
    if judge is None:
        assert own is not None
        return by_vectors(own, fold.owner, same)
    add = how["rule"] == "match + vector"
    if how["k"]:
        assert own is not None
        scorer = judge

        def judged(listed: Shortlist) -> tuple[np.ndarray, np.ndarray]:
            return listed_scores(states, scorer, fold, listed)

        return by_shortlist(own, fold.owner, same, how["k"], judged, add)
    matrix = all_scores(states, judge, fold)
    if add and own is not None:
        for block in blocks(len(matrix), 64):
            matrix[block] += own[0][block] @ own[1].T
    return by_matrix(matrix, fold.owner, same)
