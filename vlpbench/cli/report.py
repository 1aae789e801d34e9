"""`vlpbench report`: from records to a paper; each command is loaded when it is called."""

from __future__ import annotations

import click

from vlpbench.cli.lazy import LazyGroup

__all__ = ["report"]

COMMANDS = {
    "table": ("vlpbench.cli.report_table:print_table", "Mean and spread over seeds, tested; Markdown, LaTeX and more."),
    "html": ("vlpbench.cli.report_html:write_page", "One page to look at: tables, plots, cells, a gallery."),
    "plot": ("vlpbench.cli.report_plot:draw", "Bars, curves, score against compute, recalls, heat maps."),
    "reproduction": (
        "vlpbench.cli.report_reproduction:print_reproduction", "Which published differences appear in our runs.",
    ),
    "power": ("vlpbench.cli.report_power:print_power", "How many seeds and test examples a gap needs."),
    "compute": ("vlpbench.cli.report_compute:print_compute", "Hours and devices, failed runs included."),
    "checklist": ("vlpbench.cli.report_checklist:print_checklist", "What venues ask, answered from the records."),
    "submission": ("vlpbench.cli.report_submission:submission", "Files for the VQA and COCO caption servers."),
}


@click.group(cls=LazyGroup, groups=COMMANDS)
def report() -> None:
    """Turn results into tables, plots, a page, and a paper's answers."""
