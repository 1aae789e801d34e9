"""`vlpbench plugins info`: all about one plugin, or about one thing that a plugin brings."""

from __future__ import annotations

import dataclasses
import json
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import click

from vlpbench.cli.plugins_list import described, told_failure
from vlpbench.cli.session import Session
from vlpbench.config.typed import shown
from vlpbench.errors import unknown
from vlpbench.registry import Component, Failure, Registry, load_registry
from vlpbench.registry.facts import Facts, Setting, facts_of
from vlpbench.registry.overview import Row, opened
from vlpbench.registry.standing import PluginError
from vlpbench.registry.switches import is_named

__all__ = ["info"]


@click.command()
@click.argument("name", metavar="NAME")
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of text.")
@click.pass_obj
def info(session: Session, name: str, as_json: bool) -> int:
    """Show who brings NAME (a plugin, a distribution, or anything that one brings), what it declares, how it is set.

    Exit code 3 if what has this name cannot be used: why, and what to do, is shown.

    \b
    vlpbench plugins info prefix-lm              an objective: needs, settings, how a grid names it
    vlpbench plugins info vlpbench-contrastive   a distribution: its plugin, and what it brings
    vlpbench -p my_objective.py plugins info my-objective
    """  # noqa: D301 (click reads \b)
    found = _Found.of(name, load_registry(session.files, session.blocked))
    if as_json:
        click.echo(json.dumps(_as_json(found), indent=1))
    else:
        click.echo("\n\n".join("\n".join(lines) for lines in _paragraphs(found)))
    return 0 if found.rows or found.components else PluginError.exit_code


@dataclass(frozen=True)
class _Found:
    """All that has a name."""

    rows: Sequence[Row]
    """Plugins that were loaded, or left out."""
    components: Sequence[Component]
    """What plugins bring."""
    failures: Sequence[Failure]
    """What cannot be used."""

    @classmethod
    def of(cls, name: str, registry: Registry) -> _Found:
        """Everything of this name; UserError with the nearest if there is nothing."""
        rows = opened(registry)
        mine = [row for row in rows if is_named([name], row.name, row.distribution)]
        components = [one for (_, its), one in registry.components.items() if its == name]
        failures = [one for one in registry.failures if one.answers_to(name)]
        left = [row for row in rows if row not in mine and _brought_by(name, row, registry)]
        if not (mine or components or failures or left):
            known = {row.name for row in rows} | {row.distribution for row in rows if row.distribution}
            raise unknown("plugin, or what one brings,", name, known | {its for _, its in registry.components})
        usable = [row for row in (*mine, *left) if row.status in ("loaded", "left out")]
        return cls(usable, components, failures)


def _brought_by(name: str, row: Row, registry: Registry) -> bool:
    """Whether a plugin that is left out seems to bring this."""
    bringing = {(one.name, one.distribution) for one in registry.left_out if name in one.provides}
    return (row.name, row.distribution) in bringing


def _as_json(found: _Found) -> dict[str, Any]:
    components = [
        {
            "kind": one.kind, "name": one.name, "plugin": one.origin.plugin, "distribution": one.origin.distribution,
            "distribution_version": one.origin.version, "sha256": one.origin.sha256, **_plain(facts_of(one)),
        }
        for one in found.components
    ]
    return {
        "plugins": described(found.rows)["plugins"], "components": components,
        "failures": [told_failure(one) for one in found.failures],
    }


def _plain(facts: Facts) -> dict[str, Any]:
    told = dataclasses.asdict(facts)
    for setting in told["settings"]:
        if setting["default"] is ...:
            del setting["default"]
    return told


def _paragraphs(found: _Found) -> Iterator[list[str]]:
    for component in found.components:
        yield list(_component(component, facts_of(component)))
    for row in found.rows:
        yield list(_plugin(row))
    for failure in found.failures:
        what = f"{failure.component} of " if failure.component else ""
        who = failure.who if failure.distribution else "single file"
        yield [f"{what}{failure.name} ({who}): {failure.status}", f"  cause: {failure.cause}",
               f"  to do: {failure.remedy}", *([f"  where: {failure.place}"] if failure.place else [])]


def _plugin(row: Row) -> Iterator[str]:
    who = f"{row.distribution} {row.version}".strip() or "single file"
    yield f"{row.name}: plugin of {who}" if row.distribution else f"{row.name}: plugin of a single file"
    told = {
        "status": row.status, "api": row.api_version or "", "hooks": ", ".join(row.hooks), "file": row.path,
        "sha256": row.sha256,
    }
    yield from (f"  {key:8}{value}" for key, value in told.items() if value)
    yield from (f"  {'brings':8}{' '.join(one)}" for one in row.brings)
    yield from (f"  {'remark':8}{one}" for one in row.remarks)


def _component(one: Component, facts: Facts) -> Iterator[str]:
    yield f"{one.name}: {one.kind} of {one.origin}" + (f", version {facts.version}" if facts.version else "")
    if facts.about:
        yield from textwrap.wrap(facts.about, 110, initial_indent="  ", subsequent_indent="  ")
    told = {"plugin": one.origin.plugin, "file": facts.path, "sha256": one.origin.sha256, "api": facts.api_version}
    yield from (f"  {key:8}{value}" for key, value in told.items() if value)
    yield from (f"  {'cites':8}{' '.join(cite.split())[:80]}" for cite in facts.cites)
    if facts.declared:
        yield "\n  declares"
        yield from _aligned([(fact.name, _value(fact.value), fact.meaning) for fact in facts.declared])
    if facts.settings:
        yield "\n  settings"
        yield from _aligned([(key.name, _default(key), key.meaning) for key in facts.settings])
    yield "\n  how to name it"
    yield from (f"    {line}".rstrip() for line in facts.said)


def _value(value: Any) -> str:
    if value is None or value in ([], "", {}):
        return "none"
    return ", ".join(map(str, value)) if isinstance(value, list) else shown(value)


def _default(key: Setting) -> str:
    return f"must be set: {key.kind}" if key.default is ... else "none" if key.default is None else shown(key.default)


def _aligned(lines: Sequence[tuple[str, str, str]]) -> Iterator[str]:
    """Name, value and meaning in columns; a long meaning goes on under itself."""
    first = max(len(name) for name, _, _ in lines)
    second = min(28, max(len(value) for _, value, _ in lines))
    for name, value, meaning in lines:
        before = f"    {name:{first}}  {value:{second}}  "
        yield from textwrap.wrap(
            meaning, max(120, len(before) + 50), initial_indent=before, subsequent_indent=" " * (first + second + 8)
        ) or [before.rstrip()]
