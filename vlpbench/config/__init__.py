"""Settings: a grid file in, checked against documented dataclasses; a cell's id out. Knows no plugin."""

from __future__ import annotations
