"""A process that waits for jobs: started when first needed, asked by folders, ended with the process that asks.

A job is a folder with `job.json`; the answer of rank r is `answerR.json` in it. Nothing is pickled. The process has
loaded all that jobs need and done nothing yet; each rank of each job is a fork of it, so that every job is its first.
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

_WORKER = "vlpbench.testing.worker"

Answer = Callable[[dict[str, Any], Path, int], dict[str, Any]]
"""(job, its folder, rank) -> what is told."""


def serve(answers: Mapping[str, Answer]) -> None:
    """In the worker: answer jobs until there are no more; `answers` by what a job says under "do"."""
    for line in sys.stdin:
        folder = Path(line.strip())
        job = json.loads((folder / "job.json").read_text(encoding="utf-8"))
        children = {rank: _forked(job, folder, rank, answers[job["do"]]) for rank in range(job["ranks"])}
        for rank, child in children.items():
            code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
            if code:
                _write(folder, rank, {"error": f"the process ended with code {code}"})


def _forked(job: dict[str, Any], folder: Path, rank: int, answer: Answer) -> int:
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        sys.path.extend(entry for entry in job["path"] if entry not in sys.path)
        _write(folder, rank, _told(job, folder, rank, answer))
        code = 0
    finally:
        os._exit(code)


def _told(job: dict[str, Any], folder: Path, rank: int, answer: Answer) -> dict[str, Any]:
    try:
        return answer(job, folder, rank)
    except BaseException as wrong:  # noqa: BLE001 (a stranger's code may raise anything, or call sys.exit)
        return {"error": f"{type(wrong).__name__}: {wrong}", "traceback": traceback.format_exc()}


def _write(folder: Path, rank: int, told: Mapping[str, Any]) -> None:
    unfinished = folder / f"answer{rank}.part"
    unfinished.write_text(json.dumps(told), encoding="utf-8")
    unfinished.rename(folder / f"answer{rank}.json")


class Crew:
    """The worker process of a module, with one thread; it hashes strings otherwise than a process usually does."""

    def __init__(self, module: str) -> None:
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        environment["PYTHONHASHSEED"] = "1"
        self.worker = subprocess.Popen(
            [sys.executable, "-m", module], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, env=environment, text=True,
        )
        atexit.register(self.dismiss)

    def ask(self, do: str, ranks: int, job: Mapping[str, Any], folder: Path) -> list[dict[str, Any]]:
        """The answers of all ranks; RuntimeError if the process ends or does not answer in time."""
        said = {**job, "do": do, "ranks": ranks, "path": [entry for entry in sys.path if entry]}
        (folder / "job.json").write_text(json.dumps(said), encoding="utf-8")
        assert self.worker.stdin is not None
        self.worker.stdin.write(f"{folder}\n")
        self.worker.stdin.flush()
        end = time.monotonic() + _PATIENCE
        files = [folder / f"answer{rank}.json" for rank in range(ranks)]
        while not all(file.exists() for file in files):
            if time.monotonic() > end or self.worker.poll() is not None:
                self.dismiss()
                raise RuntimeError("the kit's second process ended, or gave no answer in time")
            time.sleep(0.005)
        return [json.loads(file.read_text(encoding="utf-8")) for file in files]

    def dismiss(self) -> None:
        """End the process."""
        crew.cache_clear()
        if self.worker.poll() is None:
            self.worker.kill()
        self.worker.wait()
        if self.worker.stdin is not None and not self.worker.stdin.closed:
            self.worker.stdin.close()


@cache
def crew(module: str = _WORKER) -> Crew:
    """The crew of a module, started when first asked for; who will need it soon asks for it early."""
    return Crew(module)
