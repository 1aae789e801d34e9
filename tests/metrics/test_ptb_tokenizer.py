"""The Python tokenizer gives what the Java one gives: on strings seen, nasty ones, and real captions if at hand."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest

from vlpbench.metrics.ptb_tokenizer import BREAKS, tokenize

KNOWN = json.loads(Path(__file__).with_name("ptb_known.json").read_text(encoding="utf-8"))
"""Files of captions and what the Java program made of each: {"captions": [...], "tokens": [...]}."""

# Pairs that were seen to go in and come out of the Java program.
SEEN = [
    ("A man's T-shirt, isn't it?", "a man 's t-shirt is n't it"),
    ("He can't, won't; they'd say y'all cannot.", "he ca n't wo n't they 'd say y' all can not"),
    ("wow!! what?! no... way -- yes - ok", "wow !! what ?! no way yes ok"),
    ("St. Mark's on 5th Ave. at 5 p.m.", "st. mark 's on 5th ave. at 5 p.m."),
    ("Sat. and Sun. in Jan. or Mon.", "sat and sun in jan. or mon."),
    ("No. 5 is no. Fig. 2 of a fig.", "no. 5 is no fig. 2 of a fig"),
    ("the ground.a dog", "the ground.a dog"),
    ("3.5in 12:30pm 7am 5ft", "3.5 in 12:30 pm 7am 5ft"),
    ("22 3/4 inches", "22\u00a03/4 inches"),
    ("100% of $5 is #1", "100 % of $ 5 is # 1"),
    ("(a) [b] {c}", "-lrb- a -rrb- -lsb- b -rsb- -lcb- c -rcb-"),
    ("<b c> AT&T a&b &amp; x", "<b\u00a0c> at&t a & b & x"),
    ("gonna wanna 'tis lemme", "gon na wan na 't is lem me"),
    ("O'Neil o'clock ma'am d'oeuvre rock 'n' roll '90s", "o'neil o'clock ma'am d'oeuvre rock 'n' roll '90s"),
    ("\u201cquoted\u201d it\u2019s caf\u00e9 \u20ac5 \u00bd a\u2013b \u2026", "quoted it 's caf\u00e9 $ 5 1/2 a b"),
    ("\U0001f600 smile :) x", "smile :-rrb- x"),
    ("and/or a-b-c 1990's dogs' black-and-white -", "and/or a-b-c 1990 's dogs black-and-white"),
    ("dog., cat", "dog. cat"),
    ("mS. dR. sT. of aRk. ARk. aRIZ. mfG. MFG. ptE. PTe.", "ms. dr. st. of ark ark. ariz. mfg. mfg pte pte."),
    ("a PhD. in art, a Ph.D. of Ph.d. x", "a phd in art a ph.d. of ph.d. x"),
    ("'90S '80s '10S '60Sx 90S' '90'S", "'90s '80s 10s '60s x 90s 90 's"),
    ("Ho'ohu x'mo", "ho'ohu x mo"),
    ("", ""),
    ("  . ", ""),
]


@pytest.mark.parametrize(("caption", "tokens"), SEEN)
def test_what_was_seen(caption: str, tokens: str) -> None:
    assert tokenize([caption]) == [tokens]


@pytest.mark.parametrize("file", KNOWN, ids=range(len(KNOWN)))
def test_whole_files_that_were_seen(file: dict[str, list[str]]) -> None:
    assert tokenize(file["captions"]) == file["tokens"]


def test_the_end_of_the_last_caption_is_the_end_of_the_file() -> None:
    assert tokenize(["I'll :)", "I'll"]) == ["i 'll :-rrb-", "i ll"]
    assert tokenize(["x :)"]) == ["x -rrb-"]
    assert tokenize(["x :)", ""]) == ["x :-rrb-", ""]


def test_unknown_characters_part_their_neighbours_and_leave_nothing() -> None:
    assert tokenize(["a\U0001f600b \U0001d49c c\u200bd e\ufe0f"]) == ["a b c d e"]


def test_a_single_letter_looks_at_the_next_caption() -> None:
    assert tokenize(["vitamin C.", "cats", "vitamin C.", "The cat"]) == ["vitamin c.", "cats", "vitamin c", "the cat"]
    assert tokenize(["x No.", "5 dogs", "x No.", "of"]) == ["x no.", "5 dogs", "x no", "of"]


def test_line_breaks_inside_a_caption_move_no_other() -> None:
    captions = ["a\rb", "c\nd", "e\x0bf\x0cg", "h\u2028i\u2029j", "k"]
    assert tokenize(captions) == ["a b", "c d", "e f g", "h i j", "k"]


def test_empty_captions_keep_their_place() -> None:
    assert tokenize(["", "a dog", "", "  "]) == ["", "a dog", "", ""]
    assert tokenize([]) == []


def test_what_is_tokenised_already_stays_so() -> None:
    once = tokenize(["A man's T-shirt, isn't it?", "St. Mark's on 5th Ave. at 5 p.m.", "They'd say: wow!! 3.5 (in)"])
    assert tokenize(once) == once


@pytest.mark.parametrize("piece", ["a", "a.", "a-", "a'", "<a ", "a@", "1/", "ab.cd", "&amp", "'n", "(", "A&", "-a."])
def test_long_nonsense_takes_no_long_time(piece: str) -> None:
    text = piece * (4000 // len(piece))
    start = time.process_time()
    assert len(tokenize([text])) == 1
    assert time.process_time() - start < 5


def java_tokens(captions: list[str]) -> list[str]:
    """What pycocoevalcap's own tokenizer returns for one file of these captions."""
    ptb = pytest.importorskip("pycocoevalcap.tokenizer.ptbtokenizer")
    if not os.access(Path(ptb.__file__).parent, os.W_OK):
        pytest.skip("pycocoevalcap's tokenizer writes into its own folder, which is read-only here")
    found = ptb.PTBTokenizer().tokenize({0: [{"caption": BREAKS.sub(" ", text)} for text in captions]})
    return list(found[0])


