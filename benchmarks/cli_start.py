"""How long `vlpbench --help` takes, beside an empty Python, click alone and torch; and what it loads.

usage: python benchmarks/cli_start.py [ROUNDS]
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time

LIMIT = 0.4
"""Seconds that `vlpbench --help` may take."""
HEAVY = ("torch", "torchvision", "timm", "pandas", "sklearn", "scipy", "pyarrow", "matplotlib", "tokenizers", "PIL")
PROGRAMS = {
    "empty Python": ["-c", "pass"],
    "click alone": ["-c", "import click"],
    "vlpbench --help": ["-m", "vlpbench", "--help"],
    "torch": ["-c", "import torch"],
}
LOADED = """
import runpy, sys
sys.argv = ["vlpbench", "--help"]
try:
    runpy.run_module("vlpbench", run_name="__main__")
except SystemExit:
    print("\\n" + " ".join(sys.modules))
"""


def seconds(arguments: list[str]) -> float:
    """Wall seconds of one run of Python."""
    start = time.perf_counter()
    subprocess.run([sys.executable, *arguments], check=True, capture_output=True)
    return time.perf_counter() - start


def measure(rounds: int) -> dict[str, float]:
    """Median seconds of each program, all of them once a round, after one round that warms the disk."""
    for arguments in PROGRAMS.values():
        seconds(arguments)
    times = [{name: seconds(arguments) for name, arguments in PROGRAMS.items()} for _ in range(rounds)]
    return {name: statistics.median(each[name] for each in times) for name in PROGRAMS}


def loaded() -> list[str]:
    """The heavy packages that `vlpbench --help` imports."""
    done = subprocess.run([sys.executable, "-c", LOADED], check=True, capture_output=True, text=True)
    modules = set(done.stdout.splitlines()[-1].split())
    return [name for name in HEAVY if name in modules]


def main() -> int:
    """Print the table; exit 1 where the limit is broken or something heavy is loaded."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rounds", type=int, nargs="?", default=7, metavar="ROUNDS", help="how often each runs (7)")
    rounds = parser.parse_args().rounds
    medians, heavy = measure(rounds), loaded()
    ours = medians["vlpbench --help"]
    print(f"median of {rounds} rounds, seconds, and the share of `vlpbench --help`")
    for name, took in medians.items():
        print(f"  {name:18}{took:8.3f}{took / ours:8.2f}")
    print(f"heavy packages loaded: {', '.join(heavy) or 'none'}")
    print(f"limit {LIMIT} s: {'kept' if ours <= LIMIT else 'broken'}")
    return int(ours > LIMIT or bool(heavy))


if __name__ == "__main__":
    sys.exit(main())
