"""LaTeX: golden lines, and a document that a real pdflatex sets without a complaint."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from vlpbench.results.tables import Column, Entry, Line, Table
from vlpbench.results.tables.latex import latex
from vlpbench.results.tables.latex_text import unsettable

GOLDEN = r"""
% needs \usepackage{booktabs}
% about 340 pt wide, a column of a two-column paper about 236: there, use table*
\begin{table}[tb]
\centering
\caption{Mean $\pm$ standard deviation over 5 seeds, 10\% of the pairs.}
\label{tab:demo}
\smallskip
\footnotesize
\setlength{\tabcolsep}{4pt}
\makebox[\linewidth]{%
\begin{tabular}{lccccl}
\toprule
 & \multicolumn{3}{c}{vqa} & \multicolumn{1}{c}{captioning} &  \\
\cmidrule(lr){2-4} \cmidrule(lr){5-5}
row & acc. & published & $\Delta$ & CIDEr $\times$100 & stem \\
\midrule
none & 34.6 $\pm$ 1.6 ($n=4/5$)$^{\dagger}$ & 49.70 & -- & 122.1 $\pm$ 26.6 & conv3 \\
prefix-lm & \textbf{63.4 $\pm$ 2.9} & 67.43 & +28.8 $\pm$ 3.1$^{*}$ & \textbf{305.3 $\pm$ 17.3} & conv3 \\
contrastive & 57.0 $\pm$ 1.1 & -- & 0.0 $\pm$ 0.2 & n/a$^{a}$ & conv\_2 \\
\midrule
\textit{chance} & 5.5 & -- & -- & 68.3 & -- \\
\bottomrule
\end{tabular}
}
\par\smallskip
\begin{minipage}{\linewidth}
\footnotesize
$^{a}$~needs decode

answers normalised by rule \texttt{always}

