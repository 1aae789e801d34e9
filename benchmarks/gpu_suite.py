"""As many of the speed claims as fit into some minutes, most important first; called again, it goes on.

usage: python benchmarks/gpu_suite.py --minutes M [--out DIR] [--only NAME,NAME] [--list] [--again]
       python benchmarks/gpu_suite.py --device cpu --small --minutes 3       (to try it)

First the claims, in the order of what matters most, then the table of the share of the peak: every size, stem and
trunk. Each runs in a process of its own with a limit of its own, so one that hangs or crashes costs its own time alone.
What has finished on this model of device is kept, one JSON file a claim, whole or not at all, under DIR/claims; what
failed is tried again after all that was never tried. After every claim DIR/results.json and DIR/table.md are written
anew. Exit 1 where a limit is broken.

It runs from a checkout without an installation (`cd` there; the scripts find vlpbench beside them) and needs torch,
numpy, timm, psutil and Pillow; transformers for what is compared with its models, tokenizers for texts, pydantic for
re-ranking alone, and neither pycocotools nor pycocoevalcap, since no grid is read. What cannot run is told first, and
why: every script is imported in a process of its own before anything is measured.

--wheels: where a machine reaches no registry, carry what it lacks. Beforehand `pip download --no-deps
--only-binary=:all: --python-version 3.12 --platform manylinux_2_28_x86_64 --platform manylinux_2_17_x86_64 -d wheels
pydantic pydantic_core annotated_types typing_inspection open_clip_torch ftfy wcwidth simplejpeg`; there
`pip install --no-index --no-deps --target site wheels/*.whl`, and PYTHONPATH=site before the script's name.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from claims import CLAIMS, NO_JSON, Claim, page, table_of_peaks

HERE = Path(__file__).resolve().parent
LEAST = {"cuda": 60, "cpu": 20}
"""Seconds that must be left for another claim to be begun."""
MEASURED, NOT_HERE = (0, 1), 2
"""Exit codes of a script that measured, 1 where a limit is broken; that of one whose device is not there."""
LOOK = """
import importlib, json, sys
sys.path.insert(0, "")
broken = {}
for name in sys.argv[3:]:
    try: importlib.import_module(name)
    except Exception as error: broken[name] = f"{type(error).__name__}: {error}"
try:
    from side_by_side import machine
    from vlpbench.device import Device
    here = machine(Device.choose(sys.argv[2]))
except Exception as error:
    here = {}
    print(f"{type(error).__name__}: {error}", file=sys.stderr)
open(sys.argv[1], "w").write(json.dumps({"broken": broken, "machine": here}))
"""


def environment() -> dict[str, str]:
    """What children are given: vlpbench beside the scripts is found."""
    before = [one for one in os.environ.get("PYTHONPATH", "").split(os.pathsep) if one]
    return {**os.environ, "PYTHONPATH": os.pathsep.join([*before, str(HERE.parent)]), "PYTHONUNBUFFERED": "1"}


def looked_around(claims: Sequence[Claim], device: str) -> tuple[dict[str, str], dict[str, str]]:
    """This machine, empty where it has no such device; and claim -> why it cannot run here.

    A child imports each script, so that what is missing is found out and not guessed.
    """
    scripts = sorted({claim.script for claim in claims})
    with tempfile.TemporaryDirectory() as folder:
        told = Path(folder) / "told.json"
        words = [sys.executable, "-c", LOOK, str(told), device, *scripts]
        subprocess.run(words, cwd=HERE, env=environment(), stdout=subprocess.DEVNULL, check=False)
        found = read(told)
    broken = found.get("broken", dict.fromkeys(scripts, "the process that imported the scripts ended"))
    why = {}
    for claim in claims:
        if claim.script in broken:
            why[claim.name] = f"{claim.script}.py cannot be imported: {broken[claim.script]}"
        elif claim.wants and not any(importlib.util.find_spec(one) for one in claim.wants):
            why[claim.name] = f"needs {' or '.join(claim.wants)}, which is not installed"
    return found.get("machine", {}), why


def write(path: Path, text: str) -> None:
    """A file, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    beside.write_text(text, encoding="utf-8")
    beside.replace(path)


