"""One page to look at: a single file with tables, plots, cells and a gallery, that needs no network."""

from __future__ import annotations
