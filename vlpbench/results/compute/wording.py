"""Machines, times and large numbers in words."""

from __future__ import annotations

from math import isfinite, isnan

from vlpbench.results.compute.model import Machine

__all__ = ["machine_text", "scaled", "time_text"]

_PREFIXES = ("", "k", "M", "G", "T", "P", "E", "Z")


def machine_text(machine: Machine) -> str:
    """One kind of machine in words."""
    processor = f"{machine.processor}, " if machine.processor else ""
    cores = f"{machine.cores} cores" + (f" ({machine.threads} used by torch)" if machine.threads else "")
    parts = [
        machine.device + (f" with {machine.gpu_memory}" if machine.gpu_memory else ""),
        f"{processor}{cores}" if machine.cores else machine.processor,
        f"{machine.memory} of main memory" if machine.memory else "", machine.software,
    ]
    hosts = {0: "", 1: ", on one machine"}.get(machine.hosts, f", on {machine.hosts} machines")
    cells = "1 cell" if machine.cells == 1 else f"{machine.cells:,} cells"
    return f"{'; '.join(part for part in parts if part)} ({cells}{hosts})"


def time_text(hours: float) -> str:
    """ "3.20 h", "14.5 min", "23 s": three digits at most; a dash for what is not known."""
    if isnan(hours):
        return "–"
    if hours >= 1:
        return f"{hours:,.0f} h" if hours >= 100 else f"{hours:#.3g} h"
    if hours * 60 >= 1:
        return f"{hours * 60:.1f} min"
    return f"{hours * 3600:.1f} s" if hours else "0 s"


def scaled(value: float, unit: str = "") -> str:
    """4.03 T for 4.03e12; a dash for what is not known."""
    if not isfinite(value):
        return "–"
    place = 0
    while value >= 999.5 and place < len(_PREFIXES) - 1:
        value, place = value / 1000, place + 1
    return f"{value:.3g} {_PREFIXES[place]}{unit}".strip()
