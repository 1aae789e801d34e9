"""Checks that an answer is not told before it is asked for: by later words, through the prefix, or by a label.

No training is needed where words are predicted: one word of the text is changed before `corrupt`, and the features that
must say it, or an earlier one, must stay as they are. Axes: B samples, S places.
"""

from __future__ import annotations

from collections.abc import Iterator

from torch import Tensor

from vlpbench.testing.constants import check_chance_of_constants
from vlpbench.testing.findings import CheckFailed, CheckSkipped
from vlpbench.testing.predictions import Prediction, Speaker
from vlpbench.testing.rounds import corrupted
from vlpbench.testing.subject import Subject
from vlpbench.testing.tiny import with_words

__all__ = ["check_no_future_leak", "check_no_label_leak"]

_KEPT = 0.25
"""Share of the words told from a whole text that may stand there: BERT keeps a tenth of what it asks for, so that
features of ordinary words are learnt, too. Where words are decoded, none may."""

_SEEDS, _SEEDS_DECODED = 6, 2


def check_no_future_leak(subject: Subject) -> None:
    """A word that is to be said later, or now, in the decoder's input changes no feature of a prediction before it."""
    seen = [0, 0]
    for kind, old, new, alone in _changes(subject):
        aims, moved = _aims(old, new), _moved(old, new) & old.counted
        later = aims.flip(1).cumsum(1).flip(1) - aims.int() > 0  # a word changed at a later place
        if old.decoded:
            early, own = moved & later, aims & _moved(old, alone)
            if early.any() or own.any():
                raise CheckFailed(_told(kind, early, own), _FUTURE)
        else:
            seen[0] += int((moved & later).sum())
            seen[1] += int((later & old.counted).sum())
    if seen[1] and seen[0] > _KEPT * seen[1]:
        cause = f"{seen[0]} of {seen[1]} features that tell a word see a later word that is still to be told"
        raise CheckFailed(cause, _FUTURE)


def _told(kind: str, early: Tensor, own: Tensor) -> str:
    if early.any():
        row, place = early.nonzero()[0].tolist()
        return f"a later word changes the features that predict word {place} of text {row} ({kind})"
    row, place = own.nonzero()[0].tolist()
    return f"the decoder reads word {place} of text {row} ({kind}) where it must say it"


_FUTURE = (
    "shift the decoder's input one place to the right behind BOS, and give context() only the words before; "
    "text_tokens() and fused_tokens() see all words, later ones too"
)


def check_no_label_leak(subject: Subject) -> None:
    """No prediction of a word sees that very word; where no words are predicted, constants teach nothing."""
    counts = [0, 0]
    try:
        for kind, old, new, _alone in _changes(subject):
            aims = _aims(old, new)
            shown = aims & _moved(old, new)
            if old.decoded and shown.any():
                row, place = shown.nonzero()[0].tolist()
                cause = f"the features that predict word {place} of text {row} ({kind}) change with that word"
                raise CheckFailed(cause, _LABEL)
            if not old.decoded:
                counts[0] += int(shown.sum())
                counts[1] += int(aims.sum())
    except CheckSkipped:
        check_chance_of_constants(subject)
        return
    if counts[1] and counts[0] > _KEPT * counts[1]:
        cause = f"{counts[0]} of {counts[1]} words to be told stand in the text that they are told from"
        raise CheckFailed(cause, _LABEL)


_LABEL = "what must be said may stand neither in the prefix, nor under a mask that is open, nor unshifted in the input"


def _changes(subject: Subject) -> Iterator[tuple[str, Prediction, Prediction, Prediction]]:
    """For each kind, seed, place and prediction: before and after that word changed, and with the context of before.

    CheckSkipped if no words are predicted.
    """
    spoke = False
    for kind, host in subject.hosts().items():
        speaker = Speaker(subject)
        for seed in range(_SEEDS):
            before = speaker.first(corrupted(subject, host, seed))
            spoke = spoke or bool(before)
            decoded = any(one.decoded for one in before)
            if not before or (decoded and seed >= _SEEDS_DECODED):
                continue
            for place in range(host.tokens.shape[1] - 1):
                other = corrupted(subject, with_words(host, place, seed), seed)
                after = speaker.again(other)
                alone = speaker.again(other, speaker.contexts) if decoded and speaker.contexts else after
                yield from ((kind, *three) for three in zip(before, after, alone, strict=True))
    if not spoke:
        raise CheckSkipped("says-no-words")


def _aims(old: Prediction, new: Prediction) -> Tensor:
    """B, S: places whose word changed."""
    return (old.targets != new.targets) & old.counted


def _moved(old: Prediction, new: Prediction) -> Tensor:
    """B, S: places whose features changed."""
    apart = (old.features - new.features).abs().amax(-1)
    return apart > 1e-4 * old.features.abs().amax().clamp_min(1)