def read(path: Path) -> dict[str, Any]:
    """What a file holds; nothing where it is not there or is damaged."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


class Suite:
    """The folder of results, and what is in it."""

    def __init__(self, out: Path, machine: Mapping[str, str], asked: argparse.Namespace) -> None:
        self.out, self.machine, self.asked = out, machine, asked
        self.failed: dict[str, dict[str, Any]] = {}

    def path(self, claim: Claim, ending: str = "json") -> Path:
        """A file of a claim's."""
        return self.out / "claims" / f"{claim.name}.{ending}"

    def result(self, claim: Claim) -> dict[str, Any]:
        """What was measured on this model of device and in this size; nothing where it was not."""
        found = read(self.path(claim))
        same = found.get("machine", {}).get("model") == self.machine["model"] and found.get("small") == self.asked.small
        return found if same else {}

    def tries(self, claim: Claim) -> int:
        """How often it has failed."""
        return int(read(self.path(claim, "failed.json")).get("tries", 0))

    def run(self, claim: Claim, seconds: float) -> None:
        """Run a claim for so many seconds at most and keep what it leaves."""
        made, log = self.path(claim, "new.json"), self.path(claim, "log")
        made.parent.mkdir(parents=True, exist_ok=True)
        script, *said = (claim.small if self.asked.small else claim.said).split()
        words = [sys.executable, str(HERE / f"{script}.py"), *said]
        words += ["--device", self.asked.device, *([] if script in NO_JSON else ["--json", str(made)])]
        start = time.monotonic()
        with log.open("w", encoding="utf-8") as file:
            child = subprocess.Popen(words, cwd=self.out, env=environment(), stdout=file, stderr=subprocess.STDOUT,
                                     start_new_session=True)
            try:
                code: int | None = child.wait(seconds)
            except subprocess.TimeoutExpired:
                code = None
            finally:
                if child.poll() is None:  # out of time, or this process is being ended
                    os.killpg(child.pid, signal.SIGKILL)
                    child.wait()
        took, tail = time.monotonic() - start, log.read_text(encoding="utf-8", errors="replace")[-3000:]
        found = {"machine": dict(self.machine), "lines": []} if script in NO_JSON else read(made)
        if code in MEASURED and found:
            more = {"claim": claim.name, "small": self.asked.small, "exit": code, "seconds": took, "printed": tail}
            write(self.path(claim), json.dumps(found | more, indent=1))
            self.path(claim, "failed.json").unlink(missing_ok=True)
        else:
            early = "" if seconds >= 60 * claim.minutes else ", as the time of all was up"
            why = f"stopped after {took:.0f} s{early}" if code is None else f"ended with code {code}"
            told = {"claim": claim.name, "tries": self.tries(claim) + 1, "why": why, "seconds": took, "printed": tail}
            write(self.path(claim, "failed.json"), json.dumps(told, indent=1))
        made.unlink(missing_ok=True)

    def told(self, claims: Sequence[Claim], why: Mapping[str, str]) -> bool:
        """Write what there is so far; whether no limit is broken."""
        results = {claim.name: found for claim in claims if (found := self.result(claim))}
        failed = {claim.name: found for claim in claims if (found := read(self.path(claim, "failed.json")))}
        plain = {"machine": dict(self.machine), "small": self.asked.small, "claims": list(results.values()),
                 "failed": list(failed.values()), "cannot_run": dict(why)}
        write(self.out / "results.json", json.dumps(plain, indent=1))
        write(self.out / "table.md", page(claims, results, failed, why, self.machine))
        return all(found["exit"] == 0 for found in results.values())


def main(argv: Sequence[str] | None = None) -> int:
    """Run what fits; exit 1 where a limit is broken, 2 where the device is not there."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--out", type=Path, default=Path("gpu-suite"), help="folder of results (default ./gpu-suite)")
    parser.add_argument("--device", default="cuda", choices=["cpu", "cuda"])
    parser.add_argument("--small", action="store_true", help="the smallest settings, to try the suite itself")
    parser.add_argument("--only", default="", help="names of claims, divided by commas")
    parser.add_argument("--list", action="store_true", help="say what would run, and run nothing")
    parser.add_argument("--again", action="store_true", help="measure anew what is there already")
    asked = parser.parse_args(argv)
    end = time.monotonic() + 60 * asked.minutes
    claims = [*CLAIMS, *table_of_peaks(asked.small)]
    if asked.only:
        unknown = set(asked.only.split(",")) - {claim.name for claim in claims}
        if unknown:
            parser.error(f"no claim is called {', '.join(sorted(unknown))}; --list names them")
        claims = [claim for claim in claims if claim.name in asked.only.split(",")]
    machine, why = looked_around(claims, asked.device)
    if not machine:
        print(f"this machine has no {asked.device} device that torch sees", file=sys.stderr)
        return NOT_HERE
    print(f"{machine['model']}, torch {machine['torch']}; {len(claims)} claims", flush=True)
    for name, said in why.items():
        print(f"{name} cannot run here: {said}", flush=True)
    suite = Suite(asked.out.resolve(), machine, asked)
    open_ = [one for one in claims if one.name not in why and (asked.again or not suite.result(one))]
    for claim in sorted(open_, key=suite.tries):  # what failed comes after what was never tried
        left = end - time.monotonic()
        if asked.list or left < LEAST[asked.device]:
            print(f"{claim.name}: {'would run' if asked.list else 'no time is left; call again'}", flush=True)
            continue
        print(f"{claim.name}: begun, {left / 60:.1f} minutes left", flush=True)
        suite.run(claim, min(60 * claim.minutes, left))
        suite.told(claims, why)
        state = read(suite.path(claim, "failed.json")).get("why") or "measured"
        print(f"{claim.name}: {state}", flush=True)
    if asked.list:
        return 0
    kept = suite.told(claims, why)
    print(f"\n{(suite.out / 'table.md').read_text(encoding='utf-8')}", flush=True)
    return int(not kept)


if __name__ == "__main__":
    sys.exit(main())
