"""The kit under pytest: one test for each check and class, with readable ids and expected failures by name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from vlpbench.testing.findings import Check, CheckFailed, CheckSkipped, refuse_unknown_check

if TYPE_CHECKING:
    import pytest

__all__ = ["parametrized"]


def parametrized(
    what: str, subjects: Sequence[tuple[str, Any]], checks: Mapping[str, Check], expected_failures: Mapping[str, str],
    only: Iterable[str] = (),
) -> pytest.MarkDecorator:
    """A decorator that gives `test(WHAT, check)` each named subject with each check; `check(WHAT)` runs it.

    `expected_failures` maps names of checks to reasons: those must fail (strictly). `only` names the checks to run,
    none for all. Unknown names are a ValueError.
    """
    import pytest

    _check_expected(expected_failures, checks)
    wanted = set(only) or set(checks)
    for name in wanted:
        refuse_unknown_check(name, checks, "only")
    parameters = []
    for name, subject in subjects:
        for label, check in checks.items():
            if label not in wanted:
                continue
            reason = expected_failures.get(label)
            marks = () if reason is None else (pytest.mark.xfail(raises=CheckFailed, strict=True, reason=reason),)
            parameters.append(pytest.param(subject, _Skipping(label, check), id=f"{name}-{label}", marks=marks))
    return pytest.mark.parametrize((what, "check"), parameters)


def _check_expected(named: Mapping[str, str], checks: Iterable[str]) -> None:
    for name, reason in named.items():
        refuse_unknown_check(name, checks, "expected_failures")
        if not isinstance(reason, str) or not reason.strip():
            raise ValueError(f"expected_failures[{name!r}] says no reason")


class _Skipping:
    """A check whose skips are pytest's."""

    def __init__(self, name: str, check: Check) -> None:
        self.name, self.check = name, check

    def __call__(self, subject: Any) -> None:
        import pytest

        try:
            self.check(subject)
        except CheckSkipped as skipped:
            pytest.skip(str(skipped))

    def __repr__(self) -> str:
        return f"<check {self.name}>"
