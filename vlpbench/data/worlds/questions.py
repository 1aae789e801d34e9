"""Questions about scenes whose answers cannot be guessed from the wording: answers are balanced under each question."""

from __future__ import annotations

import bisect
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vlpbench.data.worlds.scene import Scene
from vlpbench.data.worlds.truths import Facts, possible, truth, ways_to_say, wordings
from vlpbench.data.worlds.words import Form, Lexicon

if TYPE_CHECKING:
    import numpy as np

__all__ = ["ANNOTATORS", "Asked", "answers_of", "ask"]

ANNOTATORS = 10
"""Answers a question, as in VQAv2."""

_DISSENT = (0.7, 0.9, 0.97)
"""Chance that at most 0, 1, 2 (and never more than 3) of the annotators do not say the truth in its usual word."""

_SLACK = {"find": 1, "exists": 0, "count": 0, "total": 0, "holds": 0}
"""How far an answer may lead the rarest answer of the same question before it is given once more."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A question with its true answer."""

    text: str
    """The question; no question mark, so that the asked word is the last token."""
    answer: str
    """The truth, in its first word."""
    form: Form
    """How it was asked."""


class _Balance:
    """How often each answer was the truth under each question so far."""

    def __init__(self, lexicon: Lexicon) -> None:
        self.lexicon = lexicon
        self.forms = [form for form in lexicon.forms if len(possible(form, lexicon)) > 1]
        self.answers = {form: possible(form, lexicon) for form in self.forms}
        self.wordings = {form: wordings(form, lexicon) for form in self.forms}
        self.given: dict[str, Counter[str]] = defaultdict(Counter)
        self.asked: Counter[Form] = Counter()

    def lead(self, form: Form, text: str, answer: str) -> int:
        """By how much this answer is ahead of the rarest possible one."""
        given = self.given[text]
        return given[answer] - min(given[other] for other in self.answers[form])

    def owed(self, form: Form, text: str) -> int:
        """How many answers a question lacks until all are given equally often; of many-worded questions alone.

        There are so many of them that each would be asked once, and none in balance.
        """
        if len(form.given) < 2:
            return 0
        given, answers = self.given[text], self.answers[form]
        return max(given[answer] for answer in answers) * len(answers) - given.total()

    def offer(self, scene: Scene) -> dict[Form, list[tuple[str, str]]]:
        """For each form the questions that this scene answers, with answers that are to be balanced."""
        offered, facts = {}, Facts(scene, self.lexicon)
        for form in self.forms:
            truths = [(text, truth(form, values, facts)) for values, text in self.wordings[form]]
            offered[form] = [(text, answer) for text, answer in truths if answer and answer in self.answers[form]]
        return offered

    def choose(self, offered: dict[Form, list[tuple[str, str]]], rng: np.random.Generator) -> Asked | None:
        """A question of those offered that keeps the balance, of the form that lags most behind its share."""
        total = sum(self.asked.values()) + 1
        ties = rng.random(len(self.forms)).tolist()
        lag = [self.asked[form] - form.share * total - tie for form, tie in zip(self.forms, ties, strict=True)]
        for _, form in sorted(zip(lag, self.forms, strict=True), key=lambda pair: pair[0]):
            fair = []
            for text, answer in offered[form]:
                lead = self.lead(form, text, answer)
                if lead <= _SLACK[form.how]:
                    owed = self.owed(form, text) == 0
                    fair.append((lead, owed, self.given[text].total(), rng.random(), text, answer))
            if fair:
                *_, text, answer = min(fair)
                offered[form].remove((text, answer))
                return Asked(text, answer, form)
        return None

    def note(self, asked: Asked, times: int = 1) -> None:
        """Count a question that was asked (or, with times -1, taken back)."""
        self.given[asked.text][asked.answer] += times
        self.asked[asked.form] += times


def ask(scenes: Sequence[Scene], lexicon: Lexicon, each: int, rng: np.random.Generator) -> list[list[Asked]]:
    """Up to `each` different questions for every scene.

    Under one wording yes and no are given exactly equally often, counts and other answers nearly so; a scene gets
    fewer questions where no fitting one is left, or where the last one had to be taken back for the balance.
    """
    if each == 0:
        return [[] for _ in scenes]
    balance = _Balance(lexicon)
    result: list[list[Asked]] = []
    for scene in scenes:
        offered = balance.offer(scene)
        mine: list[Asked] = []
        while len(mine) < each:
            asked = balance.choose(offered, rng)
            if asked is None:
                break
            balance.note(asked)
            mine.append(asked)
        result.append(mine)
    for mine in reversed(result):
        for asked in list(mine):
            if asked.form.answer_kind == "yes/no" and balance.lead(asked.form, asked.text, asked.answer) > 0:
                balance.note(asked, -1)
                mine.remove(asked)
    return result


def answers_of(asked: Asked, lexicon: Lexicon, rng: np.random.Generator) -> list[str]:
    """What ten people answer: at least seven the truth, the rest a synonym or another plausible answer, shuffled."""
    said = [asked.answer] * ANNOTATORS
    dissenters = bisect.bisect(_DISSENT, rng.random())
    if dissenters == 0:
        return said
    form = asked.form
    synonyms = ways_to_say(asked.answer, form, lexicon)[1:]
    wrong = [answer for answer in possible(form, lexicon) if answer != asked.answer]
    for i in rng.permutation(ANNOTATORS)[:dissenters]:
        pool = synonyms if synonyms and rng.random() < 0.5 else wrong
        said[i] = pool[int(rng.integers(0, len(pool)))]
    return said
