"""Checks that need another process: found again by name, light to import, and the same gradient from two."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from safetensors.torch import load_file
from torch import Tensor

from vlpbench.config.typed import plain
from vlpbench.testing.findings import CheckFailed, CheckSkipped
from vlpbench.testing.jobs import crew
from vlpbench.testing.learning import Study
from vlpbench.testing.objective_learning import compare_gradients
from vlpbench.testing.references import Reference
from vlpbench.testing.subject import Subject

__all__ = ["check_another_process", "check_light_import", "check_two_processes"]


def check_light_import(subject: Subject) -> None:
    """Importing its module loads nothing heavier than torch, reads no file, starts no GPU and reaches nothing."""
    with TemporaryDirectory() as folder:
        (told,) = crew().ask("import", 1, {"class": asdict(Reference.of(subject.cls))}, Path(folder))
    if "error" in told:
        cause = f"its module cannot be imported by another process: {told['error']}"
        raise CheckFailed(cause, "import all that it uses, and install it")
    for key, what in (("heavy", "loads"), ("files", "reads"), ("reached", "reaches out by")):
        if told[key]:
            cause = f"importing {subject.cls.__module__} {what} {', '.join(told[key][:5])}"
            raise CheckFailed(cause, "do it inside the function that needs it, not when the module is imported")


def check_another_process(subject: Subject) -> None:
    """Another process that knows class, settings and seed alone has the same loss and gradient."""
    _compare(subject, 1, "in another process")


def check_two_processes(subject: Subject) -> None:
    """Two processes with half of the samples each have the loss and gradient of the whole (1e-5)."""
    _compare(subject, 2, "in two processes")


def _compare(subject: Subject, many: int, how: str) -> None:
    study = Study.of(subject)
    whole = 2 * subject.group
    samples = min(len(batch) for batch in study.batches[0].values()) // whole * whole
    if subject.given is not None or samples == 0:
        raise CheckSkipped("own-batches")
    study.batches = [{kind: batch.rows(slice(0, samples)) for kind, batch in study.batches[0].items()}]
    expected = study.gradient()
    for rank, found in enumerate(_shares(subject, many, samples, how)):
        compare_gradients(expected, (found.pop("loss"), found), f"{how} (as process {rank + 1} has it)")


def _shares(subject: Subject, many: int, samples: int, how: str) -> list[dict[str, Tensor]]:
    job: dict[str, Any] = {
        "samples": samples,
        "class": asdict(Reference.of(subject.cls)),
        "config": {name: plain(value) for name, value in vars(subject.config).items()},
        "trunks": [asdict(Reference.of(trunk)) for trunk in subject.trunks],
        "backbone": None if subject.make is None else asdict(Reference.of(subject.make)),
    }
    with TemporaryDirectory() as folder:
        for one in crew().ask("gradient", many, job, Path(folder)):
            if "error" in one:
                remedy = "each process has rows of its own: gather() what all must see; the class must be importable"
                raise CheckFailed(f"{how}, it failed with {one['error']}", remedy)
        return [load_file(Path(folder) / f"gradient{rank}.safetensors") for rank in range(many)]
