"""What a table's tests cannot carry, and how its order of rows agrees with a published one: notes for under it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vlpbench.results.agreement import agreement_sentence, agreements
from vlpbench.results.claims import claims
from vlpbench.results.published import published_by_column
from vlpbench.results.tables.asked import Asked
from vlpbench.results.tables.layout import Layout
from vlpbench.results.tables.verdicts import Verdicts

if TYPE_CHECKING:
    from vlpbench.results.frame import Results

__all__ = ["agreement_notes", "carried_notes"]


def carried_notes(verdicts: Verdicts, asked: Asked) -> tuple[str, ...]:
    """Sentences, each once, of both families of tests; none where one seed is all there is, which is said above."""
    families = (verdicts.with_best, tuple(verdicts.deltas.values()))
    every = [one for family in families for one in family]
    if len({seed for one in every for seed in one.seeds}) == 1 and not any(one.is_tested for one in every):
        return ()
    names = ("bold", "Δ") if all(families) else ("", "")
    told = (claims(family, asked.alpha, name) for family, name in zip(families, names, strict=True))
    return tuple(dict.fromkeys(sentence for sentences in told for sentence in sentences))


def agreement_notes(results: Results, layout: Layout, asked: Asked) -> tuple[str, ...]:
    """One sentence a published column of a table of named rows."""
    if asked.is_pivot:
        return ()
    published = [key for key in published_by_column(results.orders, asked.metrics or None) if key in layout.scores]
    found = [one for key in published for one in agreements(results, *key)]
    many = len(results.orders) > 1
    return tuple((f"{one.grid}: " if many else "") + agreement_sentence(one) for one in found)
