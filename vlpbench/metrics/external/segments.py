"""What the Java scorers are given: a caption and its references, checked before a program is started."""

from __future__ import annotations

from collections.abc import Sequence

from vlpbench.errors import UserError

__all__ = ["check_segments"]


def check_segments(metric: str, said: Sequence[str], given: Sequence[Sequence[str]]) -> None:
    """UserError unless there is a caption, and each has a list of at least one reference, `given[i]` for `said[i]`."""
    if len(said) != len(given) or not said:
        raise UserError(
            f"{metric} needs one list of references a caption: {len(said)} captions, {len(given)} lists",
            remedy="give at least one caption, and as many lists of references as captions",
        )
    if isinstance(said, str):
        raise UserError(f"{metric} needs a list of captions, not a string", remedy="put the caption into a list")
    for number, references in enumerate(given):
        if isinstance(references, str) or not references:
            raise UserError(
                f"{metric}: caption {number} (counted from 0) has no list of references",
                remedy="give each caption a list of at least one",
            )