NASTY = """
Mr.Smith and Jan.x met etc.x a.m.-p.m. U.S.-based T.V. The end.The
5'6" tall 6'2" 10' x 10' '90s 1980's 5-year-old 1-1/2 x 3 1/2 2x4 4x4's 1,000 1,000,5 .5 -5 +5 5.5.5 5..5
a...b a....b a..b xx -- yy x--y x---y x- -x a_b _a a__b ** * ^_^ :-( ;) =D xD <3
don't Don't DON'T ain't shan't n't 't it'd've you'll I'm im J'ai c'est qu'il l'eau d'x O'b y'know
http://a.b/c?d www.x.com x.com/abc a@b.com @home #tag a#b 50%off %50
Inc. Co. Ltd. vs. St. ft. in. lb. oz. No. no. Dr. Prof. Capt. Ph.D. e.g. i.e. al.
"the dog" 'the dog' ``x'' `x' ''x'' \u2018x\u2019 \u201cx\u201d rock\u2019n\u2019roll it\u2019s dogs\u2019 o\u2019clock
caf\u00e9 na\u00efve \u00e9a-b\u00e9 \u65e5\u672c\u8a9e \u0440\u0443\u0441\u0441\u043a\u0438\u0439
\u00bc \u2154 \u00a35 5\u00a2 72\u00b0F a\u00adb
vitamin C. The vitamin C. the vitamin C. Mr. X A. A J. K. Rowling I. In
dog., cat oz.: lb.; in., 5., t-shirt., o'clock., it's., U.S.,
A&B a&b R&B's B&Ws M&M's w/ w/o n/a 24/7 him/her/it a/b/c/d 11/12/2013
cannot. cannot's gonna-x gonna's gotta? 'tisn't 'em 'til 'twas more'n guns'n'roses
(a) [b] {c} <d> </e> <f g="h"> <5> < i > a<b a>b (5) (5.5) a) 8)
wow!!! what?no dog!cat ?! !? !! .! ?. ,, ;; :: .,
""".strip().split("\n")


@pytest.mark.java
def test_nasty_strings_against_java() -> None:
    words = sorted({word for line in NASTY for word in line.split()})
    captions = NASTY + [f"qq {word} qq" for word in words]
    ours, theirs = tokenize(captions), java_tokens(captions)
    assert len(theirs) == len(captions)
    assert [x for x in zip(captions, theirs, ours, strict=True) if x[1] != x[2]] == []


@pytest.mark.java
def test_known_captions_in_one_file_against_java() -> None:
    captions = [caption for file in KNOWN for caption in file["captions"]]
    ours, theirs = tokenize(captions), java_tokens(captions)
    assert [x for x in zip(captions, theirs, ours, strict=True) if x[1] != x[2]] == []


@pytest.mark.java
def test_characters_of_the_first_plane_against_java() -> None:
    codes = [*range(0x700), *range(0x700, 0xD800, 5), *range(0xE000, 0x10000, 3)]
    captions = [f"a{chr(code)}b 1{chr(code)}2 {chr(code)} c" for code in codes]
    ours, theirs = tokenize(captions), java_tokens(captions)
    assert [x for x in zip(captions, theirs, ours, strict=True) if x[1] != x[2]] == []


@pytest.mark.java
def test_real_captions_against_java() -> None:
    captions = real_captions()
    ours, theirs = tokenize(captions), java_tokens(captions)
    assert [x for x in zip(captions, theirs, ours, strict=True) if x[1] != x[2]] == []


def real_captions() -> list[str]:
    """Captions, questions and answers of the sets that VLPBENCH_DATA holds; skips where there are none."""
    if "VLPBENCH_DATA" not in os.environ:
        pytest.skip("VLPBENCH_DATA names no folder of data sets")
    texts: list[str] = []
    for path in sorted(Path(os.environ["VLPBENCH_DATA"]).glob("*/*.json")):
        content = json.loads(path.read_text())
        if path.name.startswith(("captions_", "annotations_")):
            for row in content["annotations"]:
                texts += [row["caption"]] if "caption" in row else [answer["answer"] for answer in row["answers"]]
        elif path.name.startswith("questions_"):
            texts += [row["question"] for row in content["questions"]]
            texts += [choice for row in content["questions"] for choice in row.get("multiple_choices", [])]
    if not texts:
        pytest.skip("there are no captions or questions in VLPBENCH_DATA")
    return texts
