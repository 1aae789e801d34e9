"""From a cell to one task of it: what was pretrained, what may be opened, and where the fine-tune is kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import get_args

from torch import Tensor

from vlpbench.config.measured import extra_metrics
from vlpbench.config.settings import Protocol
from vlpbench.contract.objective import Objective
from vlpbench.data.splits import Split
from vlpbench.records import StageFolder
from vlpbench.runner.pretraining import Pretrained, weights_under
from vlpbench.runner.task_size import plan_at, settings_at
from vlpbench.runner.workbench import Purpose, TermPlan, Workbench
from vlpbench.tasks.extra import extras_of
from vlpbench.tasks.trial import Head, Plan, Trial
from vlpbench.training.loop import Heard
from vlpbench.types import Spec

__all__ = ["trial_of"]

_NOTHING = Pretrained({}, {}, {})


def trial_of(
    bench: Workbench,
    task: str,
    pretrained: Pretrained = _NOTHING,
    kept: StageFolder | None = None,
    heard: Heard | None = None,
    plan: Plan | None = None,
    answered: StageFolder | None = None,
) -> Trial:
    """One task of a cell, starting from what was pretrained; `plan` stands in for that of the cell's own backbone."""
    protocol, size = bench.settings.protocol.get(task, Protocol()), bench.size_of(task)
    open_one: Callable[[str, Purpose], Split] = lambda name, purpose: bench.split(  # noqa: E731
        protocol.data, name, purpose, bench.settings.blind, size=size
    )
    return Trial(
        task=task,
        settings=settings_at(bench, task),
        protocol=protocol,
        open_split=open_one,
        tokenizer=bench.tokenizer,
        blueprint=plan_at(bench, task) if plan is None else plan,
        weights=pretrained.weights,
        visible=bench.visible,
        device=bench.device,
        heard=heard,
        heads=_heads(bench, pretrained),
        splits=bench.dataset(protocol.data).splits() if protocol.data else (),
        trains=bench.trains,
        kept=kept,
        answered=answered,
        pace=bench.pace,
        extras=extras_of(extra_metrics(protocol), bench.registry),
    )


def _heads(bench: Workbench, pretrained: Pretrained) -> dict[Head, Callable[[Spec], Objective]]:
    """The first objective of the sum that trained each head, as pretraining left it; none where nothing was pretrained.

    An objective need own no weights: its similarity may compare what the backbone makes.
    """
    if not pretrained.weights:
        return {}
    found: dict[Head, Callable[[Spec], Objective]] = {}
    for plan in reversed(bench.terms):
        for name in get_args(Head):
            if name in plan.objective.trains:
                found[name] = partial(_left, plan, pretrained.heads, bench.settings.seed)
    return found


def _left(plan: TermPlan, heads: Mapping[str, Tensor], seed: int, spec: Spec) -> Objective:
    """An objective with the weights that pretraining left it."""
    objective = plan.build(spec, seed)
    objective.load_state_dict(weights_under(heads, f"{plan.objective.name}."))
    return objective
