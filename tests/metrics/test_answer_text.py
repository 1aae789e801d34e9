"""The three steps of the official VQA normaliser, oddity by oddity."""

from __future__ import annotations

import hashlib

import pytest

from vlpbench.metrics.answer_text import CONTRACTIONS, strip_punctuation, to_digits, trim


@pytest.mark.parametrize(
    ("raw", "kept"),
    [
        ("a-b", "a b"),
        ("a - b", "a  b"),
        ("1,000 a-b", "1000 ab"),
        ("yes, sir/madam", "yes sir madam"),
        ("3.14.", "3.14"),
        ("U.S.A.", "USA"),
        (".5", ".5"),
        ("it's 5:30 & 10% of $2 #1 ~*", "it's 5:30 & 10% of $2 #1 ~*"),
        ("." * 40, "." * 8),
        ("what?!", "what  "),
        ("1,\u0662 a-b", "1\u0662 ab"),
        ("5.\u0663", "5.\u0663"),
        ("5.\u00b2", "5\u00b2"),
        ("", ""),
    ],
)
def test_punctuation(raw: str, kept: str) -> None:
    assert strip_punctuation(raw) == kept


@pytest.mark.parametrize(
    ("raw", "kept"),
    [
        ("None", "0"),
        ("zero One TEN", "0 1 10"),
        ("eleven", "eleven"),
        ("The cat and a dog", "cat and dog"),
        ("A", ""),
        ("dont", "don't"),
        ("couldntve", "couldntve"),
        ("couldnt've", "couldn't've"),
        ("couldn'tve", "couldn't've"),
        ("yall'd've y'alld've y'all'dve", "y'all'd've y'all'd've y'all'd've"),
        ("'ow'sat ow's'at", "'ow's'at 'ow's'at"),
        ("somebody'd", "somebodyd"),
        ("let's she's", "let's she's"),
        ("Im Ive", "im ive"),
        ("  two \n dogs ", "2 dogs"),
    ],
)
def test_digits_articles_contractions(raw: str, kept: str) -> None:
    assert to_digits(raw) == kept


def test_line_breaks_and_tabs_become_spaces_before_the_ends_go() -> None:
    assert trim("\n a\tb\n") == "a b"


def test_the_table_of_contractions_is_whole() -> None:
    # The official table has 120 entries; four hold a capital and two map to themselves.
    assert len(CONTRACTIONS) == 114
    assert all(wrong != right for wrong, right in CONTRACTIONS.items())
    assert sum(wrong.count("'") > right.count("'") for wrong, right in CONTRACTIONS.items()) == 1


def test_the_table_of_contractions_is_the_official_one() -> None:
    # Checksum of the 114 pairs as taken from vqaEval.py at commit a013f00, sorted.
    pairs = "\n".join(f"{wrong} {right}" for wrong, right in sorted(CONTRACTIONS.items()))
    known = "f2c800b1132e79302dd72686ce8bba16120f1873f98a85561222e89317336e7a"
    assert hashlib.sha256(pairs.encode()).hexdigest() == known
