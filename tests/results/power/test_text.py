"""What is printed of seeds and images: a reader finds the gap, the seeds, and how sure of them one can be."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from vlpbench.results import load
from vlpbench.results.power import PowerAsked, power, power_text
from vlpbench.results.power.found import Power


def questions(rng: np.random.Generator, share: float) -> list[dict[str, object]]:
    """Three questions a picture, sixty pictures."""
    right = (rng.random(180) < share).astype(float)
    return [
        {"question_id": at, "image_id": at // 3, "prediction": "x", "accuracy": one} for at, one in enumerate(right)
    ]


@pytest.fixture
def found(grid) -> Power:
    rng = np.random.default_rng(0)
    for seed in range(3):
        for name, share in {"base": 0.4, "up | more": 0.5 + seed / 20}.items():
            rows = questions(rng, share)
            value = 100 * float(np.mean([row["accuracy"] for row in rows]))  # type: ignore[misc, list-item]
            grid.done(name, seed, {"accuracy": value, "Bleu_4": 0.3 + seed * share / 100}, predictions={"vqa": rows})
    (one,) = power(load(grid.folder), PowerAsked(gaps=(1.0, 25.0)))
    return one


def line_of(text: str, head: str, start: str) -> list[str]:
    """The fields of the line that starts so, in the table under the head."""
    part = text.split(f"## {head}")[1].split("##")[0]
    (line,) = [line for line in part.splitlines() if line.startswith(f"| {start}")]
    return [one.strip() for one in line.strip("|").split(" | ")]


def test_tables_say_what_was_found(found):
    text, vqa = power_text(found), next(one for one in found.metrics if one.task == "vqa")
    assert text.startswith("# small: what its seeds and test images can show")
    assert "Each row beside 'base', 2 comparisons in the table" in text and "80%" in text and "p < 0.025" in text
    now = line_of(text, "Now", "vqa acc.")
    assert now[1] == "3" and now[2].startswith(f"{vqa.spread.std:.1f} (") and now[4] == f"{vqa.smallest:.1f}"
    needed = line_of(text, "Seeds of each row", "vqa acc.")
    assert needed[2].startswith(f"{vqa.ladder[1].seeds} (") and f"to {vqa.ladder[1].most:,})" in needed[2]
    assert line_of(text, "Rows as they stand", "vqa acc.")[1] == "up \\| more"


def test_images_for_these_models_and_for_new_seeds(found):
    text, vqa = power_text(found), next(one for one in found.metrics if one.task == "vqa")
    assert vqa.images is not None and vqa.images.images == 60 and vqa.images.seeds == 3
    part = text.split("## Test images")[1]
    lines = [line.split(" | ") for line in part.splitlines() if line.startswith("| vqa")]
    assert [line[1].strip() for line in lines] == ["these very models", "new seeds too, 3 each"]
    first = vqa.images.ladder[0].these_models
    assert first is not None and lines[0][3].strip() == f"{first:,}" and lines[1][3].strip() == "never"
    assert lines[0][4].strip("| ") == "< 50"
    assert "no number of images for captioning BLEU-4 ×100: Bleu_4 is no mean of scores of single examples" in text
    assert "never: seeds alone vary too much" in text


def test_more_images_than_there_are_in_the_world(found):
    """Of these very models some number would do; only seeds can make it never."""
    vqa = next(one for one in found.metrics if one.task == "vqa")
    assert vqa.images is not None
    ladder = tuple(replace(one, these_models=None, new_seeds=None) for one in vqa.images.ladder)
    text = power_text(replace(found, metrics=(replace(vqa, images=replace(vqa.images, ladder=ladder)),)))
    assert line_of(text, "Test images", "vqa acc. | these very models")[3] == "> 100 million"


def test_recalls_in_a_larger_set_are_other_scores(found):
    vqa = next(one for one in found.metrics if one.task == "vqa")
    retrieval = replace(found, metrics=(replace(vqa, task="retrieval", metric="TR@1"),))
    assert "in a larger set a recall is another score" in power_text(retrieval)
    assert "recall" not in power_text(found)


def test_it_says_how_little_it_knows(found):
    text = power_text(found)
    assert "so few seeds know the spread itself only roughly" in text
    assert "3 seeds can never pass an exact sign-flip test under Holm over 2 comparisons" in text
    assert "plan for the smallest gap that would matter" in text


def test_sentences_that_would_not_be_true_are_not_said(found):
    """Of one row nothing is pooled, one comparison needs no Holm, and no row has fewer seeds than another."""
    text = power_text(found)
    assert "pooled" not in text and "rows with fewer" not in text and "std of differences (95 %)" in text
    assert "finds it in 99.95% of such studies" in power_text(replace(found, power=0.9995))
    alone = power_text(replace(found, comparisons=1))
    assert "1 comparison in the table" in alone and "Holm" not in alone.split("##")[0] and "p < 0.05 is asked" in alone
    vqa = next(one for one in found.metrics if one.task == "vqa")
    fewer = replace(vqa, seen=(*vqa.seen, replace(vqa.seen[0], row="short", seeds=2)))
    assert "rows with fewer find larger ones only" in power_text(replace(found, metrics=(fewer,)))


def test_without_a_spread_there_is_nothing_to_tabulate(found):
    text = power_text(replace(found, metrics=(), without=(("vqa", "accuracy"),)))
    assert "|" not in text and "no row has two seeds in common with 'base'" in text


def test_scores_without_a_spread_are_named(found):
    assert "no spread between seeds to go by: vqa exact" in power_text(replace(found, without=(("vqa", "exact"),)))
