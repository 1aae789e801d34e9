"""What a scene answers to a question: each wording of a form, the answers it may have, and the true one."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

from vlpbench.data.worlds.scene import Scene, Thing, stands
from vlpbench.data.worlds.words import RELATION, Form, Lexicon, Sorting, articled, counts

__all__ = ["Facts", "Values", "possible", "truth", "ways_to_say", "wordings"]

Values = tuple[int, ...]
"""The numbers of the values that stand in the blanks of a question."""


def possible(form: Form, lexicon: Lexicon) -> tuple[str, ...]:
    """The answers that a question of this form should have equally often; fewer than two: it is not asked.

    Counts of things with an attribute stop at two, since scenes with more of one colour are rare.
    """
    if form.how == "find":
        return tuple(
            words[0] for value, words in enumerate(lexicon.words[form.asked]) if _meant(form, value, lexicon.sortings)
        )
    if form.answer_kind == "yes/no":
        return ("yes", "no")
    first, last = (lexicon.fewest, lexicon.most) if form.how == "total" else (0, min(2, lexicon.most))
    return tuple(str(number) for number in range(first, last + 1))


def _meant(form: Form, value: int, sortings: Mapping[str, Sorting]) -> bool:
    """Whether a thing with this value of the asked attribute can be among those that are meant."""
    if form.among is None:
        return True
    name, wanted = form.among
    sorting = sortings[name]
    return sorting.of != form.asked or sorting.values[value] == wanted


def wordings(form: Form, lexicon: Lexicon) -> list[tuple[Values, str]]:
    """The questions of one form, one for each choice of values that it can be asked with."""
    blanks = [range(len(lexicon.values(blank))) for blank in form.given]
    return [
        (values, articled(form.wording.format(*map(lexicon.word, form.given, values))))
        for values in itertools.product(*blanks)
    ]


def ways_to_say(answer: str, form: Form, lexicon: Lexicon) -> tuple[str, ...]:
    """An answer and its synonyms."""
    if form.how == "find":
        return next(words for words in lexicon.words[form.asked] if words[0] == answer)
    return counts(int(answer)) if form.answer_kind == "number" else (answer,)


class Facts:
    """A scene, looked at once for all questions about it."""

    def __init__(self, scene: Scene, lexicon: Lexicon) -> None:
        self.things, self.lexicon = scene.things, lexicon
        self._groups: dict[tuple[str, ...], dict[Values, list[Thing]]] = {}

    def having(self, names: tuple[str, ...], values: Values) -> Sequence[Thing]:
        """The things that have these values; all of them where none are named."""
        groups = self._groups.get(names)
        if groups is None:
            groups = self._groups[names] = {}
            for thing in self.things:
                groups.setdefault(tuple([thing.attributes[name] for name in names]), []).append(thing)
        return groups.get(values, ())


def truth(form: Form, values: Values, facts: Facts) -> str | None:
    """What the scene answers to one wording; None where it has no one answer."""
    if form.how == "total":
        return str(len(facts.things))
    at = form.given.index(RELATION) if RELATION in form.given else len(form.given)
    found = facts.having(form.given[:at], values[:at])
    if form.among is not None:
        name, wanted = form.among
        found = [thing for thing in found if thing.attributes[name] == wanted]
    if form.how == "holds" and len(found) != 1:
        return None
    if at < len(form.given):
        others = facts.having(form.given[at + 1 :], values[at + 1 :])
        if len(others) != 1 or (form.how == "holds" and others[0] is found[0]):
            return None
        other, grid = others[0].attributes, facts.lexicon.grid
        found = [thing for thing in found if stands(thing.attributes, values[at], other, grid)]
    if form.answer_kind == "yes/no":
        return "yes" if found else "no"
    if form.how == "count":
        return str(len(found))
    return facts.lexicon.word(form.asked, found[0].attributes[form.asked]) if len(found) == 1 else None
