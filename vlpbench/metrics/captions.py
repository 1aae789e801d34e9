"""Caption scores by pycocoevalcap's own scorers, on Penn Treebank tokens cut in Python: BLEU, ROUGE-L, CIDEr, no Java.

The pipeline is that of `pycocoevalcap/eval.py`: references and predictions through the tokenizer, punctuation tokens
out, then the scorers. `CIDEr` there is CIDEr-D (arXiv 1411.5726: clipping, length penalty, no stemming), and its word
weights come from the references of the images scored: a score belongs to its set of images, and the mean of the scores
of batches is another number. BLEU is of the whole set, not the mean over images. Scales are pycocoevalcap's: 0 to 1,
CIDEr 0 to 10; papers print 100 times that.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from vlpbench.errors import UserError
from vlpbench.metrics.ids import same_ids
from vlpbench.metrics.ptb_tokenizer import tokenize

__all__ = ["METRICS", "CaptionScores", "caption_scores"]

METRICS = ("Bleu_1", "Bleu_2", "Bleu_3", "Bleu_4", "ROUGE_L", "CIDEr")
"""The names of the scores, in the order of every table."""
LONE = "CIDEr weighs words by the images whose references hold them: of a single image it is 0 whatever the caption"


@dataclass(frozen=True)
class CaptionScores:
    """Scores of a set of captions, and of each caption."""

    scores: Mapping[str, float | None]
    """Score of the whole set by name (`METRICS`), 0 to 1, CIDEr 0 to 10; None where `reasons` says why."""
    per_image: Mapping[str, Mapping[int, float]]
    """Name -> image id -> score, same scale; the mean of the BLEU ones is not the BLEU of the set."""
    reasons: Mapping[str, str] = field(default_factory=dict)
    """Name -> a sentence, for each score that is None."""


def caption_scores(predictions: Mapping[int, str], references: Mapping[int, Sequence[str]]) -> CaptionScores:
    """Scores of one predicted caption an image against its reference captions; ids must be the same on both sides.

    Captions are raw text, as predicted and as annotated: never cleaned or tokenised first. Images are taken in the
    order of their ids, so the order of the mappings changes nothing. UserError for ids that do not fit, for an image
    without references, and where a string stands for a list of references.
    """
    same_ids(predictions.keys(), references.keys(), "image")
    _check_texts(predictions, references)
    ids = sorted(references)
    said = dict(zip(ids, ([tokens] for tokens in tokenize([predictions[i] for i in ids])), strict=True))
    cut = iter(tokenize([text for i in ids for text in references[i]]))
    given = {i: [next(cut) for _ in references[i]] for i in ids}
    return _scored(said, given)


def _scored(said: dict[int, list[str]], given: dict[int, list[str]]) -> CaptionScores:
    """All scores of tokenised captions; both mappings hold the same ids in the same order."""
    # Imported here: pycocoevalcap is wanted by those who score captions alone.
    from pycocoevalcap.bleu.bleu import Bleu
    from pycocoevalcap.cider.cider import Cider
    from pycocoevalcap.rouge.rouge import Rouge

    scores: dict[str, float | None] = {}
    per_image: dict[str, dict[int, float]] = {}
    wholes, parts = Bleu(4).compute_score(given, said, verbose=0)
    for n, (whole, part) in enumerate(zip(wholes, parts, strict=True), start=1):
        scores[f"Bleu_{n}"], per_image[f"Bleu_{n}"] = float(whole), _by_id(said, part)
    whole, part = Rouge().compute_score(given, said)
    scores["ROUGE_L"], per_image["ROUGE_L"] = float(whole), _by_id(said, part)
    if len(said) == 1:
        scores["CIDEr"] = None
        return CaptionScores(scores, per_image, {"CIDEr": LONE})
    whole, part = Cider().compute_score(given, said)
    scores["CIDEr"], per_image["CIDEr"] = float(whole), _by_id(said, part)
    return CaptionScores(scores, per_image)


def _by_id(said: Mapping[int, object], values: Sequence[float]) -> dict[int, float]:
    """The scorers' values, which come in the order of the mapping they were given, by image id."""
    return {i: float(value) for i, value in zip(said, values, strict=True)}


def _check_texts(predictions: Mapping[int, str], references: Mapping[int, Sequence[str]]) -> None:
    """UserError unless each image has one predicted string and a list of at least one reference string."""
    for i, texts in references.items():
        if isinstance(texts, str) or not all(isinstance(text, str) for text in texts):
            raise UserError(
                f"the references of image {i} are {texts!r}, not a list of strings",
                remedy="predictions come first, references second; one reference is a list of one",
            )
        if not texts:
            raise UserError(f"image {i} has no reference caption", remedy="leave it out of the split, or annotate it")
        if not isinstance(predictions[i], str):
            raise UserError(f"the caption predicted for image {i} is {predictions[i]!r}, not a string")
