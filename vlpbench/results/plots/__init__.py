"""Plots for papers and pages: one file a kind, all readable in grey, written so that equal results give equal bytes."""

from __future__ import annotations

from vlpbench.results.plots.registry import PLOTS, Plot, all_plots, draw
from vlpbench.results.plots.style import alternative
from vlpbench.results.plots.writing import FORMATS, form_of, svg, write

__all__ = ["FORMATS", "PLOTS", "Plot", "all_plots", "alternative", "draw", "form_of", "svg", "write"]
