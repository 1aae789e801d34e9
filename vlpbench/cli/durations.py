"""Seconds as a person says them: how long, how long still, and until when."""

from __future__ import annotations

import time

__all__ = ["clock", "roughly", "until"]

MINUTE, HOUR, DAY = 60, 3600, 86400


def clock(seconds: float) -> str:
    """Time since a start: 0:07, 12:34, 26:03:04."""
    whole = max(0, int(seconds))
    hours, minutes = whole // HOUR, whole % HOUR // MINUTE
    return f"{hours}:{minutes:02}:{whole % MINUTE:02}" if hours else f"{minutes}:{whole % MINUTE:02}"


def roughly(seconds: float) -> str:
    """Time that is guessed, no finer than a guess can be: 3:20, 2 h 10 min, 3 d 4 h."""
    if seconds < HOUR:
        return clock(seconds)
    if seconds < DAY:
        minutes = int(seconds) // MINUTE
        return f"{minutes // 60} h {minutes % 60:02} min"
    hours = int(seconds) // HOUR
    return f"{hours // 24} d {hours % 24} h"


def until(seconds: float, now: float | None = None) -> str:
    """The local time so many seconds from `now` (of the epoch; None is right now): 16:42, Tue 16:42, 3 May 16:42."""
    start = time.time() if now is None else now
    here, there = time.localtime(start), time.localtime(start + seconds)
    at = time.strftime("%H:%M", there)
    if (here.tm_year, here.tm_yday) == (there.tm_year, there.tm_yday):
        return at
    if seconds < 6 * DAY:
        return f"{time.strftime('%a', there)} {at}"
    return f"{there.tm_mday} {time.strftime('%b', there)} {at}"
