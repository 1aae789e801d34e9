"""Bytes as a person says them."""

from __future__ import annotations

__all__ = ["size"]


def size(number: float) -> str:
    """Three digits and a unit: 12 B, 3.41 MiB, 596 MiB."""
    value = float(number)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if value < 1000:
            return f"{value:.3g} {unit}"
        value /= 1024
    return f"{value:.3g} TiB"
