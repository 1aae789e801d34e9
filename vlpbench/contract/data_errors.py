"""What can be wrong with data as a whole; what is wrong with one sample is a `BadSample`."""

from __future__ import annotations

from vlpbench.errors import UserError

__all__ = ["DataError", "TestSplitRefused"]


class DataError(UserError):
    """A file or folder of a data set that cannot be used: cause, place and remedy, as every UserError has."""


class TestSplitRefused(DataError):
    """Training or selection asked for a split that only evaluation may see."""

    __test__ = False
    """Keeps pytest from taking this class for a test."""
