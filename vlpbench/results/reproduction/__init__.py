"""Whether a paper's differences appear in our runs: a verdict a row, by a rule that is fixed beforehand."""

from __future__ import annotations

from vlpbench.results.reproduction.asked import ReproductionAsked
from vlpbench.results.reproduction.estimate import reproductions
from vlpbench.results.reproduction.found import Compared, Reproduction
from vlpbench.results.reproduction.table import reproduction_table
from vlpbench.results.reproduction.text import reproduction_text
from vlpbench.results.reproduction.verdict import VERDICTS, Verdict, verdict

__all__ = [
    "VERDICTS", "Compared", "Reproduction", "ReproductionAsked", "Verdict", "reproduction_table", "reproduction_text",
    "reproductions", "verdict",
]
