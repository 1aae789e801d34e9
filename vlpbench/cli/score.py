"""`vlpbench score`: files of predictions in the field's official layouts in, scores out; no model, no GPU."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from vlpbench.cli.score_output import answered
from vlpbench.metrics.captions import METRICS
from vlpbench.scoring.captions import CaptionFiles, score_captions
from vlpbench.scoring.retrieval import RULES, RetrievalFiles, score_retrieval
from vlpbench.scoring.scored import Scored
from vlpbench.scoring.vqa import VqaFiles, score_vqa

__all__ = ["score"]

FILE = click.Path(path_type=Path)


@click.group()
def score() -> None:
    """Score files of predictions in the official layouts, without a model.

    Predictions may come from any codebase. What is malformed, missing, doubled or too many is named, never averaged
    away. Scores go to stdout, unrounded with --json.

    \b
    vlpbench score vqa --annotations v2_mscoco_val2014_annotations.json --predictions answers.json
    vlpbench score captioning --annotations captions_val2014.json --predictions captions.json --subset
    vlpbench score retrieval --scores similarity.npy --txt2img txt2img.npy --folds 5
    """  # noqa: D301 (click reads \b)


@score.command("vqa", short_help="VQA accuracy under each rule in use, choices, closed vocabularies.")
@click.option("--annotations", required=True, type=FILE, metavar="A.json", help="Annotations as of visualqa.org.")
@click.option("--predictions", required=True, type=FILE, metavar="P.json",
              help='Results: [{"question_id": 1, "answer": "yes"}, ...].')
@click.option("--questions", type=FILE, metavar="Q.json",
              help="The questions file: checked to hold the same ids; where questions have choices "
              "(multiple_choices), multiple-choice accuracy is scored too.")
@click.option("--vocabulary", type=FILE, metavar="FILE",
              help="A closed list of answers (JSON list, JSON object answer -> index, or one a line): also scores "
              "over it as ViLT, METER and BEiT-3 do, with its ceiling and the questions that it cannot answer.")
@answered
def print_vqa(**files: Any) -> Scored:
    """VQA accuracy in percent, overall, per answer type and per question type, under each rule in use.

    \b
    always  both sides normalised: for what models write (ours, OpenFlamingo, lmms-eval)
    2021    only where the ten people disagree: the evaluator of visualqa.org today
    2016    predictions always, people's answers half: LAVIS, most published numbers

    \b
    vlpbench score vqa --annotations A.json --predictions P.json
    vlpbench score vqa --annotations A.json --predictions P.json --json --per-example rows.parquet

    Accuracy leaves each person out by position: 0, 30, 60, 90, 100 for 0 to 4 of ten matches. Files with one answer
    a question (Visual7W) get exact (as written) and exact_normalised instead.

    Sets with an evaluator of their own, whose number is another one:

    \b
    VizWiz            normalises the prediction, but not people's answers
    TextVQA, ST-VQA   the same leave-one-out, after a normaliser of its own (M4C, EvalAI)
    GQA               equality with its one answer, as written, on the balanced split: `exact` is that number;
                      consistency, validity, plausibility, distribution are not scored here
    OK-VQA            five people's answers twice, stemmed beforehand

    Ids are whole numbers; "42" and 42 are the same id, "042" is another.
    """  # noqa: D301 (click reads \b)
    return score_vqa(VqaFiles(**files))


@score.command("captioning", short_help="BLEU, ROUGE-L, CIDEr, METEOR, SPICE.")
@click.option("--annotations", required=True, type=FILE, metavar="A.json", help="References: a COCO captions file.")
@click.option("--predictions", required=True, type=FILE, metavar="P.json",
              help='Results: [{"image_id": 1, "caption": "a dog"}, ...], one an image.')
@click.option("--metrics", metavar="NAME,...", help=f"Only these of {', '.join(METRICS)}.")
@click.option("--tokenizer", type=click.Choice(["python", "java"]), default="python", show_default=True,
              help="Who cuts captions into tokens: ours, or pycocoevalcap's own (needs Java), to compare with.")
@click.option("--spice", type=FILE, metavar="FOLDER",
              help="The folder with SPICE's jars, which you bring; else the one that VLPBENCH_SPICE names.")
@click.option("--subset", is_flag=True, help="Score the predicted images alone where not all are predicted.")
@answered
def print_captioning(**files: Any) -> Scored:
    """BLEU, ROUGE-L, CIDEr, METEOR and SPICE as pycocoevalcap scores them, on its own scale.

    The scale is 0 to 1, CIDEr 0 to 10; papers print 100 times that. CIDEr is pycocoevalcap's, which is CIDEr-D;
    CIDEr-plain lacks its clipping and length penalty. Only METEOR and SPICE need Java; where one cannot run it is null,
    with cause and remedy under `reasons`. SPICE also needs jars that are not on the package index.

    \b
    vlpbench score captioning --annotations captions_val2014.json --predictions captions.json
    vlpbench score captioning --annotations A.json --predictions P.json --metrics Bleu_4,CIDEr --json

    Give captions as your model wrote them, neither cleaned nor tokenised. A score belongs to its set of images: do not
    average scores of batches.
    """  # noqa: D301 (click reads \b)
    return score_captions(CaptionFiles(**files))


@score.command("retrieval", short_help="R@1, 5, 10 and ranks, folds, re-ranking.")
@click.option("--scores", required=True, type=FILE, metavar="S.npy", help="Scores, images x texts; higher is nearer.")
@click.option("--txt2img", required=True, type=FILE, metavar="T.npy",
              help="The image (row of S) of each text (column of S), whole numbers from 0.")
@click.option("--folds", type=click.IntRange(1), default=1, show_default=True,
              help="Mean over so many consecutive galleries of images; 5 is the COCO 1K protocol on 5,000 images.")
@click.option("--rerank", type=FILE, metavar="M.npy",
              help="Matching scores of the shape of S; read only in the shortlists, anything may stand elsewhere.")
@click.option("--k", type=int, help="Length of each query's shortlist, by S; needed with --rerank.")
@click.option("--rule", type=click.Choice(list(RULES)),
              help="Final score of a listed pair: M (ALBEF; the default) or M + S (BLIP). Others stand below, by S.")
@click.option("--same-text", type=FILE, metavar="L.npy",
              help="A label of each text, equal for equal texts: equal texts of other images count neither way.")
@click.option("--ties", type=click.Choice(["expected", "optimistic", "pessimistic"]), default="expected",
              show_default=True, help="Equal scores: mean over random orders, right ones first, or right ones last.")
@answered
def print_retrieval(**files: Any) -> Scored:
    """R@1, 5, 10 in percent, rsum, median and mean rank, from images to texts (TR) and back (IR).

    R@k is the share of queries with a right answer among the first k. Any number of texts an image; right texts of an
    image do not compete with each other. Ranks count from 1. Scores that are not finite are refused: with NaN every
    rank would look perfect.

    \b
    vlpbench score retrieval --scores S.npy --txt2img T.npy
    vlpbench score retrieval --scores S.npy --txt2img T.npy --folds 5 --json
    vlpbench score retrieval --scores S.npy --txt2img T.npy --rerank M.npy --k 16 --rule match+vector

    Save arrays with numpy.save(file, array), scores in float32 (half precision makes ties).
    """  # noqa: D301 (click reads \b)
    return score_retrieval(RetrievalFiles(**files))
