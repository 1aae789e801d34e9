"""The words of `signs`: what follows from a kind or a colour, the ways to ask, and their wordings."""

from __future__ import annotations

import pytest

from tests.data.worlds.sign_reader import SHAPE_WORDS, SORT_WORDS, sorts
from vlpbench.data.worlds.outlines import SHAPES
from vlpbench.data.worlds.sign_scenes import SignsConfig, lexicon
from vlpbench.data.worlds.sign_words import BRIEF, FORMS, sortings
from vlpbench.data.worlds.truths import possible, wordings
from vlpbench.data.worlds.words import PAINTS, RELATION

ALL = lexicon(SignsConfig(shapes=9, digits=10, colours=8))


@pytest.mark.parametrize(("shapes", "digits", "colours"), [(9, 10, 8), (6, 6, 6), (1, 1, 1), (2, 3, 5)])
def test_what_follows_is_what_people_mean(shapes: int, digits: int, colours: int) -> None:
    found, words = sortings(SHAPES[:shapes], digits, colours)
    kinds = [*SHAPES[:shapes], *map(str, range(digits))]
    for name, said in found.items():
        of = kinds if said.of == "kind" else list(PAINTS)[:colours]
        assert [words[name][value][0] for value in said.values] == [
            sorts(*((one, "red") if said.of == "kind" else ("bar", one)))[name] for one in of]
        assert set(said.values) == set(range(len(words[name]))), "there is no word that nothing is called by"
    assert SHAPES == SHAPE_WORDS
    assert set(found) == {"class", "nature", "warmth"}


def test_words_of_sorts_stand_in_no_wording_of_a_caption() -> None:
    wordings_of_captions = [*ALL.phrases, *BRIEF, *(link.phrase + link.clause for link in ALL.links)]
    assert ALL.brief == BRIEF
    for said in wordings_of_captions:
        assert not SORT_WORDS & set(said.split())
        assert not any(f"{{{name}}}" in said for name in ALL.sortings)
    seen = [values for name, values in ALL.words.items() if name not in ALL.sortings]
    assert not SORT_WORDS & {ALL.noun, *(word for values in seen for words in values for word in words)}


def test_every_form_can_be_asked_and_no_question_is_there_twice() -> None:
    texts = [text for form in FORMS for _, text in wordings(form, ALL)]
    assert len(set(texts)) == len(texts) > 2000
    assert all(set(form.given) <= {*ALL.words, RELATION} for form in FORMS)
    assert all(text.startswith(form.kind) for form in FORMS for _, text in wordings(form, ALL)[:1])
    assert all(len(possible(form, ALL)) > 1 for form in FORMS)


def test_digits_are_read_and_shapes_recognised() -> None:
    for form in FORMS:
        if form.asked == "kind":
            of_digits = all(answer.isdigit() for answer in possible(form, ALL))
            assert of_digits == (form.kind == "which digit")
            assert len(possible(form, ALL)) == (10 if of_digits else 9)
    assert {form.kind for form in FORMS if form.asked == "kind"} == {"which digit", "what shape"}


def test_half_of_the_questions_need_a_relation_a_sort_or_a_count() -> None:
    """A colour or a place looked up in one cell does not answer them."""
    hard = [form for form in FORMS if {RELATION, *ALL.sortings} & {*form.given} or form.how in ("count", "total")]
    assert sum(form.share for form in hard) > 0.5 * sum(form.share for form in FORMS)


def test_every_answer_has_its_statement() -> None:
    for form in FORMS:
        for answer in possible(form, ALL):
            assert form.told.get(answer) or form.told[""], (form.wording, answer)
