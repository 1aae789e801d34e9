"""Intervals and tests that say what they are about: new seeds, new examples, or both. Arrays in, findings out."""

from __future__ import annotations

from vlpbench.results.statistics.both import paired_over_both
from vlpbench.results.statistics.components import Components, components
from vlpbench.results.statistics.examples import mcnemar, paired_bootstrap
from vlpbench.results.statistics.finding import ABOUT, Finding, Target
from vlpbench.results.statistics.holm import holm
from vlpbench.results.statistics.improvement import (
    Improvement,
    probability_of_improvement,
    probability_over_pairs,
)
from vlpbench.results.statistics.limits import cannot_carry, seeds_for_sign_flip
from vlpbench.results.statistics.power import examples_needed, power_of, seeds_needed, smallest_gap
from vlpbench.results.statistics.ranks import RankAgreement, rank_correlation
from vlpbench.results.statistics.seeds import mean_over_seeds, paired_over_seeds
from vlpbench.results.statistics.sign_flip import sign_flip, smallest_p

__all__ = [
    "ABOUT", "Components", "Finding", "Improvement", "RankAgreement", "Target", "cannot_carry", "components",
    "examples_needed", "holm", "mcnemar", "mean_over_seeds", "paired_bootstrap", "paired_over_both",
    "paired_over_seeds", "power_of", "probability_of_improvement", "probability_over_pairs", "rank_correlation",
    "seeds_for_sign_flip", "seeds_needed", "sign_flip", "smallest_gap", "smallest_p",
]
