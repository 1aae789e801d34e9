"""How a model is asked: settings of a protocol that are each right, and together, or for this task, mean nothing."""

from __future__ import annotations

from collections.abc import Iterator

from vlpbench.config.known import Known
from vlpbench.config.settings import Protocol
from vlpbench.config.typed import WrongValue
from vlpbench.errors import nearest
from vlpbench.metrics.names import SUITE, is_suite

__all__ = ["unfit"]


def unfit(protocol: Protocol, task: str, known: Known) -> Iterator[tuple[str, WrongValue]]:
    """Key and fault of each setting that a run would stumble over only after all the training."""
    if protocol.top_p and protocol.beams > 1:
        beams = f"draws one sentence, so beams cannot be {protocol.beams}"
        yield "top_p", WrongValue(beams, "set beams = 1, or top_p = 0")
    if protocol.length_penalty and protocol.beams == 1:
        yield "length_penalty", WrongValue(
            "compares finished sentences, and one beam finishes only one", "set beams to 2 or more"
        )
    for metric in protocol.metrics:
        fault = _not_measured(metric, task, known)
        if fault:
            yield "metrics", fault
    if not protocol.templates or any("{}" not in template for template in protocol.templates):
        what = "must be sentences with {} where the class's name goes"
        yield "templates", WrongValue(what, 'write for example "a picture of {}"')


def _not_measured(metric: str, task: str, known: Known) -> WrongValue | None:
    """Why a task cannot be measured by this metric, or None; what a failed plugin would have brought says so."""
    if metric in SUITE["captioning"]:  # every protocol names them; only captioning looks
        return None
    extras = sorted(name for name, tasks in known.metrics.items() if task in tasks)
    if metric in extras:
        return None
    if ("metric", metric) in known.broken:
        return WrongValue(*known.broken["metric", metric])
    there = (*(SUITE["captioning"] if task == "captioning" else ()), *extras)
    offered = f"known: {', '.join(there)}" if there else f"no plugin that is installed has a metric for {task}"
    if metric in known.metrics:
        what = f"names {metric!r}, which reads predictions of {', '.join(sorted(known.metrics[metric]))}, not of {task}"
        return WrongValue(what, offered)
    if is_suite(metric):
        what = f"names {metric!r}, which is measured wherever there is such a score"
        return WrongValue(what, f"leave it out; {offered}")
    near = nearest(metric, there)
    guess = f"did you mean {near!r}? " if near else ""
    return WrongValue(f"names {metric!r}, which is no metric of {task}", f"{guess}{offered}")
