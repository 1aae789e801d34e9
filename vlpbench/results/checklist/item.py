"""One item of a venue's list."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["Item"]


@dataclass(frozen=True)
class Item:
    """What is asked, what the records say, and what they cannot say."""

    venue: str
    """ "NeurIPS" or "ACL"."""
    number: str
    """Of the item in the venue's list; empty where the list has no numbers."""
    asks: str
    """What it asks, in our words."""
    says: tuple[str, ...]
    """Sentences that are true of these records."""
    must: tuple[str, ...]
    """What no record tells: the author must."""

    @property
    def answered(self) -> Literal["answered", "in part", "not from records"]:
        """How far the records answer it."""
        if not self.says:
            return "not from records"
        return "in part" if self.must else "answered"
