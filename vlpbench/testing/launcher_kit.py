"""All checks of launchers by name, and how to run them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from vlpbench.contract.launcher import Launcher, Place
from vlpbench.testing.findings import Check, Finding, ask, find
from vlpbench.testing.launcher_ending import (
    check_isolation,
    check_kill,
    check_kill_after_the_end,
    check_resume,
    check_stop,
    check_time_limit,
)
from vlpbench.testing.launcher_running import (
    check_devices,
    check_environment,
    check_exit_codes,
    check_launcher_metadata,
    check_log,
    check_nothing_is_run,
    check_order,
    check_slots,
    check_wait,
)
from vlpbench.testing.launcher_subject import LauncherSubject, launcher_subject_of
from vlpbench.testing.pytest_support import parametrized

if TYPE_CHECKING:
    import pytest

__all__ = ["check_launcher", "launcher_checks", "parametrize_launcher_checks"]

_CHECKS: Mapping[str, Check] = MappingProxyType({
    "metadata": check_launcher_metadata,
    "runs-as-it-says": check_nothing_is_run,
    "order": check_order,
    "slots": check_slots,
    "exit-codes": check_exit_codes,
    "environment": check_environment,
    "devices": check_devices,
    "log": check_log,
    "wait": check_wait,
    "isolation": check_isolation,
    "kill": check_kill,
    "kill-after-the-end": check_kill_after_the_end,
    "time-limit": check_time_limit,
    "stop": check_stop,
    "resume": check_resume,
})


def launcher_checks() -> dict[str, Check]:
    """name -> a function that takes a launcher class (or a LauncherSubject) and raises CheckFailed."""
    return {name: partial(_on, name, check) for name, check in _CHECKS.items()}


def _on(name: str, check: Check, launcher: Any) -> str | None:
    return ask(name, check, launcher_subject_of(launcher))


def check_launcher(
    make: Callable[[Place], Launcher], *, patience: float = 60.0, folder: Path | None = None, only: Iterable[str] = ()
) -> list[Finding]:
    """The findings of all checks (or of those named in `only`) on a launcher class, or on what builds one of a place.

    Each job of the kit can be started by its `command` or by its `order`. `patience` is how many seconds a job may
    take to start or to end; `folder` is one that the launcher's machines share with this one.
    """
    return find(_CHECKS, LauncherSubject(make, patience, folder), only)


def parametrize_launcher_checks(
    launchers: Sequence[Any], expected_failures: Mapping[str, str] | None = None, only: Iterable[str] = ()
) -> pytest.MarkDecorator:
    """A decorator that gives `test(launcher, check)` each of these launchers with each check; call check(launcher).

    `launchers` are classes or LauncherSubjects; `expected_failures` and `only` as for objectives.
    """
    named = [(one.name, one) for one in map(launcher_subject_of, launchers)]
    return parametrized("launcher", named, launcher_checks(), expected_failures or {}, only)
