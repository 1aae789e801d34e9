"""Captions as caption scorers compare them: Penn Treebank tokens in lower case, punctuation left out, no Java.

This gives what pycocoevalcap's `PTBTokenizer` (Stanford CoreNLP 3.4.1 with `-preserveLines -lowerCase`, then minus 17
punctuation tokens) returns for one file of the same captions. It was written from that program's behaviour and agrees
with it on every caption of COCO val2017 and Flickr8k that was tried and on nearly all strings made up to break it; what
is known to differ is a soft hyphen between unlike pieces, clitics piled on "cannot" or "gonna", addresses that hold
characters beyond the Basic Multilingual Plane, and an abbreviation glued to a number at the end of a file ("Jan.5").

Brackets come out as "-lrb-" and stay, since only their upper-case names are on the list of punctuation; a single
letter and its period part only before a sentence starter, which may stand in the *next* caption. The end of the last
caption is the end of the file: what wants to see one character more, such as ":)" and "I'll", falls apart there. Line
breaks of every kind become a space first: the Java program would hand all later captions to the wrong image.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from vlpbench.metrics.ptb_characters import DIGITS, LETTERS, MARKS, SYMBOLS
from vlpbench.metrics.ptb_patterns import (
    ABBREVIATIONS_BEFORE_NUMBERS,
    PARTED,
    PATTERNS,
    REWRITTEN,
    SENTENCE_STARTER,
)

__all__ = ["tokenize"]

PUNCTUATION = frozenset(("''", "'", "``", "`", ".", "?", "!", ",", ":", "-", "--", "...", ";"))
"""What is left out: pycocoevalcap's list less its upper-case bracket names, which never match."""
BREAKS = re.compile("[\n\r\x0b\x0c\u2028\u2029]")
SPACES = re.compile(r"[\s\u200b]+")
WORD = re.compile(r"[^\s\u200b]+")
WHOLE = re.compile(r"\S(?:.*\S)?")
PLAIN = re.compile("[A-Za-z]+")
WHOLE_LINE = re.compile(r"<[/!?A-Za-z]|[0-9][ \xa0][0-9]+(?:/|[ \xa0-]?[0-9]{3}|[ \xa0-][0-9])|[0-9]\)[ \xa0]?[0-9]{3}")
"""What tokens with a space inside begin with: such a line is read as one, all others word by word."""
ASKS_NEXT = re.compile(rf"(?:(?<![A-Za-z])[A-Za-z]|\b(?i:{'|'.join(ABBREVIATIONS_BEFORE_NUMBERS)}))\.$")
"""A word whose cut depends on what comes after it: one of the two things below."""
AFTER = re.compile(rf"\s(?:(?P<number>[0-9])|\s*(?P<starter>{SENTENCE_STARTER})\s)")
BLANKS = "  "
"""What stands for the text after a word whose cut does not depend on it; abbreviations look two characters far."""
KEPT = re.compile(f"[!-~\xa1-\xff\u2044{LETTERS}{MARKS}{DIGITS}{SYMBOLS}]")
"""What is a token of its own; any other character that is in no word (emoji, say) is dropped."""
QUOTES = re.compile(
    "[\"'`\xab\xbb\x91-\x94\u2018\u2019\u201b\u201c\u201d\u2039\u203a]|&(?i:quot|apos|nbsp|[mn]dash);"
)
ACRONYMS = re.compile("[A-Z]+(?:&amp;|[A-Z&])+")
TURNED = re.compile("[\x91-\x94\xab\xbb\u2018\u2019\u201b-\u201d\u2039\u203a`]{2}")
TURNED_AS = {**dict.fromkeys("\x91\u2018\u201b\u2039`", "`"), **dict.fromkeys("\x93\xab\u201c", "``")}
TURNED_AS |= dict.fromkeys("\x92\u2019\u203a", "'")
"""Two turned quotation marks side by side are one token; where one of them is double, it is on no list to leave out."""
CURLY = re.compile("[\u2019\x92]|&apos;")
CLITIC = re.compile(r"(?:[\u2019\x92]|&apos;)(?:s|m|d|re|ve|ll|t)|n(?:[\u2019\x92]|&apos;)t", re.IGNORECASE)
"""What is written with a straight apostrophe, whichever it had; other words keep theirs."""
DASHES = re.compile(r"[\x96\x97\u2013\u2014\u2015\x85\u2026]|-{1,4}|\.{3,}")


def tokenize(captions: Sequence[str]) -> list[str]:
    """The tokens of each caption, joined by single spaces; "" where nothing is left.

    >>> tokenize(["A man's T-shirt, isn't it?", "Two dogs (brown)."])
    ["a man 's t-shirt is n't it", 'two dogs -lrb- brown -rrb-']
    """
    lines = [BREAKS.sub(" ", caption) for caption in captions]
    text = "\n".join(lines)
    found: list[str] = []
    start = 0
    for line in lines:
        end = start + len(line)
        tokens: list[str] = []
        for word in (WHOLE if WHOLE_LINE.search(line) else WORD).finditer(text, start, end):
            piece = word.group()
            if word.end() == len(text):
                following = ""
            elif piece[-1] == "." and ASKS_NEXT.search(piece):
                following = _following(text, word.end())
            else:
                following = BLANKS
            tokens += _cut(piece, following)
        found.append(" ".join(tokens))
        start = end + 1
    return found


def _following(text: str, end: int) -> str:
    """What a period that may stay has to see of the text after it: a number, the start of a sentence, or blanks."""
    after = AFTER.match(text, end)
    return f" {after['number'] or after['starter']} " if after else BLANKS


@lru_cache(maxsize=1 << 17)
def _cut(word: str, following: str) -> tuple[str, ...]:
    """The tokens of a word (or of a line with tokens that hold a space), seen before what follows: "" ends the file."""
    if PLAIN.fullmatch(word) and word.lower() not in PARTED:
        return (word.lower(),)
    text = word + following
    tokens: list[str] = []
    at = 0
    while at < len(word):
        end = _end(text, at)
        tokens += _written(text[at:end])
        at = end
    return tuple(token for token in tokens if token not in PUNCTUATION)


def _end(text: str, at: int) -> int:
    """Where the token that starts at `at` ends: that of the pattern which sees furthest, the first of equals."""
    furthest, end = at, at + 1
    for pattern in PATTERNS:
        match = pattern.match(text, at)
        if match is not None and match.end() > furthest:
            furthest = match.end()
            end = match.end("t") if "t" in pattern.groupindex else furthest
    return end


def _written(token: str) -> Sequence[str]:
    """A token as the tokenizer prints it; nothing for a blank, a quotation mark, a dash or a character it drops."""
    if token.lower() in REWRITTEN:
        return (REWRITTEN[token.lower()],)
    if len(token) > 1 and TURNED.fullmatch(token):
        written = "".join(TURNED_AS.get(character, "''") for character in token)
        return () if written in PUNCTUATION else (written,)
    if QUOTES.fullmatch(token) or DASHES.fullmatch(token) or SPACES.fullmatch(token):
        return ()
    if len(token) == 1 and not KEPT.match(token):
        return ()
    text = SPACES.sub("\xa0", token).replace("\xad", "").replace("(", "-lrb-").replace(")", "-rrb-")
    if ACRONYMS.fullmatch(text):
        text = text.replace("&amp;", "&")
    if CLITIC.fullmatch(text):
        text = CURLY.sub("'", text)
    return (text.lower(),) if text else ()
