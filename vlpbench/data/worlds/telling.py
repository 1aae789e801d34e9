"""Texts about imagined scenes: captions, statements, questions with answers, and rules; no picture is needed."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from vlpbench.data.worlds.grammar import captions, spoken
from vlpbench.data.worlds.scene import Layout, Scene, Thing
from vlpbench.data.worlds.truths import Facts, Values, truth, ways_to_say, wordings
from vlpbench.data.worlds.words import Form, Lexicon, articled

if TYPE_CHECKING:
    import numpy as np

__all__ = ["Teller"]

_NOWHERE = (0, 0, 0, 0)


class Teller:
    """Says true sentences about scenes that nobody has drawn, in the words of captions and questions."""

    def __init__(self, lexicon: Lexicon, longest: int) -> None:
        """`longest`: most words of a text; scenes that take more are imagined anew."""
        self.lexicon, self.longest = lexicon, longest
        self._wordings = {form: wordings(form, lexicon) for form in lexicon.forms}
        drawn = [name for name in lexicon.words if name != "place" and name not in lexicon.sortings]
        choices = {name: len(lexicon.words[name]) for name in drawn}
        self._layout = Layout(
            lexicon.grid, lexicon.grid, lexicon.fewest, lexicon.most, choices, sortings=lexicon.sortings
        )
        self._rules = _rules(lexicon)

    def imagined(self, rng: np.random.Generator) -> Scene:
        """A scene without pixels; all numbers of things are equally likely."""
        number = int(rng.integers(self.lexicon.fewest, self.lexicon.most + 1))
        return Scene(tuple(Thing(attributes, _NOWHERE) for attributes in self._layout.drawn(number, rng)))

    def tell(self, rng: np.random.Generator) -> str:
        """A caption, a statement, or a question and its answer, all about one scene; or a rule of the world's words.

        Where things are put into sorts, a rule says which is of which: "each 3 is odd". All are drawn equally often;
        long ones are drawn anew.
        """
        while True:
            text = self.told(self.imagined(rng), rng)
            if text is not None and len(text.split()) <= self.longest:
                return text

    def told(self, scene: Scene, rng: np.random.Generator) -> str | None:
        """A text about this scene (or a rule), of any length; None where it answers no question of the form drawn."""
        kind = int(rng.integers(0, 4 if self._rules else 3))
        if kind == 3:
            return self._rules[int(rng.integers(0, len(self._rules)))]
        if kind == 0:
            return captions(scene, self.lexicon, rng, 1)[0]
        shares = [form.share for form in self.lexicon.forms]
        form = self.lexicon.forms[int(rng.choice(len(shares), p=[share / sum(shares) for share in shares]))]
        found = self._answered(form, scene, rng)
        if found is None:
            return None
        values, question, answer = found
        said = self._spoken(ways_to_say(answer, form, self.lexicon), rng)
        if kind == 1:
            return f"{question} {said}"
        template = form.told.get(answer) or form.told[""]
        given = [
            self._spoken(self.lexicon.values(blank)[value], rng)
            for blank, value in zip(form.given, values, strict=True)
        ]
        return articled(template.format(*given, answer=said))

    def _answered(self, form: Form, scene: Scene, rng: np.random.Generator) -> tuple[Values, str, str] | None:
        """A wording of the form with its answer; first the answer is drawn, so that no is as frequent as yes."""
        facts = Facts(scene, self.lexicon)
        offered: dict[str, list[tuple[Values, str]]] = defaultdict(list)
        for values, question in self._wordings[form]:
            answer = truth(form, values, facts)
            if answer is not None:
                offered[answer].append((values, question))
        if not offered:
            return None
        answer = sorted(offered)[int(rng.integers(0, len(offered)))]
        values, question = offered[answer][int(rng.integers(0, len(offered[answer])))]
        return values, question, answer

    def _spoken(self, words: tuple[str, ...], rng: np.random.Generator) -> str:
        return spoken(words, float(rng.random()), self.lexicon.synonyms)


def _rules(lexicon: Lexicon) -> list[str]:
    """Every sentence about which value is of which sort."""
    return [
        articled(template.format(of=lexicon.word(sorting.of, value), word=lexicon.word(name, sort)))
        for name, sorting in lexicon.sortings.items()
        for value, sort in enumerate(sorting.values)
        for template in sorting.told
    ]
