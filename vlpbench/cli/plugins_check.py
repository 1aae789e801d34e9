"""`vlpbench plugins check`: the conformance kit on a plugin, without pytest: what is wrong, where, and what to do."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import click

from vlpbench.cli.session import Session
from vlpbench.config.overrides import parse_overrides
from vlpbench.errors import UserError, nearest, unknown
from vlpbench.registry import Component, Failure, Registry, load_registry
from vlpbench.registry.switches import is_named
from vlpbench.testing.findings import Finding, find, judged, tally
from vlpbench.testing.kits import KITS, checks_of, get_ready_for, subject_for

__all__ = ["check"]

_BROKEN = 3


@dataclass(frozen=True)
class _Asked:
    """What is to be checked, and how."""

    only: tuple[str, ...]
    values: Mapping[str, Any]
    expected: Mapping[str, str]
    argument: str


@click.command()
@click.argument("name", metavar="NAME|FILE.py")
@click.option("--only", multiple=True, metavar="CHECK", help="Run this check alone. May be repeated.")
@click.option("--expect", multiple=True, metavar="CHECK=REASON", help="This check must fail, for a reason you know.")
@click.option("--list", "listed", is_flag=True, help="List the checks instead of running them.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of text.")
@click.option("-S", "--set", "settings", multiple=True, metavar="KEY=VALUE", help="A setting of what is checked.")
@click.pass_obj
def check(session: Session, /, name: str, listed: bool, as_json: bool, **said: tuple[str, ...]) -> int:
    """Run the conformance kit on a plugin, without pytest.

    NAME is an objective, stem, trunk, data set, launcher, metric or table; or a plugin or a distribution: then all that
    it brings is checked. FILE.py is a plugin that is not installed. Exit code 0: all passed; 1: something failed; 3: it
    cannot be loaded.

    \b
    vlpbench plugins check half_said.py
    vlpbench plugins check half-said -S share=0.3 --only count --only no-future-leak
    vlpbench plugins check timm:resnet18
    vlpbench plugins check vlpbench-contrastive --expect "speed=solves a small program in each step"
    """  # noqa: D301 (click reads \b)
    file = Path(name) if name.endswith(".py") or Path(name).is_file() else None
    registry = load_registry([*session.files, *([file] if file else [])], session.blocked)
    bare, _, argument = (name, "", "") if file else name.partition(":")
    failures, components = _found(registry, bare, file)
    asked = _Asked(said["only"], parse_overrides(said["settings"]), _expected(said["expect"]), argument)
    if listed:
        _tell_failures(failures, as_json, session.verbose)
        _list(components, as_json)
        return _BROKEN if failures else 0
    _refuse_unknown(asked, components)
    _tell_failures(failures, as_json, session.verbose)
    results = [(one, _check(one, asked, None if as_json else _tell)) for one in components]
    if as_json:
        click.echo(json.dumps(_plain(failures, results), indent=1))
    everything = [one for _, found in results for one in found]
    if not as_json and len(results) > 1:
        click.echo(f"\nall {len(results)}: {tally(everything)}")
    return _BROKEN if failures else int(any(one.state == "failed" for one in everything))


def _found(registry: Registry, name: str, file: Path | None) -> tuple[list[Failure], list[Component]]:
    """What of a plugin, a distribution or a name could not be loaded, and what can be checked."""
    if file is not None:
        failures = [one for one in registry.failures if one.asked and one.name == file.name]
        found = [one for one in registry.components.values() if one.origin.plugin == file.name]
        return failures, _with_kits(found, failures, name)
    failures = [one for one in registry.failures if one.answers_to(name)]
    found = [
        one for one in registry.components.values()
        if name == one.name or is_named([name], one.origin.plugin, one.origin.distribution)
    ]
    if not found and not failures:
        for left in registry.left_out:
            if left.answers_to(name):
                raise UserError(left.sentence(), remedy=left.remedy)
        names = {word for one in registry.components.values() for word in (one.name, one.origin.distribution)}
        near = nearest(name, sorted(names))
        remedy = (f"did you mean {near!r}? " if near else "") + "vlpbench plugins list tells all; a file ends in .py"
        raise UserError(f"there is no plugin, distribution or component {name!r}", remedy=remedy)
    return failures, _with_kits(found, failures, name)


def _with_kits(found: Sequence[Component], failures: Sequence[Failure], name: str) -> list[Component]:
    kept = [one for one in found if one.kind in KITS]
    if not kept and not failures:
        kinds = ", ".join(sorted({one.kind for one in found})) or "nothing"
        raise UserError(f"{name!r} brings {kinds}: no kit checks that", remedy=f"there is one for: {', '.join(KITS)}")
    return kept


def _expected(said: Iterable[str]) -> dict[str, str]:
    found = {}
    for one in said:
        check_name, equals, reason = one.partition("=")
        if not equals or not reason.strip():
            raise UserError(f"--expect {one} says no reason", "--expect", 'write --expect "CHECK=REASON"')
        found[check_name.strip()] = reason.strip()
    return found


def _refuse_unknown(asked: _Asked, components: Sequence[Component]) -> None:
    known = {name for one in components for name in checks_of(one.kind)}
    for option, names in (("--only", asked.only), ("--expect", asked.expected)):
        for name in names:
            if components and name not in known:
                raise unknown("check", name, known, option)
    if asked.values and len(components) > 1:
        listed = ", ".join(f"{one.kind} {one.name}" for one in components)
        raise UserError(f"-S says settings of one component, and these are several: {listed}", "-S", "name one of them")


def _check(component: Component, asked: _Asked, tell: Callable[[Finding], None] | None) -> list[Finding]:
    """The findings on one component, each told as it comes."""
    checks = {
        name: one for name, one in checks_of(component.kind).items() if not asked.only or name in asked.only
    }
    get_ready_for(component.kind, asked.only)
    subject = subject_for(component.kind, component.value, asked.values, asked.argument)
    told: list[Finding] = []

    def heard(found: Finding) -> None:
        told.append(judged(found, asked.expected))
        if tell is not None:
            _wipe()
            tell(told[-1])
            _progress(len(told), len(checks))

    if tell is not None:
        click.echo(f"{component.kind} {component.name}  ({component.origin})")
        _progress(0, len(checks))
    start = time.perf_counter()
    find(checks, subject, heard=heard)
    if tell is not None:
        _wipe()
        click.echo(f"{tally(told)}  ({time.perf_counter() - start:.0f} s)\n")
    return told


def _tell(found: Finding) -> None:
    """A finding as lines."""
    said = found.cause if found.state == "skipped" else found.told
    click.echo(f"  {found.state:9}{found.check} ({found.seconds:.1f} s)" + (f": {said}" if said else ""))
    for word, text in (("cause", found.cause), ("to do", found.remedy), ("where", found.place)):
        if text and found.state != "skipped":
            click.echo(f"      {word}: {text}")


def _progress(done: int, of: int) -> None:
    if sys.stderr.isatty():
        click.echo(f"\r  {done} of {of} checks ", nl=False, err=True)


def _wipe() -> None:
    if sys.stderr.isatty():
        click.echo("\r\033[K", nl=False, err=True)


def _tell_failures(failures: Sequence[Failure], as_json: bool, verbose: bool) -> None:
    """What could not be loaded, with the lines of the author's own files where it failed."""
    for one in () if as_json else failures:
        click.echo(f"{one.component or one.name}  ({one.who})  cannot be loaded")
        click.echo(f"      cause: {one.cause}\n      to do: {one.remedy}")
        shown = one.traceback if verbose else one.frames
        for line in shown.rstrip().splitlines():
            click.echo(f"      | {line}")


