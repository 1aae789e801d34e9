"""What a report table must offer: a pandas frame made of results."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ReportTable"]


class ReportTable(ABC):
    """A table of a plugin's own, printed by `vlpbench report table RESULTS --what NAME` in every format."""

    name: ClassVar[str]
    """What `--what` calls it: lower-case letters, digits and dashes."""
    version: ClassVar[int] = 1
    """Raised when the same results give another table; it stands under the table."""
    description: ClassVar[str] = ""
    """One sentence: the caption."""

    @abstractmethod
    def frame(self, results: Any) -> pd.DataFrame:
        """The table, ready to be printed: one line a row; `results` is what `vlpbench.results.load` gives."""
