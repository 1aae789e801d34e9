"""What the comments of built-in grids promise."""

from __future__ import annotations

from vlpbench.grid import open_grid


def test_the_smallest_cut_of_pairs_fills_one_step():
    grid, _ = open_grid("simvlm-ablation")
    of_all, share = (grid.base[f"data.web-cc3m.{key}"] for key in ("train", "share"))
    assert round(of_all * share) == grid.base["budget.batch"] == 64
    assert round(grid.base["data.web-tenth.share"] * of_all) == of_all / 10
