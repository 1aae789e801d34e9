"""From a cell to one task of it: what was pretrained, what may be opened, and where the fine-tune is kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from torch import Tensor

from vlpbench.config.settings import Protocol
from vlpbench.contract.objective import Objective
from vlpbench.data.splits import Split
from vlpbench.records import StageFolder
from vlpbench.runner.pretraining import Pretrained
from vlpbench.runner.workbench import Purpose, Workbench
from vlpbench.tasks.trial import Plan, Trial
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
    protocol = bench.settings.protocol.get(task, Protocol())
    open_one: Callable[[str, Purpose], Split] = lambda name, purpose: bench.split(  # noqa: E731
        protocol.data, name, purpose, bench.settings.blind
    )
    return Trial(
        task=task,
        settings=bench.settings,
        protocol=protocol,
        open_split=open_one,
        tokenizer=bench.tokenizer,
        blueprint=bench.blueprint if plan is None else plan,
        weights=pretrained.weights,
        visible=bench.visible,
        device=bench.device,
        heard=heard,
        matcher=_matcher(bench, pretrained.heads),
        splits=bench.dataset(protocol.data).splits() if protocol.data else (),
        trains=bench.trains,
        kept=kept,
        answered=answered,
        pace=bench.pace,
    )


def _matcher(bench: Workbench, heads: Mapping[str, Tensor]) -> Callable[[Spec], Objective] | None:
    """The first objective of the sum that trained a matching head, as pretraining left it."""
    plan = next((plan for plan in bench.terms if "match" in plan.objective.trains), None)
    if plan is None or not heads:
        return None
    start = f"{plan.objective.name}."
    own = {name.removeprefix(start): value for name, value in heads.items() if name.startswith(start)}

    def build(spec: Spec) -> Objective:
        head = plan.objective(plan.config, spec)
        head.load_state_dict(own)
        return head

    return build
