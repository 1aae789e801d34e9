"""What metrics are called in print, their scale there, and which way is better."""

from __future__ import annotations

import pytest

from vlpbench.metrics.captions import METRICS
from vlpbench.results.metric_names import better, factor, head, printed_name


def test_caption_scores_are_printed_times_100_and_no_others() -> None:
    assert {factor(metric) for metric in METRICS} == {100.0}
    assert {factor(metric) for metric in ("accuracy", "TR@1", "mean_per_class", "exact")} == {1.0}


def test_heads_say_task_metric_and_scale() -> None:
    assert head("vqa", "accuracy") == "vqa acc." and head("captioning", "Bleu_4") == "captioning BLEU-4 ×100"
    assert head("vqa", "") == "vqa" and printed_name("my_metric") == "my_metric"


@pytest.mark.parametrize(("metric", "way"), [
    ("accuracy", "higher"), ("CIDEr", "higher"), ("TR@1", "higher"), ("a_plugins_own", "higher"),
    ("TR_median", "lower"), ("IR_mean", "lower"), ("images", None), ("masked", None), ("IR_tied", None),
])
def test_which_way_is_better(metric: str, way: str | None) -> None:
    assert better(metric) == way