cell a\_b failed: out of memory \& time
\end{minipage}
\end{table}
"""


def test_golden(scores: Table) -> None:
    assert latex(scores) == GOLDEN.strip()


def test_a_table_without_groups_caption_notes_and_floors() -> None:
    written = latex(Table((Column("acc."),), (Line("a", (Entry(1.0),)),)))
    assert written.splitlines() == [
        r"% needs \usepackage{booktabs}", r"\begin{table}[tb]", r"\centering", r"\label{tab:results}", r"\smallskip",
        r"\begin{tabular}{lc}", r"\toprule", r"row & acc. \\", r"\midrule", r"a & 1.0 \\", r"\bottomrule",
        r"\end{tabular}", r"\end{table}",
    ]


def test_a_bracket_or_star_at_the_beginning_of_a_line_is_no_argument() -> None:
    lines = tuple(Line(name, (Entry(1.0),)) for name in ("a", "[2pt] b", "*"))
    written = latex(Table((Column("acc."),), lines, head="*"))
    assert "\n{[}2pt{]} b & 1.0" in written
    assert "\n{}* & 1.0" in written and "\n{}* & acc." in written


def test_reasons_stand_under_the_table_once() -> None:
    reason = Entry(text="n/a: pretraining did not train decode")
    written = latex(Table((Column("x"), Column("y")), (Line("a", (reason, Entry(text="n/a"))), Line("b", (reason, Entry(
        text="n/a: 50% & more"))))))
    assert r"a & n/a$^{a}$ & n/a \\" in written and r"b & n/a$^{a}$ & n/a$^{b}$ \\" in written
    assert r"$^{a}$~pretraining did not train decode; $^{b}$~50\% \& more" in written
    long = "seeds 0, 1, 2, 3, 4 and 5 are pending"
    written = latex(Table((Column("note", kind="text"),), (Line("a", (Entry(text=long, mark="#"),)),)))
    assert r"a & $^{a}$$^{\mbox{\#}}$ \\" in written and f"$^{{a}}$~{long}" in written


def test_a_head_in_two_lines() -> None:
    columns = (Column("image tokens"), Column("the device", kind="text"))
    assert (
        r"row & \begin{tabular}[b]{@{}c@{}}image \\ tokens\end{tabular} "
        r"& \begin{tabular}[b]{@{}l@{}}the \\ device\end{tabular} \\"
    ) in latex(Table(columns, (Line("a", (Entry(1.0), Entry())),)))


def test_more_sentences_than_letters() -> None:
    lines = tuple(Line(f"row {at}", (Entry(text=f"n/a: reason {at}"),)) for at in range(30))
    written = latex(Table((Column("x"),), lines))
    assert "row 25 & n/a$^{z}$" in written and "row 26 & n/a$^{aa}$" in written and "$^{dd}$~reason 29" in written


def test_groups_that_do_not_fit_beside_each_other_stand_under_each_other(scores: Table) -> None:
    entries = scores.lines[1].entries
    wide = replace(
        scores, columns=tuple(replace(one, group=one.group + many) for many in "abc" for one in scores.columns),
        lines=tuple(replace(line, entries=line.entries * 3) for line in scores.lines),
    )
    written = latex(wide)
    assert written.count(r"\begin{tabular}") == written.count(r"\bottomrule") == written.count("prefix-lm &") > 1
    assert written.count(r"\begin{table}") == written.count(r"\caption") == 1
    assert written.count(r"\textbf{63.4 $\pm$ 2.9}") == 3 and len(entries) == 5


def test_what_is_too_wide_all_the_same_hangs_into_both_margins(scores: Table) -> None:
    wide = replace(scores, lines=(replace(scores.lines[0], name="a name that nobody needs, " * 4),))
    small = Table((Column("acc."),), (Line("a", (Entry(1.0),)),))
    assert "\\makebox[\\linewidth]{%\n\\begin{tabular}" in latex(wide) and "makebox" not in latex(small)


def test_what_the_caption_says_is_not_said_again(scores: Table) -> None:
    written = latex(replace(scores, caption=f"First. {scores.notes[0]}. Last."))
    assert written.count("answers normalised") == 1 and "cell a\\_b failed" in written


def test_a_label_is_one_that_latex_takes(scores: Table) -> None:
    assert r"\label{tab:a_b-c}" in latex(replace(scores, label="tab:a_b%c"))


def test_a_real_latex_sets_the_table(scores: Table, typeset: Callable[..., str]) -> None:
    twice = replace(
        scores, columns=scores.columns * 2, lines=tuple(replace(one, entries=one.entries * 2) for one in scores.lines)
    )
    text = " ".join(typeset(latex(scores), latex(twice), latex(replace(twice, head="head " * 30))).split())
    assert "Table 1: Mean ± standard deviation over 5 seeds, 10% of the pairs." in text
    assert "63.4 ± 2.9 67.43 +28.8 ± 3.1∗ 305.3 ± 17.3 conv3" in text
    assert "a needs decode" in text and "out of memory & time" in text


def test_a_real_latex_sets_every_name(active: str, typeset: Callable[..., str]) -> None:
    names = [active, "[1ex] a", "* b", "-- c", "10% & 5 #2", "mean_per_class", '"said" \'so\'', "Café, Łódź: naïve"]
    lines = tuple(Line(name, (Entry(at, 0.5, is_best=True),), "row") for at, name in enumerate(names))
    floors = tuple(replace(line, kind="floor", name=f"{line.name}!") for line in lines)
    text = typeset(*(
        latex(Table((Column(name[:30], name[:30]),), lines + floors, name, caption=name, notes=(name,), label=name))
        for name in names
    ))
    for name in ("[1ex] a", "10% & 5 #2", "Lódź: na", "<b> \\i", "{x} %d", "[k](l)"):
        assert text.count(name) > len(names), name


def test_a_real_latex_sets_every_character_that_is_said_to_be_settable(typeset: Callable[..., str]) -> None:
    names = map(chr, [*range(0x21, 0x600), *range(0x1E00, 0x2300), 0x2605, 0x4E00])
    known = [Line(name, ()) for name in names if not unsettable(name) and not name.isspace()]
    assert len(known) > 350
    text = typeset(*(latex(Table((), tuple(known[at : at + 35]))) for at in range(0, len(known), 35)))
    assert {"±", "−", "→", "∆", "ß"} <= set(text)


def test_what_a_paper_need_not_print_is_for_its_author(scores: Table) -> None:
    known, printed = scores.notes
    written = latex(replace(scores, details=frozenset([known])))
    above, _, below = written.partition(r"\begin{table}")
    assert f"% {known}" in above and "normalised" not in below and "a\\_b failed" in below
    assert printed in latex(replace(scores, details=frozenset(scores.notes))).partition(r"\begin{table}")[0]
