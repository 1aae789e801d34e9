"""All checks of objectives by name, and how to run them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from vlpbench.contract.objective import Objective
from vlpbench.contract.wiring import Trunk
from vlpbench.testing.fields import wanted_fields
from vlpbench.testing.findings import Check, Finding, ask, find
from vlpbench.testing.foundations import standing_on
from vlpbench.testing.jobs import crew
from vlpbench.testing.objective_abilities import check_abilities_declared, check_abilities_used
from vlpbench.testing.objective_backbones import check_each_backbone
from vlpbench.testing.objective_claims import check_sums, check_trains, check_visible
from vlpbench.testing.objective_costs import check_memory, check_speed
from vlpbench.testing.objective_facts import check_config_round_trip, check_metadata
from vlpbench.testing.objective_gradients import check_no_dead_head, check_teacher
from vlpbench.testing.objective_graph import check_quiet, check_static_graph
from vlpbench.testing.objective_grid import check_smoke_grid
from vlpbench.testing.objective_leaks import check_no_future_leak, check_no_label_leak
from vlpbench.testing.objective_learning import check_learns_by_heart, check_micro_batches
from vlpbench.testing.objective_numbers import (
    check_autocast,
    check_batch_of_one,
    check_eos_only,
    check_figures,
    check_finite_loss,
    check_one_word_texts,
    check_ragged_texts,
)
from vlpbench.testing.objective_processes import (
    check_another_process,
    check_light_import,
    check_two_processes,
)
from vlpbench.testing.objective_samples import check_order_of_samples, check_padding, check_samples_apart
from vlpbench.testing.objective_scores import check_match, check_similarity
from vlpbench.testing.objective_state import (
    check_batch_left_alone,
    check_state_round_trip,
    check_state_written_in_after_step,
)
from vlpbench.testing.objective_surgery import (
    check_chance_by_seed,
    check_count,
    check_no_global_randomness,
    check_pure_corruption,
    check_static_shapes,
)
from vlpbench.testing.objective_views import check_ids_are_names, check_views
from vlpbench.testing.pytest_support import parametrized
from vlpbench.testing.seed_axis import check_seed_axis
from vlpbench.testing.subject import BackboneMaker, Subject, subject_of
from vlpbench.types import Batch

if TYPE_CHECKING:
    import pytest

__all__ = ["check_objective", "get_ready", "objective_checks", "parametrize_objective_checks"]

_SECOND = frozenset({"light-import", "another-process", "two-processes"})
"""Checks that need a second process."""

_FOUNDATIONS = ("wanted-fields", "count", "static-shapes", "finite-loss")

_CHECKS: Mapping[str, Check] = MappingProxyType(standing_on(_FOUNDATIONS, {
    "metadata": check_metadata,
    "config-round-trip": check_config_round_trip,
    "wanted-fields": wanted_fields,
    "count": check_count,
    "static-shapes": check_static_shapes,
    "finite-loss": check_finite_loss,
    "same-figures-each-step": check_figures,
    "batch-of-one": check_batch_of_one,
    "one-word-texts": check_one_word_texts,
    "ragged-texts": check_ragged_texts,
    "end-of-sentence-only": check_eos_only,
    "autocast": check_autocast,
    "pure-corruption": check_pure_corruption,
    "chance-by-seed": check_chance_by_seed,
    "sums": check_sums,
    "visible": check_visible,
    "no-global-randomness": check_no_global_randomness,
    "no-undeclared-ability": check_abilities_declared,
    "no-unused-ability": check_abilities_used,
    "no-dead-head": check_no_dead_head,
    "no-gradient-through-teacher": check_teacher,
    "not-pad-sensitive": check_padding,
    "order-of-samples": check_order_of_samples,
    "samples-apart": check_samples_apart,
    "ids-are-names": check_ids_are_names,
    "views": check_views,
    "similarity": check_similarity,
    "match": check_match,
    "no-future-leak": check_no_future_leak,
    "no-label-leak": check_no_label_leak,
    "no-state-written-in-loss": check_state_written_in_after_step,
    "batch-left-alone": check_batch_left_alone,
    "state-round-trip": check_state_round_trip,
    "learns-by-heart": check_learns_by_heart,
    "micro-batches": check_micro_batches,
    "trains": check_trains,
    "light-import": check_light_import,
    "another-process": check_another_process,
    "two-processes": check_two_processes,
    "seed-axis": check_seed_axis,
    "static-graph": check_static_graph,
    "quiet": check_quiet,
    "each-backbone": check_each_backbone,
    "speed": check_speed,
    "memory": check_memory,
    "smoke-grid": check_smoke_grid,
}))


def objective_checks() -> dict[str, Check]:
    """name -> a function that takes an objective class (or an instance, or a Subject) and raises CheckFailed."""
    return {name: partial(_on, name, check) for name, check in _CHECKS.items()}


def _on(name: str, check: Check, objective: Any) -> str | None:
    return ask(name, check, subject_of(objective))


def check_objective(
    cls: type[Objective],
    config: Any = None,
    *,
    trunks: Sequence[type[Trunk]] = (),
    backbone: BackboneMaker | None = None,
    batches: Mapping[str, Batch] | None = None,
    only: Iterable[str] = (),
) -> list[Finding]:
    """The findings of all checks (or of those named in `only`) on an objective class.

    `config` is an instance of its settings, None for the defaults. It runs on the first of `trunks` (the built-in ones
    where none is named) that offers what it needs, or on what `backbone(abilities, seed)` makes. `batches` by kind, as
    `tiny_batches` makes them, replace those; they must hold two whole groups where samples are coupled.
    """
    subject = Subject(cls, cls.config_class() if config is None else config, tuple(trunks), backbone, batches)
    get_ready(only)
    return find(_CHECKS, subject, only)


def get_ready(only: Iterable[str] = ()) -> None:
    """Start the second process that some of these checks (all, where none is named) will need: it takes seconds."""
    if _SECOND & set(only or _CHECKS):
        crew()


def parametrize_objective_checks(
    objectives: Sequence[Any], expected_failures: Mapping[str, str] | None = None, only: Iterable[str] = ()
) -> pytest.MarkDecorator:
    """A decorator that gives `test(objective, check)` each of these objectives with each check; call check(objective).

    `objectives` are classes, instances (their settings are taken) or Subjects. `expected_failures` maps names of
    checks to the reason why they must fail: one that passes against expectation fails its test. `only` names the checks
    to run, none for all. A name that is no check's is a ValueError.
    """
    subjects = [subject_of(one) for one in objectives]
    named = [(one.cls.__name__, one) for one in subjects]
    return parametrized("objective", named, objective_checks(), expected_failures or {}, only)