def _list(components: Sequence[Component], as_json: bool) -> None:
    kinds = list(dict.fromkeys(one.kind for one in components))
    told = {kind: {name: _sentence(one) for name, one in checks_of(kind).items()} for kind in kinds}
    if as_json:
        click.echo(json.dumps(told, indent=1))
        return
    for kind, checks in told.items():
        click.echo(f"{kind}: {len(checks)} checks")
        width = max(map(len, checks))
        for name, sentence in checks.items():
            click.echo(f"  {name:{width}}  {sentence}")


def _sentence(one: Any) -> str:
    """The first line of what a check says of itself."""
    function = one.args[-1] if hasattr(one, "args") else one
    return (function.__doc__ or "").strip().partition("\n")[0]


def _plain(
    failures: Sequence[Failure], results: Sequence[tuple[Component, Sequence[Finding]]]
) -> dict[str, Any]:
    """All findings as JSON."""
    return {
        "failures": [
            {"plugin": one.name, "distribution": one.distribution, "component": one.component, "cause": one.cause,
             "remedy": one.remedy, "traceback": one.frames or one.traceback} for one in failures
        ],
        "components": [
            {"kind": one.kind, "name": one.name, "origin": str(one.origin), "n_checks": len(checks_of(one.kind)),
             "tally": tally(found), "checks": [asdict(finding) for finding in found]} for one, found in results
        ],
    }
