"""What an extra metric must offer: one number for each prediction of a task; its score is their mean.

The suite's own metrics are no plugins: a column that a plugin could change would compare nothing.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

__all__ = ["Metric"]


class Metric(ABC):
    """A score column beside those of the suite, measured from the predictions that a task keeps."""

    name: ClassVar[str]
    """What tables call the column: lower-case letters, digits and dashes; never the name of a suite metric."""
    version: ClassVar[int] = 1
    """Raised when the same predictions give another number; goes into the record beside the value."""
    tasks: ClassVar[frozenset[str] | set[str]]
    """The tasks whose predictions it reads: "vqa", "captioning", "retrieval", "classification"."""
    higher_is_better: ClassVar[bool] = True
    """Which end of the scale is good."""
    cites: ClassVar[tuple[str, ...]] = ()
    """What a paper cites that uses it: BibTeX entries, or keys of vlpbench's own list (`vlpbench cite --all`)."""

    @abstractmethod
    def values(self, rows: Sequence[Mapping[str, Any]]) -> Sequence[float | None]:
        """One number for each of a task's predictions, in their order; None for one that it says nothing about.

        `rows` are the predictions as they are kept on disk, with what they are held against; docs/your-metric.md lists
        their keys. A pure function of `rows`: it is asked again whenever a finished cell is scored again.
        """
