"""The Styler: floats below, the table's own print above, escaped for what it is written to."""

from __future__ import annotations

import html
import re

import pytest

from vlpbench.errors import UserError
from vlpbench.results.tables import Column, Entry, Line, Table
from vlpbench.results.tables.styled import styler


def test_numbers_are_numbers(scores: Table) -> None:
    data = styler(scores).data
    assert data[("vqa", "acc.")].tolist() == [34.6, 63.4, 57.0, 5.5]
    assert str(data[("captioning", "CIDEr ×100")].dtype) == "float64"
    assert data[("captioning", "CIDEr ×100")].isna().tolist() == [False, False, True, False]
    assert data[("", "stem")].tolist() == ["conv3", "conv3", "conv_2", "–"]
    assert data.loc["prefix-lm", "vqa"].idxmax() == "published"


def test_without_groups_columns_are_names() -> None:
    data = styler(Table((Column("acc."), Column("acc.")), (Line("a", (Entry(1.0), Entry(2.0))),) * 2)).data
    assert (data.columns.tolist(), data.index.tolist()) == (["acc.", "acc. (2)"], ["a", "a (2)"])


def test_html_prints_what_the_table_prints(scores: Table) -> None:
    written = styler(scores).to_html(table_uuid="x")
    seen = re.findall(r'<td id="T_x_row0_col\d".*?>(.*?)</td>', written)
    assert seen == ["34.6 ± 1.6 (n=4/5)†", "49.70", "–", "122.1 ± 26.6", "conv3"]
    assert re.search(r"#T_x_row1_col0, #T_x_row1_col3 \{\s+font-weight: bold;", written)


def test_a_user_goes_on_styling(scores: Table) -> None:
    written = styler(scores).highlight_max(subset=[("vqa", "published")], color="pink").to_html(table_uuid="x")
    assert re.search(r"#T_x_row1_col1 \{\s+background-color: pink;", written)
    hidden = styler(scores).hide([("", "stem")], axis=1).hide(["chance"]).to_html()
    assert "conv3" not in hidden and "68.3" not in hidden and "63.4 ± 2.9" in hidden


def test_html_is_escaped(odd: Table, active: str) -> None:
    written = styler(odd).to_html()
    assert html.unescape(written).count(active) == written.count(html.escape(active)) >= 6
    assert "<b>" not in written


def test_latex_is_booktabs_and_escaped(scores: Table) -> None:
    lines = styler(scores, "latex").to_latex(hrules=True, multicol_align="c").splitlines()
    assert r" & \multicolumn{3}{c}{vqa} & captioning &  \\" in lines
    assert r" & acc. & published & $\Delta$ & CIDEr $\times$100 & stem \\" in lines
    assert r"none & 34.6 $\pm$ 1.6 (n=4/5)\dag{} & 49.70 & -- & 122.1 $\pm$ 26.6 & conv3 \\" in lines
    assert lines[8].startswith(r"prefix-lm & \textbf{63.4 $\pm$ 2.9} & 67.43 & +28.8")
    assert r"\caption{Mean $\pm$ standard deviation over 5 seeds, 10\% of the pairs.}" in lines


def test_latex_leaves_no_active_character(odd: Table) -> None:
    written = styler(odd, "latex").to_latex(hrules=True)
    assert written.count(r"\textasciicircum{}") == 7
    assert not re.search(r"(?<!\\)[_%#$]", re.sub(r"\$(\\pm|-)\$", "", written))


def test_an_escape_that_is_none_is_a_users_mistake(scores: Table) -> None:
    with pytest.raises(UserError, match="unknown escape 'tex'"):
        styler(scores, "tex")  # type: ignore[arg-type]


def test_a_thousand_lines_take_a_moment() -> None:
    columns = tuple(Column(f"metric {at}", "vqa") for at in range(3))
    table = Table(columns, tuple(Line(f"row {at}", (Entry(1.0, 0.5),) * 3) for at in range(300)))
    assert styler(table).to_html().count("1.0 ± 0.5") == 900
