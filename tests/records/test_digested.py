"""What was read is what was written, or it says otherwise."""

from __future__ import annotations

import json
from typing import Any

import pytest

from vlpbench.records.digested import digested, is_as_written

VALUE = {"state": "done", "files": {"a": "ß"}, "number": 0.1 + 0.2, "none": None, "list": [1, [True]]}


def test_what_was_written_is_found_again() -> None:
    assert is_as_written(json.loads(json.dumps(digested(VALUE))))
    assert digested(VALUE).items() > VALUE.items()
    assert digested(digested(VALUE)) == digested(VALUE)


@pytest.mark.parametrize("change", [{"state": "failed"}, {"number": 0.3}, {"none": 0}, {"more": 1}, {"digest": "0"}])
def test_any_other_value_is_not_as_written(change: dict[str, Any]) -> None:
    assert not is_as_written(digested(VALUE) | change)


def test_one_without_a_digest_is_not_as_written() -> None:
    assert not is_as_written(VALUE) and not is_as_written({})


def test_what_is_no_number_is_refused() -> None:
    with pytest.raises(ValueError, match="Out of range"):
        digested({"a": float("nan")})
    assert not is_as_written({"a": float("nan"), "digest": ""})
