"""Extra metrics decide nothing: neither which of the suite's are measured nor a cell's id."""

from __future__ import annotations

from dataclasses import replace

import pytest

from vlpbench.config.identity import cell_id, settings_to_plain
from vlpbench.config.measured import extra_metrics, suite_metrics, without_extras
from vlpbench.config.settings import CellSettings, Protocol

ALL = Protocol().metrics


def settings(*metrics: str, task: str = "captioning") -> CellSettings:
    return replace(CellSettings(), protocol={task: Protocol(metrics=metrics)})


def identity(one: CellSettings) -> str:
    return cell_id(one, {"metrics": 2}, {"digits": "abc"})


@pytest.mark.parametrize(
    ("named", "suite", "extra"),
    [
        (("CIDEr",), ("CIDEr",), ()), (("CIDEr", "length"), ("CIDEr",), ("length",)), ((), (), ()),
        (("length", "colours", "length"), ALL, ("length", "colours")), (ALL, ALL, ()),
    ],
)
def test_a_list_is_taken_apart(named: tuple[str, ...], suite: tuple[str, ...], extra: tuple[str, ...]) -> None:
    protocol = Protocol(metrics=named)
    assert suite_metrics(protocol) == suite and extra_metrics(protocol) == extra


def test_an_extra_metric_changes_no_id() -> None:
    assert identity(settings("CIDEr", "length")) == identity(settings("CIDEr"))
    assert identity(settings("length")) == identity(settings(*ALL))
    assert identity(settings("length", task="vqa")) == identity(settings(*ALL, task="vqa"))


def test_another_metric_of_the_suite_still_does() -> None:
    assert identity(settings("CIDEr", "Bleu_4")) != identity(settings("CIDEr"))


def test_settings_without_any_stay_as_they_are() -> None:
    assert settings_to_plain(without_extras(settings(*ALL))) == settings_to_plain(settings(*ALL))
