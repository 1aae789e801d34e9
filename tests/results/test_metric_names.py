"""Names, scales and directions of metrics in print."""

from __future__ import annotations

import pytest

from vlpbench.results.metric_names import better, factor, head, printed_name


def test_heads_of_columns() -> None:
    assert head("vqa", "accuracy") == "vqa acc."
    assert head("captioning@zero-shot", "Bleu_4") == "captioning@zero-shot BLEU-4 ×100"
    assert head("retrieval", "TR@1") == "retrieval TR@1"
    assert head("vqa", "") == "vqa"


def test_a_head_says_what_its_numbers_were_multiplied_by() -> None:
    for metric in ("CIDEr", "ROUGE_L", "accuracy", "IR@5"):
        assert (factor(metric) == 100.0) == head("", metric).endswith("×100")
    assert printed_name("multiple_choice") == "right choice"


@pytest.mark.parametrize(("metric", "way"), [("accuracy", "higher"), ("TR_median", "lower"), ("images", None)])
def test_directions(metric: str, way: str | None) -> None:
    assert better(metric) == way
