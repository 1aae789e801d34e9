"""Notes on `[tune]`: what was tried, by which rule the best was chosen, and what each row got."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from vlpbench.results.grid_words import dotted

__all__ = ["tuning_notes", "tuning_rules"]


def tuning_notes(told: Iterable[tuple[str, Mapping[str, Any], Mapping[str, Any]]]) -> list[str]:
    """One line for all rows that tried the same by the same rule (row, settings, scores of each finished cell)."""
    found: dict[str, dict[str, None]] = {}
    for row, settings, scores in told:
        tuned = scores.get("tuned")
        if tuned and tuned.get("tried"):
            found.setdefault(_rule(tuned, settings), {})[f"{row}: {_choice(tuned)}"] = None
    return [f"{rule}; chosen: {', '.join(choices)}" for rule, choices in found.items()]


def tuning_rules(told: Iterable[tuple[str, Mapping[str, Any], Mapping[str, Any]]]) -> list[str]:
    """The same without what each row got."""
    tuned = ((scores.get("tuned"), settings) for _, settings, scores in told)
    return list(dict.fromkeys(_rule(one, settings) for one, settings in tuned if one and one.get("tried")))


def _rule(tuned: Mapping[str, Any], settings: Mapping[str, Any]) -> str:
    tried: dict[str, dict[str, None]] = {}
    for one in tuned["tried"]:
        for key, value in dotted(one["settings"]).items():
            tried.setdefault(key, {})[_text(value)] = None
    said = {**settings.get("tune", {}), **{key: tuned[key] for key in ("task", "samples") if key in tuned}}
    pairs = said.get("samples", 0)
    length = f"on {pairs:,} pairs each" if pairs else "on the whole budget each"
    values = " and ".join(f"{key} {', '.join(texts)}" for key, texts in tried.items())
    return (
        f"tuned: {values} tried {length} at seed 0; the highest primary metric of {said.get('task', 'vqa')} on the "
        f"validation split won, of equals the first"
    )


def _choice(tuned: Mapping[str, Any]) -> str:
    """The chosen settings, with the score that won."""
    choice = dotted(tuned["choice"])
    score = next((one["score"] for one in tuned["tried"] if dotted(one["settings"]) == choice), None)
    text = " ".join(f"{key}={_text(value)}" for key, value in choice.items())
    return text + (f" ({score:.1f})" if isinstance(score, int | float) else "")


def _text(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
