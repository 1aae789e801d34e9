"""Processes that wait for jobs: started when first needed, asked by folders, ended with the process that asks.

A job is a folder with `job.json`; the answer of rank r is `answerR.json` in it. Nothing is pickled.
"""

from __future__ import annotations

import atexit
import json
import os
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

__all__ = ["Crew", "crew", "serve"]

_PATIENCE = 120.0
"""Seconds that an answer may take."""


def serve(answer: Callable[[dict[str, Any], Path, int], dict[str, Any]]) -> None:
    """In the worker: answer jobs until there are no more. The rank is the first argument of the command line."""
    rank = int(sys.argv[1])
    for line in sys.stdin:
        folder = Path(line.strip())
        job = json.loads((folder / "job.json").read_text(encoding="utf-8"))
        sys.path.extend(entry for entry in job["path"] if entry not in sys.path)
        try:
            told = answer(job, folder, rank)
        except BaseException as wrong:  # noqa: BLE001 (a stranger's code may raise anything, or call sys.exit)
            told = {"error": f"{type(wrong).__name__}: {wrong}", "traceback": traceback.format_exc()}
        unfinished = folder / f"answer{rank}.part"
        unfinished.write_text(json.dumps(told), encoding="utf-8")
        unfinished.rename(folder / f"answer{rank}.json")


class Crew:
    """Some worker processes of one module, with one thread each."""

    def __init__(self, module: str, many: int) -> None:
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        self.workers = [
            subprocess.Popen(
                [sys.executable, "-m", module, str(rank)], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL, env=environment, text=True,
            )
            for rank in range(many)
        ]
        atexit.register(self.dismiss)

    def ask(self, job: Mapping[str, Any], folder: Path) -> list[dict[str, Any]]:
        """The answers of all ranks; RuntimeError if one ends or does not answer in time."""
        said = json.dumps({**job, "path": [entry for entry in sys.path if entry]})
        (folder / "job.json").write_text(said, encoding="utf-8")
        for worker in self.workers:
            assert worker.stdin is not None
            worker.stdin.write(f"{folder}\n")
            worker.stdin.flush()
        end = time.monotonic() + _PATIENCE
        files = [folder / f"answer{rank}.json" for rank in range(len(self.workers))]
        while not all(file.exists() for file in files):
            if time.monotonic() > end or any(worker.poll() is not None for worker in self.workers):
                self.dismiss()
                raise RuntimeError("a process of the kit ended, or gave no answer in time")
            time.sleep(0.005)
        return [json.loads(file.read_text(encoding="utf-8")) for file in files]

    def dismiss(self) -> None:
        """End the processes."""
        crew.cache_clear()
        for worker in self.workers:
            if worker.poll() is None:
                worker.kill()
            worker.wait()
            if worker.stdin is not None and not worker.stdin.closed:
                worker.stdin.close()


@cache
def crew(module: str, many: int) -> Crew:
    """The crew of this module, started when first asked for."""
    return Crew(module, many)
