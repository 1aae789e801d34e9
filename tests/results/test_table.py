"""The table: means and spreads are numpy's, and a cell that is missing is never averaged away."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from vlpbench.errors import UserError
from vlpbench.results import load
from vlpbench.results.tables import Asked, long


def test_n_is_said_where_it_differs(grid: Any) -> None:
    grid.done("a", 0, {"accuracy": 40.0})
    grid.done("a", 1, {"accuracy": 50.0})
    grid.failed("a", 2, "out of memory")
    grid.done("b", 0, {"accuracy": 60.0})
    grid.plan("b", 1)
    table = load(grid.folder).wide()["vqa acc."]
    assert table["a"] == "45.0 ± 7.1 (n=2/3)†", "one failed"
    assert table["b"] == "60.0 (n=1/2)"


def test_rows_without_a_number_say_why(grid: Any) -> None:
    grid.done("done", 0, {"accuracy": 40.0})
    grid.failed("failed", 0, "the loss is not finite at step 3")
    grid.plan("waiting", 0)
    grid.plan("impossible", 0, "n/a: dual has no decoder")
    (grid.done("damaged", 0, {"accuracy": 1.0}).path / "scores.json").unlink()
    table = load(grid.folder).wide()
    column = table["vqa acc."]
    assert column[["done", "failed", "waiting", "impossible", "damaged"]].tolist() == [
        "40.0", "failed", "pending", "n/a: dual has no decoder", "damaged"
    ]
    assert table.loc["done"].iloc[1] == "n/a: needs decode"


def test_a_metric_that_no_row_has_a_value_of_has_no_column_unless_it_is_asked_for(grid: Any) -> None:
    grid.done("a", 0, {"accuracy": 40.0, "Bleu_4": 0.25, "CIDEr": None})
    results = load(grid.folder)
    assert results.wide().columns.tolist() == ["vqa acc.", "captioning BLEU-4 ×100"]
    assert results.wide(["CIDEr"]).loc["a"].tolist() == ["none"]
    assert long(results, Asked(metrics=("CIDEr",)))["reason"].tolist() == ["there is one image"]


def test_a_task_whose_metrics_all_lack_a_value_keeps_its_columns(grid: Any) -> None:
    grid.tasks = ("captioning",)
    grid.done("a", 0, {"CIDEr": None})
    assert load(grid.folder).wide().loc["a"].tolist() == ["none"]


def test_a_metric_that_some_rows_have_says_none_elsewhere(grid: Any) -> None:
    grid.done("a", 0, {"Bleu_4": 0.25, "METEOR": 0.2345})
    grid.done("b", 0, {"Bleu_4": 0.25, "METEOR": None})
    table = load(grid.folder).wide()
    assert table.loc[["a", "b"], "captioning METEOR ×100"].tolist() == ["23.4", "none"]
    assert table.loc["b", "captioning BLEU-4 ×100"] == "25.0"


def test_the_reason_of_one_metric_is_not_that_of_another(grid: Any) -> None:
    grid.done("a", 0, {"Bleu_4": 0.25, "METEOR": None})
    lines = long(load(grid.folder), Asked(metrics=("Bleu_4", "METEOR"))).set_index("metric")["reason"]
    assert lines[["Bleu_4", "METEOR"]].tolist() == ["", "there is one image"]


def test_why_a_task_cannot_be_is_said_once_a_row(grid: Any) -> None:
    grid.tasks = ("captioning",)
    grid.done("a", 0, {"Bleu_4": 0.25, "CIDEr": 0.5})
    grid.plan("b", 0, "n/a: dual has no decoder")
    assert load(grid.folder).wide().loc["b"].tolist() == ["n/a: dual has no decoder", "n/a"]


def test_columns_and_floors_of_other_tasks(grid: Any) -> None:
    grid.tasks = ("vqa", "vqa@choices", "classification@probe")
    grid.done("a", 0, {"exact": 1.0, "exact_normalised": 2.0, "multiple_choice": 40.0, "mean_per_class": 9.0})
    table = load(grid.folder).wide()
    assert table.columns.tolist()[:3] == ["vqa exact (as written)", "vqa exact (normalised)", "vqa right choice"]
    assert table.columns.tolist()[-1] == "classification@probe mean per class"
    assert table.loc[["*chance*", "*majority*"], "vqa@choices right choice"].tolist() == ["25.0", "46.9"]
    assert table.loc["*chance*", "classification@probe mean per class"] == "12.5"


def test_nothing_finished_is_a_table_all_the_same(grid: Any) -> None:
    grid.failed("a", 0, "no")
    table = load(grid.folder).wide()
    assert table.loc["a"].tolist() == ["failed", "failed"]
    assert table.columns.tolist() == ["vqa", "captioning"]


def test_rows_and_tasks_keep_the_grids_order(grid: Any) -> None:
    grid.tasks = ("captioning", "vqa")
    for row in ("zebra", "ant", "none"):
        grid.done(row, 0, {"accuracy": 1.0, "CIDEr": 0.1})
    table = load(grid.folder).wide()
    assert [row for row in table.index if "*" not in row] == ["zebra", "ant", "none"]
    assert table.columns.tolist() == ["captioning CIDEr ×100", "vqa acc."]


def test_floors_stand_under_the_rows(grid: Any) -> None:
    grid.failed("b", 0, "no")
    grid.done("a", 0, {"accuracy": 40.0, "CIDEr": 0.5})
    table = load(grid.folder).wide()
    assert table.index.tolist() == ["b", "a", "*chance*", "*majority*"]
    assert table.loc["*chance*"].tolist() == ["2.5", "10.0"]
    assert table.loc["*majority*"].tolist() == ["7.2", "–"]


def test_chosen_metrics(grid: Any) -> None:
    grid.done("a", 0, {"accuracy": 40.0, "Bleu_4": 0.25, "CIDEr": 0.5})
    assert load(grid.folder).wide(["CIDEr"]).columns.tolist() == ["captioning CIDEr ×100"]


def test_a_metric_that_no_row_has_is_a_users_mistake(grid: Any) -> None:
    grid.done("a", 0, {"accuracy": 40.0, "CIDEr": 0.5})
    with pytest.raises(UserError, match="unknown metric 'CIDER'") as caught:
        load(grid.folder).wide(["accuracy", "CIDER"])
    assert "did you mean 'CIDEr'?" in caught.value.remedy


def test_published_numbers_have_a_column_of_their_own_whatever_became_of_the_row(grid: Any) -> None:
    grid.done("a", 0, {"accuracy": 40.0}, settings={"published": {"vqa.accuracy": 77.87}})
    grid.failed("b", 0, "no")
    grid.plan("c", 0, "n/a: dual has no decoder")
    grid.plan("d", 0)
    grid.published = {"b": {"vqa.accuracy": 49.7}, "c": {"vqa.accuracy": 66.0}}
    grid.close()
    table = load(grid.folder).wide()
    assert table.columns.tolist() == ["vqa acc.", "vqa acc. published", "captioning"]
    assert table["vqa acc."].tolist()[:4] == ["40.0", "failed", "n/a: dual has no decoder", "pending"]
    assert table["vqa acc. published"].tolist()[:4] == ["77.87", "49.70", "66.00", "–"], "as precise as the paper"
    assert table.loc["*chance*", "vqa acc. published"] == "–"
    assert long(load(grid.folder)).set_index(["row", "metric"])["published"]["c", "accuracy"] == 66.0


def test_published_numbers_of_a_grid_that_has_not_begun(grid: Any) -> None:
    grid.plan("a", 0)
    grid.published = {"a": {"vqa.accuracy": 60.0, "captioning.CIDEr": 142.6, "nlvr.accuracy": 80.0}}
    grid.close()
    table = load(grid.folder).wide()
    assert table.columns.tolist() == ["vqa", "vqa acc. published", "captioning", "captioning CIDEr published"]
    assert table.loc["a"].tolist() == ["pending", "60", "pending", "142.6"]
    assert load(grid.folder).frame["published"].isna().all()


def test_a_published_metric_that_is_not_shown_otherwise_stands_beside_ours(grid: Any) -> None:
    grid.done("a", 0, {"accuracy": 40.0, "accuracy[rule=2016]": 41.0})
    assert load(grid.folder).wide().columns.tolist() == ["vqa acc.", "captioning"]
    grid.published = {"a": {"vqa.accuracy[rule=2016]": 33.1}}
    grid.close()
    line = load(grid.folder).wide().loc["a"]
    assert (line["vqa accuracy[rule=2016]"], line["vqa accuracy[rule=2016] published"]) == ("41.0", "33.1")


def test_a_published_metric_has_its_column_where_ours_has_no_value(grid: Any) -> None:
    grid.done("a", 0, {"CIDEr": 0.5, "METEOR": None})
    grid.published = {"a": {"captioning.METEOR": 33.1}}
    grid.close()
    line = load(grid.folder).wide().loc["a"]
    assert (line["captioning METEOR ×100"], line["captioning METEOR published"]) == ("none", "33.1")
    assert not [head for head in load(grid.folder).wide(["CIDEr"]).columns if "published" in head]


def test_forms_of_the_readout_have_columns_of_their_own(grid: Any) -> None:
    grid.tasks = ("vqa@decoder", "vqa@fused")
    grid.done("a", 0, {"accuracy": 40.0})
    assert load(grid.folder).wide().columns.tolist() == ["vqa@decoder acc.", "vqa@fused acc."]


def test_several_grids_are_told_apart(grid: Any, another: Callable[..., Any]) -> None:
    grid.done("a", 0, {"accuracy": 40.0})
    other = another()
    other.done("a", 0, {"accuracy": 50.0})
    table = load(grid.folder, other.folder).wide(["accuracy"])
    assert table.iloc[:, 0].to_dict() == {
        "small: a": "40.0", "other: a": "50.0", "*small: chance*": "2.5", "*small: majority*": "7.2",
        "*other: chance*": "2.5", "*other: majority*": "7.2",
    }


def test_what_stands_beside_the_scores(grid: Any) -> None:
    grid.beside = ["image_tokens", "flops", "nonsense"]
    for seed in range(2):
        grid.done("a", seed, {"accuracy": 40.0})
    grid.plan("b", 0)
    table = load(grid.folder).wide()
    assert table.columns.tolist()[:3] == ["image tokens", "pretraining TFLOP", "vqa acc."]
    assert table.loc["a"].tolist()[:2] == ["16", "3.00"] and table.loc["b"].tolist()[:2] == ["–", "–"]
    assert table.loc["*chance*", "image tokens"] == "–"
    chosen = load(grid.folder).wide(beside=["parameters", "seconds", "trunk"])
    assert chosen.loc["a"].tolist()[:3] == ["0.60", "12", "encoder-decoder"], "seconds: the mean of 12 and 13"
    assert load(grid.folder).wide(beside=[]).columns.tolist()[0] == "vqa acc."
    with pytest.raises(UserError, match="unknown column 'imagetokens'") as caught:
        load(grid.folder).wide(beside=["imagetokens"])
    assert "did you mean 'image_tokens'?" in caught.value.remedy
