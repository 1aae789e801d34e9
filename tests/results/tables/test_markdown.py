"""Markdown: what a reader of the page sees is what was typed."""

from __future__ import annotations

import html
import re

import pytest

from vlpbench.results.tables import Column, Entry, Line, Table
from vlpbench.results.tables.markdown import escaped, markdown

GOLDEN = r"""
| row         | vqa acc.                | vqa published   | vqa Δ           | captioning CIDEr ×100   | stem   |
|:------------|:------------------------|:----------------|:----------------|:------------------------|:-------|
| none        | 34.6 ± 1.6 (n=4/5)†     | 49.70           | –               | 122.1 ± 26.6            | conv3  |
| prefix-lm   | **63.4 ± 2.9**          | 67.43           | +28.8 ± 3.1\*   | **305.3 ± 17.3**        | conv3  |
| contrastive | 57.0 ± 1.1              | –               | 0.0 ± 0.2       | n/a: needs decode       | conv_2 |
| *chance*    | 5.5                     | –               | –               | 68.3                    | –      |

Mean ± standard deviation over 5 seeds, 10% of the pairs.

- answers normalised by rule `always`
- cell a_b failed: out of memory & time
"""


def squeezed(text: str) -> list[str]:
    """The lines without what only aligns."""
    return [re.sub(r"-{3,}", "---", re.sub(" +", " ", line)) for line in text.strip().splitlines()]


def test_golden(scores: Table) -> None:
    assert squeezed(markdown(scores)) == squeezed(GOLDEN)


@pytest.mark.parametrize(("typed", "written"), [
    ("a|b_*c*", r"a\|b\_\*c\*"),
    ("mean_per_class", "mean_per_class"),
    ("_x_", r"\_x\_"),
    ("accuracy[rule=2016]", "accuracy[rule=2016]"),
    ("[a](b)", r"[a\](b)"),
    ("<script>alert(1)</script>", r"\<script>alert(1)\</script>"),
    ("a < b & c > d, p <0.001", "a < b & c > d, p <0.001"),
    ("&lt;", r"\&lt;"),
    ("~~a~~ $x$ `y` \\", r"\~\~a\~\~ \$x\$ \`y\` \\"),
    ("one\n\n| two", r"one \| two"),
    ("prefix-lm, 10% #3", "prefix-lm, 10% #3"),
])
def test_names_are_escaped_no_more_than_they_must(typed: str, written: str) -> None:
    assert escaped(typed) == written


def test_a_name_comes_out_as_it_was_typed(odd: Table, active: str) -> None:
    reader = pytest.importorskip("markdown_it", reason="no reader of Markdown is installed")
    page = reader.MarkdownIt("commonmark").enable(["table", "strikethrough"]).render(markdown(odd))
    seen = [html.unescape(re.sub("<[^>]*>", "", one)) for one in re.findall("<t[hd][^>]*>(.*?)</t[hd]>", page)]
    assert seen[:3] == [active, f"{active} {active}", f"{active} {active} (2)"]
    assert seen[3:] == [active, "−1.25 ± 0.50*", active, active, "–", "–"]
    assert page.count("<em>") == 1, "the floor"


def test_a_table_of_nothing_is_a_head() -> None:
    assert squeezed(markdown(Table((Column("acc."),), ()))) == ["| row | acc. |", "|---|---|"]


def test_decimals_stay() -> None:
    assert "| 0.60 " in markdown(Table((Column("x"),), (Line("a", (Entry(0.6, decimals=2),)),)))
