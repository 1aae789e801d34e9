"""docs/your-backbone.md does what it says: a stem and a trunk, checked, and trained in a grid."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest
import torch
from torch import nn

import vlpbench
from tests.docs.test_pages import DIGITS, DOCS, QuickShell, blocks
from vlpbench.plugin import Size
from vlpbench.training.build import draw

TEXT = (DOCS / "your-backbone.md").read_text(encoding="utf-8")


@pytest.mark.slow
def test_your_stem_or_trunk(tmp_path: Path) -> None:
    """Each is checked as the page says, and every row of the grid is done."""
    ran = QuickShell(tmp_path).follow(blocks("your-backbone.md"), DIGITS)
    assert sum("plugins check" in command for command in ran) == 2
    frame = vlpbench.results.load(tmp_path / "results" / "parts").frame
    assert len(set(frame["row"])) == 4 and set(frame["status"]) == {"done"}


def test_the_page_names_every_field_of_a_size() -> None:
    table = TEXT.partition("| `size.` | |")[2].partition("\n\n")[0]
    said = [name for line in table.splitlines() for name in re.findall(r"`(\w+)`", line.split("|")[1] if line else "")]
    assert sorted(said) == sorted({one.name for one in dataclasses.fields(Size)} - {"name"})


def test_weights_are_drawn_anew_as_the_page_says() -> None:
    """`nn.init` in a constructor is lost, a bare parameter stays, and `reset_parameters` decides."""

    class Ones(nn.Linear):
        def reset_parameters(self) -> None:
            nn.init.ones_(self.weight)

    class Whole(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.plain, self.ones = nn.Linear(2, 2), Ones(2, 2, bias=False)
            nn.init.zeros_(self.plain.weight)
            nn.init.zeros_(self.ones.weight)
            self.bare = nn.Parameter(torch.full((2,), 7.0))

    whole = Whole()
    draw(whole, 0)
    assert whole.plain.weight.abs().sum() > 0
    assert torch.equal(whole.ones.weight, torch.ones(2, 2))
    assert torch.equal(whole.bare, torch.full((2,), 7.0))
