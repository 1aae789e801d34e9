"""Heat maps: one row a place, never a mean of several that differ otherwise."""

from __future__ import annotations

import pytest

from vlpbench.errors import UserError
from vlpbench.results.plots.heatmap import heatmap, why_no_heatmap
from vlpbench.results.plots.style import alternative


@pytest.fixture
def four(field):
    """Two objectives x two backbones, one pair missing, one place with two rows, one blind row."""

    def row(name, score, objective, stem, **settings):
        settings |= {"objective": objective, "backbone": f"{stem}/encoder-decoder/nano"}
        for seed in range(2):
            field.done(name, seed, {"vqa": {"accuracy": score + seed}}, settings=settings)

    row("a", 10.0, "prefix-lm", "conv2", optim={"lr": 0.01})
    row("b", 20.0, "prefix-lm", "conv3", optim={"lr": 0.0001})
    row("c", 30.0, "contrastive", "conv3", optim={"lr": 0.001})
    row("d", 40.0, "contrastive", "conv3", optim={"lr": 0.002})
    row("e", 5.0, "prefix-lm", "conv2", blind=True)
    return field


def ticks(figure):
    axes = figure.axes[0]
    return [one.get_text() for one in axes.get_yticklabels()], [one.get_text() for one in axes.get_xticklabels()]


def test_every_place_has_a_number_or_a_reason(four, texts):
    figure = heatmap(four.read(), width="page")
    assert ticks(figure) == (["prefix-lm", "contrastive"], ["conv2", "conv3"])
    written = texts(figure)
    assert {"10.5", "20.5", "not in the grid", "2 rows"} <= set(written)
    assert not {"30.5", "40.5", "35.5", "5.5"} & set(written)
    best = "best prefix-lm x conv3/encoder-decoder/nano with 20.5; 2 of 4 places have a score"
    assert alternative(figure) == f"vqa acc. by objective and backbone: {best}"


def test_the_reference_row_speaks_for_its_place(four, texts):
    four.reference = "d"
    written = texts(heatmap(four.read(), width="page"))
    assert "40.5" in written and "2 rows" not in written


def test_other_settings_and_numbers_in_their_order(four):
    figure = heatmap(four.read(), rows="optim.lr", columns="objective")
    assert ticks(figure)[0] == ["0.0001", "0.001", "0.002", "0.01"]


def test_blind_rows_count_where_blind_is_asked_for(four, texts):
    assert "5.5" in texts(heatmap(four.read(), rows="blind", columns="stem", width="page"))


def test_a_failed_row_says_so(field, grid, texts):
    field.done("a", 0, {"vqa": {"accuracy": 1.0}}, settings={"objective": "contrastive"})
    grid.failed("b", 0, "out of memory")
    assert "failed" in texts(heatmap(field.read(), columns="stem"))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"rows": "objectiv"}, "unknown setting 'objectiv'"),
        ({"columns": "optim.rl"}, "unknown setting 'optim.rl'"),
        ({"rows": "stem", "columns": "stem"}, "both sides are 'stem'"),
    ],
)
def test_what_cannot_be_asked(options, words, four):
    with pytest.raises(UserError, match=words):
        heatmap(four.read(), **options)


def test_one_objective_makes_no_map(vqa, four):
    assert why_no_heatmap(four.read()) is None


def test_settings_that_do_not_vary(vqa):
    reason = why_no_heatmap(vqa(["a", "b"], 1))
    assert reason == "all rows have one objective: name two settings that vary with --rows and --columns"
