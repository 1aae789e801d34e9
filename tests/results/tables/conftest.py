"""Small tables for the formats, among them one with every character that some format reads as its own."""

from __future__ import annotations

import shutil
import subprocess
import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest

from vlpbench.results.tables import Column, Entry, Line, Table

ACTIVE = r"a|b_*c* {x} %d $e$ #f &amp; ~g ^h <b> \i `j` [k](l)"
"""A name that a person may type."""


@pytest.fixture
def active() -> str:
    """A name full of active characters."""
    return ACTIVE


@pytest.fixture
def scores() -> Table:
    """Two tasks, three rows and a floor; every kind of entry."""
    return Table(
        columns=(
            Column("acc.", "vqa"), Column("published", "vqa", "published"), Column("Δ", "vqa", "difference"),
            Column("CIDEr ×100", "captioning"), Column("stem", kind="text"),
        ),
        lines=(
            Line("none", (
                Entry(34.6, 1.6, seeds=(4, 5), mark="†"), Entry(49.7, decimals=2), Entry(text="–"),
                Entry(122.1, 26.6), Entry(text="conv3"),
            )),
            Line("prefix-lm", (
                Entry(63.4, 2.9, is_best=True, seeds=(5, 5)), Entry(67.43, decimals=2), Entry(28.8, 3.1, mark="*"),
                Entry(305.3, 17.3, is_best=True), Entry(text="conv3"),
            )),
            Line("contrastive", (
                Entry(57.0, 1.1), Entry(), Entry(-0.04, 0.2), Entry(text="n/a: needs decode"), Entry(text="conv_2"),
            )),
            Line("chance", (Entry(5.5), Entry(), Entry(), Entry(68.3), Entry()), "floor"),
        ),
        caption="Mean ± standard deviation over 5 seeds, 10% of the pairs.",
        notes=("answers normalised by rule `always`", "cell a_b failed: out of memory & time"),
        label="tab:demo",
    )


@pytest.fixture
def odd() -> Table:
    """Nothing but names full of active characters."""
    return Table(
        (Column(ACTIVE, ACTIVE), Column(ACTIVE, ACTIVE, "text")),
        (Line(ACTIVE, (Entry(-1.25, 0.5, 2, mark="*"), Entry(text=ACTIVE))), Line(ACTIVE, (Entry(), Entry()), "floor")),
        head=ACTIVE, caption=ACTIVE, notes=(ACTIVE,), label=ACTIVE,
    )


@pytest.fixture
def typeset(tmp_path: Path) -> Callable[..., str]:
    """(tables in LaTeX) -> the text of the PDF; no error, no warning of a character that is missing."""
    if not shutil.which("pdflatex"):
        pytest.skip("there is no pdflatex on this machine: LaTeX was not compiled")

    def make(*tables: str) -> str:
        whole = "\n\n".join([
            r"\documentclass{article}\usepackage{booktabs}\begin{document}", *tables, r"\end{document}", "",
        ])
        (tmp_path / "paper.tex").write_text(whole, encoding="utf-8")
        said = subprocess.run(
            ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "paper.tex"], cwd=tmp_path, timeout=60,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
        )
        assert said.returncode == 0, said.stdout[-2000:]
        assert "Missing character" not in (tmp_path / "paper.log").read_text(encoding="utf-8", errors="replace")
        assert "Overfull \\hbox" not in said.stdout
        if not shutil.which("pdftotext"):
            pytest.skip("there is no pdftotext on this machine: the document compiled, and was not read")
        subprocess.run(["pdftotext", "-layout", "paper.pdf", "paper.txt"], cwd=tmp_path, check=True, timeout=60)
        return unicodedata.normalize("NFC", (tmp_path / "paper.txt").read_text(encoding="utf-8"))

    return make
