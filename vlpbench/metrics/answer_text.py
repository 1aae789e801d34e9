"""How the official VQA evaluator rewrites an answer before it compares: three steps, kept with their oddities.

Behaviour of GT-Vision-Lab/VQA `vqaEval.py` at commit a013f00. The steps are apart because one of the historical rules
(`2016`) applies only the second to the given answers. Doing them twice is not the same as once. Digits, blanks and
capitals are those of Unicode, as they are where that file is run by Python 3.
"""

from __future__ import annotations

import re

__all__ = ["CONTRACTIONS", "strip_punctuation", "to_digits", "trim"]

MARKS = ';/[]"{}()=+\\_-><@`,?!'
"""Marks that are removed or become a space. Apostrophe, colon, period and % $ & # * ~ are not among them."""
PERIODS = 32
"""Only so many periods go: the official call passes a flag, whose number is 32, where a count is expected."""
PERIOD = re.compile(r"\.(?!\d)")
COMMA_IN_NUMBER = re.compile(r"\d,\d")
ARTICLES = frozenset(("a", "an", "the"))
NUMBERS = "zero one two three four five six seven eight nine ten".split()
DIGITS = {"none": "0", **{word: str(number) for number, word in enumerate(NUMBERS)}}

RIGHT_SPELLINGS = """
    ain't aren't can't could've couldn't couldn't've didn't doesn't don't hadn't hadn't've hasn't haven't he'd've
    he's how'd how'll how's isn't it'd it'd've it'll ma'am mightn't mightn't've might've mustn't must've needn't not've
    o'clock oughtn't 'ow's'at shan't she'd've should've shouldn't shouldn't've somebody'd've somebody'll somebody's
    someone'd someone'd've someone'll someone's something'd something'd've something'll that's there'd there'd've
    there're there's they'd they'd've they'll they're they've 'twas wasn't we'd've we've weren't what'll what're
    what's what've when's where'd where's where've who'd who'd've who'll who's who've why'll why're why's won't would've
    wouldn't wouldn't've y'all y'all'll y'all'd've you'd you'd've you'll you're you've he'd
"""
"""Words whose spelling with one apostrophe left out is put right. "she'd", "we'd", "I'm" are not among them."""


def _contractions() -> dict[str, str]:
    """Each misspelling -> the right spelling: every apostrophe left out in turn."""
    table: dict[str, str] = {}
    for word in RIGHT_SPELLINGS.split():
        for at, letter in enumerate(word):
            if letter == "'":
                table[word[:at] + word[at + 1 :]] = word
    # The official table has this one the wrong way round.
    table["somebody'd"] = "somebodyd"
    return table


CONTRACTIONS = _contractions()
"""The 114 official entries that change a word; of the other 6 four hold a capital (no match), two change nothing."""


def trim(answer: str) -> str:
    """Line breaks and tabs become spaces; blanks at the ends go."""
    return answer.replace("\n", " ").replace("\t", " ").strip()


def strip_punctuation(text: str) -> str:
    """Each of the 21 marks becomes a space, or nothing where it (anywhere in the text) touches a space.

    A comma between digits anywhere makes all marks go without a space: "a-b" is "a b", "1,000 a-b" is "1000 ab". Then
    the periods go that no digit follows, but only the first 32 of them.
    """
    comma = COMMA_IN_NUMBER.search(text) is not None
    out = text
    for mark in MARKS:
        if mark in text:
            touches = mark + " " in text or " " + mark in text
            out = out.replace(mark, "" if comma or touches else " ")
    return PERIOD.sub("", out, count=PERIODS)


def to_digits(text: str) -> str:
    """Lower-case; none, zero to ten become digits; articles go; contractions get their apostrophe; single spaces."""
    words = (DIGITS.get(word, word) for word in text.lower().split())
    return " ".join(CONTRACTIONS.get(word, word) for word in words if word not in ARTICLES)
