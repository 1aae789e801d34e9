"""Options of `vlpbench run` that say how: on what, how many at once, when to give up. None changes a number."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from vlpbench.runner.rules import Rules
from vlpbench.training.pace import Pace

__all__ = ["ON_CODE_CHANGE", "RESULTS", "how_cells_run", "how_many_run", "rules_of"]

RESULTS = click.option(
    "--results", "results", type=click.Path(path_type=Path, file_okay=False), default=Path("results"),
    show_default=True, metavar="DIR", help="Folder under which the grid gets a folder of its own name.",
)
ON_CODE_CHANGE = click.option(
    "--on-code-change", type=click.Choice(["warn", "rerun", "ignore"]), default="warn", show_default=True,
    help="Where code was changed without a new version since a record was made: name it, run it again, or be silent.",
)

_UNITS = {"": 1.0, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
_PART = re.compile(r"(\d+(?:\.\d+)?)\s*([a-z]*)")
_DURATION = re.compile(r"\d+(\.\d+)?|(\d+(\.\d+)?\s*(s|m|min|h|d)\s*)+")


class _Duration(click.ParamType[float]):
    """ "90", "90s", "15m", "2h", "1h30m": seconds."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Seconds; anything else is a usage error."""
        if isinstance(value, int | float):
            return float(value)
        said = str(value).strip().lower()
        if not _DURATION.fullmatch(said):
            self.fail(f"{value!r} is no duration; write 90s, 15m, 2h or 1h30m", param, ctx)
        return sum(float(number) * _UNITS[unit] for number, unit in _PART.findall(said))


_CHOICE = click.Choice(["auto", "always", "never"])

_CELL = (
    click.option(
        "--device", type=click.Choice(["auto", "cpu", "cuda"]), default="auto", show_default=True,
        help="Where cells run; auto takes the GPU where there is one.",
    ),
    click.option(
        "--workers", type=click.IntRange(min=0), default=0, metavar="N",
        help="Threads of each cell that make batches ahead of time: 2 or so on a GPU.",
    ),
    click.option(
        "--at-once", type=click.IntRange(min=0), default=0, metavar="N",
        help="Pictures, texts or questions asked at once while evaluating; 0 is each task's own.",
    ),
    click.option(
        "--checkpoint-every", "every", type=_Duration(), default=0.0, metavar="TIME",
        help="Between two checkpoints of a training (30s, 10m); by default the longer of a minute and 50 times "
             "what writing one takes.",
    ),
    click.option(
        "--compile", "compiled", type=_CHOICE, default="auto", show_default=True,
        help="Whether training steps are compiled; auto does on a GPU where it pays.",
    ),
    click.option(
        "--resident", type=_CHOICE, default="auto", show_default=True,
        help="Whether all pictures lie in the GPU's memory; auto where they take half of what is free at most.",
    ),
    click.option(
        "--recompute", is_flag=True,
        help="Compute each layer again in the backward pass: less memory, a third more work.",
    ),
    click.option(
        "--shard", "sharded", is_flag=True,
        help="Under torchrun, let each process keep a part of the weights (FSDP2) instead of all of them (DDP).",
    ),
    click.option(
        "--pack/--no-pack", "pack", default=None,
        help="Train cells that differ by their seed alone as one model, and let small ones share a GPU; by default on "
             "a GPU alone, where it pays.",
    ),
)

_GRID = (
    click.option(
        "--jobs", type=click.IntRange(min=0), default=0, metavar="N",
        help="Processes at once; 0 is one a core on a CPU, and one in each slot of each GPU.",
    ),
    click.option(
        "--slots-per-gpu", "each", type=click.IntRange(min=1), metavar="K",
        help="Processes at once on one GPU; by default as many as it was measured to gain by.",
    ),
    click.option("--timeout", "seconds", type=_Duration(), default=0.0, metavar="TIME",
                 help="Time limit of a cell; several that train as one have as many times that."),
    click.option(
        "--memory", type=click.FloatRange(min=0), default=0.0, metavar="GIB",
        help="Most memory of a cell; by default one is ended only when the machine has none left.",
    ),
    click.option(
        "--retries", type=click.IntRange(min=0), default=0, metavar="N",
        help="How often a cell that fails is tried again in this run, from its last checkpoint.",
    ),
    click.option("--max-failures", "most", type=click.IntRange(min=0), default=0, metavar="N",
                 help="Stop after so many failures; 0 goes on to the end."),
    click.option("--fail-fast", is_flag=True, help="Stop after the first failure: --max-failures 1."),
    click.option("--launcher", default="local", show_default=True, metavar="NAME",
                 help="Where cells run; plugins bring others."),
)

Command = Callable[..., Any]


def how_cells_run(command: Command) -> Command:
    """The options of a cell, whoever starts it."""
    return _with(command, _CELL)


def how_many_run(command: Command) -> Command:
    """The options of a grid: those of its cells, and how many of them run when."""
    return _with(command, (*_CELL, *_GRID))


def _with(command: Command, options: tuple[Callable[[Command], Command], ...]) -> Command:
    for option in reversed(options):
        command = option(command)
    return command


_PACE = ("workers", "at_once", "every", "compiled", "resident", "recompute", "sharded")


def rules_of(device: str, **more: Any) -> Rules:
    """What the options say."""
    pace = Pace(**{name: more.pop(name) for name in _PACE})
    if more.pop("fail_fast", False):
        more["most"] = 1
    more["memory"] = more.get("memory", 0.0) * 2**30
    more["each"] = more.get("each") or 0
    return Rules(device=device, pace=pace, **more)
