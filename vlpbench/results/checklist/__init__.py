"""What venues ask about reproducibility, answered from the records, or left to the author in plain words."""

from __future__ import annotations

from vlpbench.results.checklist.asked import VENUES, checklist
from vlpbench.results.checklist.item import Item
from vlpbench.results.checklist.text import checklist_text

__all__ = ["VENUES", "Item", "checklist", "checklist_text"]
