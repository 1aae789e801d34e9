"""Bytes are said in the unit in which they are short."""

from __future__ import annotations

import pytest

from vlpbench.cli.sizes import size


@pytest.mark.parametrize(
    ("number", "said"),
    [(0, "0 B"), (999, "999 B"), (1000, "0.977 KiB"), (1536, "1.5 KiB"), (625_000_000, "596 MiB"),
     (5 * 2**30, "5 GiB"), (1.25 * 2**40, "1.25 TiB"), (2 * 2**40, "2 TiB")],
)
def test_sizes(number: float, said: str) -> None:
    assert size(number) == said
