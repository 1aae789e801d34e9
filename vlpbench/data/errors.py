"""The errors of data under the name of this wing; they live where the contract can raise them."""

from __future__ import annotations

from vlpbench.contract.data_errors import DataError, TestSplitRefused

__all__ = ["DataError", "TestSplitRefused"]
