"""Who keeps a name that several brought: the built-in one, of strangers none; the shared suite has its own names."""

from __future__ import annotations

from collections.abc import Sequence

from vlpbench import __version__
from vlpbench.config.task_name import TASKS
from vlpbench.metrics.names import taken
from vlpbench.registry.catalogue import Component
from vlpbench.registry.find import Source
from vlpbench.registry.standing import Unfit

__all__ = ["TABLES", "belongs_to_suite", "settled"]

TABLES = ("scores", "differences", "cost")
"""The tables that `vlpbench report table --what` knows by itself."""

Brought = tuple[Component, Source]
"""A component with the plugin that brought it."""


def settled(rivals: Sequence[Brought]) -> tuple[Component | None, list[tuple[Source, Unfit]]]:
    """The one component that keeps its name, if any does; and every other source with the reason."""
    first = rivals[0][0]
    what = f"{first.kind} {first.name!r}"
    if belongs_to_suite(first.kind, first.name):
        return None, [(source, _refused(what, source)) for _, source in rivals]
    if all(one.value is first.value for one, _ in rivals):
        return first, []
    ours = next((one for one, source in rivals if source.is_ours), None)
    sources = list(dict.fromkeys(source for _, source in rivals))
    if len(sources) == 1:
        classes = " and ".join(getattr(one.value, "__name__", str(one.value)) for one, _ in rivals)
        return None, [(sources[0], Unfit(f"it brings two of the name {what}: {classes}", "rename one of them"))]
    listed = " and ".join(source.who for source in sources)
    kept = "the built-in one is kept" if ours is not None else "none is used"
    remedy = "rename it" if ours is not None else "rename one, uninstall one, or leave one out by --no-plugin NAME"
    wrong = Unfit(f"the name {what} is taken by {listed}: {kept}", remedy)
    return ours, [(source, wrong) for source in sources if not (source.is_ours and ours is not None)]


def _refused(what: str, source: Source) -> Unfit:
    cause = f"the name {what} is taken by vlpbench {__version__} and {source.who}: the shared suite's own is kept"
    return Unfit(cause, "rename it: a suite that a plugin can change compares nothing")


def belongs_to_suite(kind: str, name: str) -> bool:
    """Whether a name of this kind is one of the shared suite's, which come through no hook."""
    if kind == "table":
        return name in TABLES or _is_task(name)
    return kind == "metric" and (taken(name) or taken(name.replace("-", "_")) or _is_task(name))


def _is_task(name: str) -> bool:
    return name in {task.partition("@")[0] for task in TASKS}
