"""Two sides measured in one process in the same minutes, and what came out: as text, as JSON, as a table of markdown.

What the scripts beside it share: a call is timed by events on a GPU and by the wall or the processor's clock on a CPU,
sides take turns and their order changes from round to round, medians are compared, a limit is held against a ratio.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel

from vlpbench.device import Device, environment, prepare_process
from vlpbench.files import write_json
from vlpbench.training.cost import counted_flops

NOT_HERE = 2
"""Exit code where the device that was asked for is not there."""


@dataclass(frozen=True)
class Line:
    """One comparison."""

    what: str
    """What is compared with what."""
    unit: str
    """Of both sides."""
    ours: float
    """Our side."""
    theirs: float
    """The other side, or the limit of the device."""
    ratio: float
    """How many times as good ours is; where `most` holds, which share of the other side's time it takes."""
    limit: float | None = None
    """What the ratio is held against; None only reports."""
    most: bool = False
    """Whether the limit is the most that the ratio may be; else it is the least."""
    beside: Mapping[str, Any] = field(default_factory=dict)
    """What else was measured."""

    @property
    def kept(self) -> bool:
        """Whether the limit is kept; True where there is none."""
        return self.limit is None or (self.ratio <= self.limit if self.most else self.ratio >= self.limit)

    @property
    def verdict(self) -> str:
        """The limit in words."""
        if self.limit is None:
            return "no limit"
        return f"{'at most' if self.most else 'at least'} {self.limit:g}: {'kept' if self.kept else 'BROKEN'}"

    def cells(self) -> tuple[str, ...]:
        """The cells of a table's row."""
        return (self.what, f"{short(self.ours)} {self.unit}", f"{short(self.theirs)} {self.unit}",
                f"{self.ratio:.3g}", self.verdict)


def short(number: float) -> str:
    """Three digits that mean something, and no exponent."""
    return f"{number:,.0f}" if abs(number) >= 1000 else f"{number:.3g}"


def markdown(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def arguments(doc: str, rounds: int) -> argparse.ArgumentParser:
    """The options that all scripts have."""
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cpu", choices=["cpu", "cuda"])
    parser.add_argument("--threads", type=int, default=1, help="of a CPU (default 1, as a cell has)")
    parser.add_argument("--clock", default="wall", choices=["wall", "cpu"], help="cpu: processor seconds, for a "
                        "machine that others use at the same time")
    parser.add_argument("--rounds", type=int, default=rounds, help=f"how often each side runs (default {rounds})")
    parser.add_argument("--json", type=Path, metavar="FILE", help="where the results are written, too")
    return parser


def begin(asked: argparse.Namespace) -> Device:
    """Prepare this process; ends it with code 2 where the GPU that was asked for is not there."""
    if asked.device == "cuda" and not torch.cuda.is_available():
        print("no CUDA device here", file=sys.stderr)
        raise SystemExit(NOT_HERE)
    if asked.device == "cuda" and asked.clock == "cpu":
        print("--clock cpu says nothing about a GPU", file=sys.stderr)
        raise SystemExit(NOT_HERE)
    device = Device(asked.device)
    prepare_process(device)
    if asked.device == "cpu":
        torch.set_num_threads(asked.threads)
    torch.manual_seed(0)
    return device


def machine(device: Device) -> dict[str, str]:
    """What the results hang on: the device's model, versions, and how busy the processor is with others' work."""
    found = dict(environment(device))
    model = found["device"] if device.kind == "cuda" else found["processor"]
    load = f"{os.getloadavg()[0]:.1f} of {os.cpu_count()} cores wanted" if hasattr(os, "getloadavg") else ""
    return {"model": model, **found, "load": load}


def finish(lines: Sequence[Line], asked: argparse.Namespace, device: Device, **facts: Any) -> int:
    """Print all lines, write them where asked for; 1 where a limit is broken, else 0."""
    here = machine(device)
    print(f"\n{here['model']}, torch {here['torch']}, {here['load']}")
    print(markdown(("what", "ours", "theirs", "ratio", "limit"), (line.cells() for line in lines)), end="", flush=True)
    if asked.json is not None:
        said = {name: str(value) if isinstance(value, Path) else value for name, value in vars(asked).items()}
        told = [{**asdict(line), "kept": line.kept} for line in lines]
        script = Path(sys.argv[0]).name
        write_json(asked.json, {"script": script, "machine": here, "asked": said, "lines": told, **facts})
    return int(not all(line.kept for line in lines))


class Timer:
    """Seconds of calls; on a GPU between stamps, read when all is done, so that the host waits for no call."""

    def __init__(self, device: Device, clock: str = "wall") -> None:
        self.device, self.processor = device, clock == "cpu"
        self._stamps: list[tuple[Any, Any]] = []

    def run(self, call: Callable[[], Any]) -> None:
        """Make a call and note how long it takes."""
        stamp = time.process_time if self.processor else self.device.stamp
        start = stamp()
        call()
        self._stamps.append((start, stamp()))

    def seconds(self) -> list[float]:
        """Of every call so far."""
        return [end - start if self.processor else self.device.elapsed(start, end) for start, end in self._stamps]


def clock_of(device: Device, clock: str) -> Callable[[], float]:
    """Tells the seconds of the wall, after all queued work, or of the processor."""
    return time.process_time if clock == "cpu" else device.seconds


def alternate(
    sides: Mapping[str, Callable[[], Any]], rounds: int, device: Device, clock: str = "wall", warm: int = 1
) -> dict[str, list[float]]:
    """Seconds of each side in every round, after `warm` calls that do not count; every second round runs backwards."""
    timers = {name: Timer(device, clock) for name in sides}
    for side in sides.values():
        for _ in range(warm):
            side()
    for number in range(rounds):
        for name in list(sides)[:: -1 if number % 2 else 1]:
            timers[name].run(sides[name])
    return {name: timer.seconds() for name, timer in timers.items()}


def middle(numbers: Sequence[float]) -> float:
    """The median."""
    return statistics.median(numbers)


def spread(seconds: Sequence[float]) -> float:
    """The middle half's width as a share of the median; 0 where there are too few."""
    if len(seconds) < 4:
        return 0.0
    quarters = statistics.quantiles(seconds, n=4)
    return (quarters[2] - quarters[0]) / statistics.median(seconds)


def median_ratio(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """How many times as long theirs takes: the median over rounds, since both sides of a round met the same load."""
    return statistics.median(their / our for our, their in zip(ours, theirs, strict=True))


def operations(call: Callable[[], Any]) -> int:
    """Floating-point operations of a call, one rule for whoever makes it.

    Attention goes the plain way, whose products are counted as what they are: fused kernels compute some of them again
    in the backward pass, and not every kernel has a rule in torch's counter.
    """
    with sdpa_kernel(SDPBackend.MATH), counted_flops() as flops:
        call()
    return flops()


def peak_of(device: Device, clock: str) -> float:
    """TFLOP/s of the fastest square matrix product, by the clock that the sides are timed with."""
    if clock != "cpu":
        return device.matmul_peak() / 1e12
    best = 0.0
    for side in (512, 1024):
        left, right = torch.randn(side, side), torch.randn(side, side)
        into = torch.empty_like(left)
        sides = {"product": lambda left=left, right=right, into=into: torch.mm(left, right, out=into)}
        best = max(best, 2 * side**3 / min(alternate(sides, 20, device, clock)["product"]) / 1e12)
    return best
