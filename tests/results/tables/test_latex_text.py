"""Text for LaTeX: no character is a command, and what pdflatex cannot set is told."""

from __future__ import annotations

import pytest

from vlpbench.results.tables.latex_text import escaped, escaped_prose, unsettable


@pytest.mark.parametrize(("typed", "written"), [
    ("a_b & 5% of #1 for $2 {x}", r"a\_b \& 5\% of \#1 for \$2 \{x\}"),
    (r"~a^b\c", r"\textasciitilde{}a\textasciicircum{}b\textbackslash{}c"),
    ("<b>|", r"\textless{}b\textgreater{}\textbar{}"),
    ("accuracy[kind=where]", "accuracy{[}kind=where{]}"),
    ("1 ± 2 − 3 × 4 ≤ 5 – 6 ≥ Δ", r"1 $\pm$ 2 $-$ 3 $\times$ 4 $\leq$ 5 -- 6 $\geq$ $\Delta$"),
    ("a† b‡", r"a\dag{} b\ddag{}"),
    ('a "b" ("c")', "a ``b'' (``c'')"),
    ("“a” it's ‘b’", "``a'' it's `b'"),
    ("a--b '' ,, ---", "a-{}-b '{}' ,{}, -{}-{}-"),
    ("`x`", r"\`{}x\`{}"),
    ("Café Łódź Ångström naïve", r"Caf\'{e} \L{}\'{o}d\'{z} \r{A}ngstr\"{o}m na\"{i}ve"),
    ("λ = 0.1, Σ, µ", r"$\lambda$ = 0.1, $\Sigma$, $\mu$"),
    ("e\u0301", r"\'{e}"),
    ("one\n\ntwo\x00\x1b", "one two"),
    ("漢字", "漢字"),
    ("", ""),
])
def test_escaped(typed: str, written: str) -> None:
    assert escaped(typed) == written


def test_words_in_backquotes_are_code() -> None:
    assert escaped_prose("rule `mean_all` of 50%") == r"rule \texttt{mean\_all} of 50\%"


@pytest.mark.parametrize(("text", "left"), [
    ("漢字, 漢", ["漢", "字"]),
    ("é ± Δ ≤ λ \x00\n", []),
    ("ố ą \u200b 🙂", ["ố", "ą", "\u200b", "🙂"]),
])
def test_what_pdflatex_cannot_set(text: str, left: list[str]) -> None:
    assert unsettable(text) == left
