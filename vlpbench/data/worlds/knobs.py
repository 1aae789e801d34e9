"""Every knob of a world has a range; a value outside it is a sentence for the user."""

from __future__ import annotations

from collections.abc import Mapping

from vlpbench.errors import UserError

__all__ = ["check_knobs", "check_share", "refused"]


def check_knobs(config: object, ranges: Mapping[str, tuple[int, int]], world: str) -> None:
    """Raise UserError for the first knob that is no whole number in its range, or for a bad share of synonyms."""
    for name, (least, largest) in ranges.items():
        value = getattr(config, name)
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= largest:
            raise refused(name, value, f"a whole number from {least} to {largest}", world)
    check_share(config, "synonyms", 0.5, world)


def check_share(config: object, knob: str, largest: float, world: str) -> None:
    """Raise UserError where a knob is no number from 0 to `largest`."""
    value = getattr(config, knob)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= largest:
        raise refused(knob, value, f"a number from 0 to {largest}", world)


def refused(knob: str, value: object, allowed: str, world: str) -> UserError:
    """The error for a value of a knob: what is wrong, where, and what may stand there."""
    return UserError(f"{knob} = {value!r} makes no {world}", f"[data.NAME] {knob}", f"give {allowed}")
