"""Caption scores on Penn Treebank tokens: pycocoevalcap's BLEU, ROUGE-L and CIDEr without Java; METEOR and SPICE.

The pipeline is that of `pycocoevalcap/eval.py`: references and predictions through the tokenizer, punctuation tokens
out, then the scorers. `CIDEr` there is CIDEr-D (arXiv 1411.5726: clipping, length penalty, no stemming), `CIDEr-plain`
is the one without the D; the word weights of both come from the references of the images scored: a score belongs to
its set of images, and the mean of the scores of batches is another number. BLEU is of the whole set, not the mean over
images. Scales are pycocoevalcap's: 0 to 1, both CIDErs 0 to 10; papers print 100 times that. METEOR and SPICE are Java
programs (`external/`); where one cannot run, its score is None and the reason beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from vlpbench.errors import UserError, unknown
from vlpbench.metrics.bleu import bleu
from vlpbench.metrics.cider import cider
from vlpbench.metrics.external.java import Unavailable
from vlpbench.metrics.external.java_tokenizer import java_tokenize
from vlpbench.metrics.external.meteor import meteor_scores
from vlpbench.metrics.external.spice import spice_scores
from vlpbench.metrics.grams import count_grams
from vlpbench.metrics.ids import same_ids
from vlpbench.metrics.ptb_tokenizer import tokenize
from vlpbench.metrics.rouge import rouge_l

__all__ = ["METRICS", "PURE", "CaptionScores", "caption_scores"]

PURE = ("Bleu_1", "Bleu_2", "Bleu_3", "Bleu_4", "ROUGE_L", "CIDEr", "CIDEr-plain")
"""The scores that need no Java."""
METRICS = (*PURE, "METEOR", "SPICE")
"""The names of the scores, in the order of every table."""
TOKENIZERS: Mapping[str, Callable[[Sequence[str]], list[str]]] = {"python": tokenize, "java": java_tokenize}
LONE = "CIDEr weighs words by the images whose references hold them: of a single image it is 0 whatever the caption"
Score = tuple[float, Sequence[float] | NDArray[np.float64]]
"""The score of the set and of each image."""
Found = Score | str
"""A score, or a sentence that says why there is none."""


@dataclass(frozen=True)
class CaptionScores:
    """Scores of a set of captions, and of each caption."""

    scores: Mapping[str, float | None]
    """Score of the whole set by name, those asked for in the order of `METRICS`: 0 to 1, the two CIDErs 0 to 10; None
    where `reasons` says why."""
    per_image: Mapping[str, Mapping[int, float]]
    """Name -> image id -> score, same scale; the mean of the BLEU and METEOR ones is not that of the set. A score that
    is None is not in it."""
    reasons: Mapping[str, str] = field(default_factory=dict)
    """Name -> a sentence, for each score that is None."""


def caption_scores(
    predictions: Mapping[int, str],
    references: Mapping[int, Sequence[str]],
    metrics: Sequence[str] = PURE,
    tokenizer: Literal["python", "java"] = "python",
    spice: Path | None = None,
) -> CaptionScores:
    """Scores of one predicted caption an image against its reference captions; ids must be the same on both sides.

    Captions are raw text, as predicted and as annotated: never cleaned or tokenised first. Images are taken in the
    order of their ids, so the order of the mappings changes nothing. `spice` is the folder of SPICE's jars. A score
    that cannot be had on this machine is None with its reason. UserError for ids that do not fit, for an image without
    references, where a string stands for a list of references, and for a name that is not known.
    """
    for name in metrics:
        if name not in METRICS:
            raise unknown("metric", name, METRICS)
    if tokenizer not in TOKENIZERS:
        raise unknown("tokenizer", tokenizer, TOKENIZERS)
    same_ids(predictions.keys(), references.keys(), "image")
    _check_texts(predictions, references)
    ids = sorted(references)
    cut = TOKENIZERS[tokenizer]
    found: Mapping[str, Found]
    try:
        said = cut([predictions[i] for i in ids])
        tokens = iter(cut([text for i in ids for text in references[i]]))
    except Unavailable as reason:
        found = dict.fromkeys(metrics, str(reason))
    else:
        found = _scored(said, [[next(tokens) for _ in references[i]] for i in ids], metrics, spice)
    return _by_name({name: found[name] for name in METRICS if name in metrics}, ids)


def _by_name(found: Mapping[str, Found], ids: Sequence[int]) -> CaptionScores:
    """What was found, with the image ids; `ids` is in the order of the scores of the images."""
    had = {name: result for name, result in found.items() if not isinstance(result, str)}
    return CaptionScores(
        {name: float(had[name][0]) if name in had else None for name in found},
        {name: {i: float(one) for i, one in zip(ids, each, strict=True)} for name, (_, each) in had.items()},
        {name: result for name, result in found.items() if isinstance(result, str)},
    )


def _scored(
    said: Sequence[str], given: Sequence[Sequence[str]], metrics: Sequence[str], spice: Path | None
) -> dict[str, Found]:
    """All that is asked for, of tokenised captions; the Java programs start while the others count.

    They have the main thread, so that an interrupt reaches them: the other one is done in seconds.
    """
    found: dict[str, Found] = {}
    with ThreadPoolExecutor(1) as aside:
        pure = aside.submit(_pure, said, given, metrics)
        if "METEOR" in metrics:
            found["METEOR"] = _or_reason(lambda: meteor_scores(said, given))
        if "SPICE" in metrics:
            found["SPICE"] = _or_reason(lambda: _numbers(spice_scores(said, given, spice)))
        return found | pure.result()


def _or_reason(score: Callable[[], Score]) -> Found:
    """The score, or why there is none."""
    try:
        return score()
    except Unavailable as reason:
        return str(reason)


def _numbers(found: Score) -> Score:
    """The score; Unavailable where some caption has none: pycocoevalcap's mean is nan then, which is no score."""
    lost = int(np.count_nonzero(np.isnan(found[1])))
    if lost:
        cause = f"SPICE found nothing to compare in {lost} of {len(found[1])} captions, so that their mean is no number"
        raise Unavailable(cause, "look for captions and references without a word")
    return found


def _pure(said: Sequence[str], given: Sequence[Sequence[str]], metrics: Sequence[str]) -> dict[str, Found]:
    """The scores that need no Java; BLEU and CIDEr share their counts."""
    found: dict[str, Found] = {}
    if "ROUGE_L" in metrics:
        found["ROUGE_L"] = rouge_l(said, given)
    if not set(PURE) - {"ROUGE_L"} & set(metrics):
        return found
    counted = count_grams(said, given)
    wholes, parts = bleu(counted)
    found |= {f"Bleu_{n}": pair for n, pair in enumerate(zip(wholes, parts, strict=True), start=1)}
    for name in ("CIDEr", "CIDEr-plain"):
        if name in metrics:
            found[name] = cider(counted, plain=name == "CIDEr-plain") if len(said) > 1 else LONE
    return found


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
