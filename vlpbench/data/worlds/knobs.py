"""Every knob of a world has a range; a value outside it is a sentence for the user."""

from __future__ import annotations

from collections.abc import Mapping

from vlpbench.errors import UserError

__all__ = ["check_knobs", "refused"]


def check_knobs(config: object, ranges: Mapping[str, tuple[int, int]], world: str) -> None:
    """Raise UserError for the first knob that is no whole number in its range, or for a bad share of synonyms."""
    for name, (least, largest) in ranges.items():
        value = getattr(config, name)
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= largest:
            raise refused(name, value, f"a whole number from {least} to {largest}", world)
    synonyms = getattr(config, "synonyms")  # noqa: B009 (each world has the knob, but they share no base class)
    share = isinstance(synonyms, int | float) and not isinstance(synonyms, bool)
    if not share or not 0 <= synonyms <= 0.5:
        raise refused("synonyms", synonyms, "a number from 0 to 0.5", world)


def refused(knob: str, value: object, allowed: str, world: str) -> UserError:
    """The error for a value of a knob: what is wrong, where, and what may stand there."""
    return UserError(f"{knob} = {value!r} makes no {world}", f"[data.NAME] {knob}", f"give {allowed}")
