"""The settings of what has none."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["NoConfig"]


@dataclass(frozen=True)
class NoConfig:
    """No settings at all."""
