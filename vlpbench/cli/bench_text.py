"""What `vlpbench bench` found, as lines that a person likes to read: the rate first, then where the time goes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from vlpbench.cli.sizes import size
from vlpbench.config.settings import CellSettings
from vlpbench.training.account import Account

__all__ = ["account_lines", "account_told", "speed_lines"]

_HALF = 2
"""Bytes of a number in bf16."""
_STEPS = {"loader_seconds": "batches alone", "step_seconds": "the step alone", "both_seconds": "both together"}


def speed_lines(found: Mapping[str, Any]) -> Iterator[str]:
    """`Speeds.told()` as text."""
    compiled = "compiled" if found["compiled"] else "not compiled"
    yield f"{found['objective']} on {found['backbone']}, inputs {found['inputs']}"
    yield f"{_samples(found)} a step, {found['precision']}, {compiled}, on {found['device']}"
    yield ""
    for name, told in _rates(found):
        yield f"{name:18}{told}"
    yield ""
    yield from _table(["time of a step", "median", "quartiles", "counted"], [
        [name, _time(one["median"]), f"{_time(one['low'])} to {_time(one['high'])}", f"{one['count']}"]
        for key, name in _STEPS.items()
        for one in [found[key]]
    ])
    yield ""
    yield from _table(["part", "time", "share", "GFLOP", "FLOP/s", "weights"], list(_parts(found["parts"])))
    if any(part["seconds"] is None for part in found["parts"].values()):
        yield "no part was timed: a whole batch's step, not cut into micro-batches, does not fit into memory"
    elif found["compiled"]:
        yield "parts are those of a step that is not compiled"


def _rates(found: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if found["pairs"]:
        fed = _short(found["fed_pairs_per_second"])
        yield "pairs a second", f"{_short(found['pairs_per_second'])}; {fed} with feeding"
        yield "images a second", _short(found["images_per_second"])
    if found["texts"]:
        yield "texts a second", _short(found["texts_per_second"])
    peak = _rate(found["peak_tflops"] * 1e12)
    yield "FLOP a second", f"{_rate(found['tflops'] * 1e12)}, {found['share_of_peak']:.0%} of {peak} (measured here)"
    lasting = found["bytes"]
    yield "memory", (
        f"{size(found['peak_bytes'])} at most; weights {size(lasting['weights'])}, gradients "
        f"{size(lasting['gradients'])}, optimiser {size(lasting['optimiser'])}"
    )
    later = found["start_seconds"] - found["first_step_seconds"]
    more = f", and {_time(later)} more until steps were as fast as below" if later > found["first_step_seconds"] else ""
    yield "first step", f"{_time(found['first_step_seconds'])}{more}"


def _parts(parts: Mapping[str, Mapping[str, Any]]) -> Iterator[list[str]]:
    whole = sum(part["seconds"] or 0.0 for part in parts.values())
    for name, part in parts.items():
        spent = part["seconds"]
        timed = ["-", "-"] if spent is None else [_time(spent), f"{spent / whole:.0%}"]
        speed = _rate(part["flops"] / spent) if spent and part["flops"] else "-"
        work = [_short(part["flops"] / 1e9), speed] if part["flops"] else ["-", "-"]
        yield [name, *timed, *work, f"{part['weights']:,}" if part["weights"] else "-"]


def account_told(settings: CellSettings, counted: Account, peak: float, bandwidth: float) -> dict[str, Any]:
    """What `--account` found as one JSON object; FLOP and bytes a second say what the roofline is of."""
    parts = {**counted.parts, "optimiser": counted.optimiser}
    each = {
        name: {
            "forward_flops": work.forward, "backward_flops": work.backward, "flops": work.flops,
            "weights": work.weights, "moved_bytes": work.moved * _size(name),
            "roofline_seconds": work.seconds(peak, bandwidth, _size(name)),
        }
        for name, work in parts.items()
    }
    least = sum(one["roofline_seconds"] for one in each.values())
    return {
        "objective": settings.objective, "backbone": settings.backbone, "samples": counted.samples,
        "pixels": settings.image.size, "tokens": settings.text.length, "vocabulary": settings.text.vocabulary,
        "flops_per_step": counted.flops, "flops_per_sample": counted.flops / counted.samples,
        "parameters": counted.weights, "bytes": counted.bytes(), "peak_tflops": peak / 1e12,
        "bandwidth": bandwidth, "samples_per_second_at_peak": counted.samples * peak / counted.flops,
        "samples_per_second_roofline": counted.samples / least, "parts": each,
    }


def _size(part: str) -> int:
    """Bytes of a number that a part moves: the optimiser's are fp32, the others' bf16."""
    return 4 if part == "optimiser" else _HALF


def account_lines(told: Mapping[str, Any]) -> Iterator[str]:
    """`account_told` as text; work is that of one sample."""
    many = told["samples"]
    shape = f"{told['pixels']} pixels, {told['tokens']} tokens a text, {told['vocabulary']:,} words"
    yield f"{told['objective']} on {told['backbone']}: {shape}, {many} samples a step"
    yield ""
    rows = [
        [name, _short(part["forward_flops"] / many / 1e9), _short(part["flops"] / many / 1e9),
         f"{part['flops'] / told['flops_per_step']:.0%}", f"{part['weights']:,}",
         _short(part["moved_bytes"] / many / 1e6), _time(part["roofline_seconds"] / many)]
        for name, part in told["parts"].items()
        if part["flops"] or part["weights"] or name == "optimiser"
    ]
    whole = told["flops_per_sample"] / 1e9
    forward = sum(part["forward_flops"] for part in told["parts"].values()) / many / 1e9
    moved = sum(part["moved_bytes"] for part in told["parts"].values()) / many / 1e6
    rows.append(["together", _short(forward), _short(whole), "100%", f"{told['parameters']:,}", _short(moved),
                 _time(1 / told["samples_per_second_roofline"])])
    head = ["a sample's", "forward GFLOP", "training GFLOP", "share", "weights", "moved MB", "roofline"]
    yield from _table(head, rows)
    yield ""
    lasting = told["bytes"]
    yield (f"memory    weights {size(lasting['weights'])}, gradients {size(lasting['gradients'])}, optimiser "
           f"{size(lasting['optimiser'])}; activations come on top")
    yield (f"at most   {_short(told['samples_per_second_at_peak'])} samples a second by the matrix products alone at "
           f"{told['peak_tflops']:g} TFLOP/s")
    yield (f"roofline  {_short(told['samples_per_second_roofline'])} a second, memory at {told['bandwidth'] / 1e12:g} "
           "TB/s and nothing fused")


def _samples(found: Mapping[str, Any]) -> str:
    said = [f"{found[kind]} {kind}" for kind in ("pairs", "texts") if found[kind]]
    cut = f", {found['micro_batch']} at once" if found["micro_batch"] else ""
    return " and ".join(said) + cut


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Columns aligned: names to the left, numbers to the right."""
    lines = [head, *rows]
    first, *widths = (max(map(len, column)) for column in zip(*lines, strict=True))
    for name, *entries in lines:
        yield "  ".join([name.ljust(first), *(one.rjust(width) for one, width in zip(entries, widths, strict=True))])


def _short(number: float) -> str:
    """Three digits, thousands set off: 1,512, 24.1, 0.0072."""
    return f"{number:,.0f}" if number >= 100 else f"{number:.3g}"


def _rate(flops: float) -> str:
    """FLOP a second: 31 GFLOP/s, 318 TFLOP/s."""
    return f"{_short(flops / 1e12)} TFLOP/s" if flops >= 1e12 else f"{_short(flops / 1e9)} GFLOP/s"


def _time(seconds: float) -> str:
    """12.3 s, 289 ms, 0.36 ms, 3.5 us."""
    if seconds >= 1:
        return f"{_short(seconds)} s"
    return f"{_short(seconds * 1e3)} ms" if seconds >= 1e-4 or not seconds else f"{_short(seconds * 1e6)} us"
