"""Settings of a protocol that cannot work are refused with the grid, not after all the training."""

from __future__ import annotations

import pytest

from vlpbench.config.asking import unfit
from vlpbench.config.known import Known
from vlpbench.config.settings import Protocol

KNOWN = Known(
    metrics={"caption-length": {"captioning"}, "hits": {"vqa", "retrieval"}},
    broken={("metric", "spoilt"): ("metric 'spoilt' is not there: its plugin fails", "mend it")},
)


@pytest.mark.parametrize(
    ("said", "key", "remedy"),
    [
        ({"beams": 3, "top_p": 0.9}, "top_p", "beams = 1"),
        ({"length_penalty": 1.0}, "length_penalty", "beams to 2"),
        ({"metrics": ("CIDER",)}, "metrics", "did you mean 'CIDEr'?"),
        ({"templates": ("a picture",)}, "templates", "{}"),
        ({"templates": ()}, "templates", "{}"),
    ],
)
def test_what_cannot_work_names_key_and_remedy(said: dict[str, object], key: str, remedy: str) -> None:
    ((found, wrong),) = unfit(Protocol(**said), "captioning", KNOWN)  # type: ignore[arg-type]
    assert found == key and remedy in wrong.remedy


@pytest.mark.parametrize("said", [{}, {"beams": 3, "length_penalty": 1.0}, {"top_p": 0.9}, {"metrics": ()}])
def test_what_works_is_let_through(said: dict[str, object]) -> None:
    assert not list(unfit(Protocol(**said), "captioning", KNOWN))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("metric", "task", "what", "remedy"),
    [
        ("caption-lenght", "captioning", "no metric of captioning", "did you mean 'caption-length'?"),
        ("caption-length", "vqa", "reads predictions of captioning, not of vqa", "known: hits"),
        ("hits", "classification", "of retrieval, vqa, not of classification", "no plugin that is installed"),
        ("spoilt", "vqa", "its plugin fails", "mend it"),
        ("accuracy", "vqa", "measured wherever there is", "leave it out"),
    ],
)
def test_a_metric_that_cannot_be_measured_says_why(metric: str, task: str, what: str, remedy: str) -> None:
    ((key, wrong),) = unfit(Protocol(metrics=("CIDEr", metric)), task, KNOWN)
    assert key == "metrics" and what in str(wrong) and remedy in wrong.remedy


@pytest.mark.parametrize(("metric", "task"), [("caption-length", "captioning"), ("hits", "vqa"), ("hits", "retrieval")])
def test_a_plugins_metric_is_let_through_for_its_tasks(metric: str, task: str) -> None:
    assert not list(unfit(Protocol(metrics=(metric,)), task, KNOWN))
