"""How a model is asked: settings of a protocol that are each right, and together, or for this task, mean nothing."""

from __future__ import annotations

from collections.abc import Iterator

from vlpbench.config.settings import Protocol
from vlpbench.config.typed import WrongValue
from vlpbench.errors import nearest
from vlpbench.metrics.captions import METRICS

__all__ = ["unfit"]


def unfit(protocol: Protocol) -> Iterator[tuple[str, WrongValue]]:
    """Key and fault of each setting that a run would stumble over only after all the training."""
    if protocol.top_p and protocol.beams > 1:
        beams = f"draws one sentence, so beams cannot be {protocol.beams}"
        yield "top_p", WrongValue(beams, "set beams = 1, or top_p = 0")
    if protocol.length_penalty and protocol.beams == 1:
        yield "length_penalty", WrongValue(
            "compares finished sentences, and one beam finishes only one", "set beams to 2 or more"
        )
    for metric in protocol.metrics:
        if metric not in METRICS:
            near = nearest(metric, METRICS)
            guess = f"did you mean {near!r}? " if near else ""
            known = f"{guess}known: {', '.join(METRICS)}"
            yield "metrics", WrongValue(f"names {metric!r}, which is no caption metric", known)
    if not protocol.templates or any("{}" not in template for template in protocol.templates):
        what = "must be sentences with {} where the class's name goes"
        yield "templates", WrongValue(what, 'write for example "a picture of {}"')
