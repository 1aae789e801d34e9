"""The Java tokenizer of pycocoevalcap, to check the Python one against: Stanford's PTBTokenizer, less punctuation.

`pycocoevalcap/tokenizer/ptbtokenizer.py` in behaviour: one caption a line, `-preserveLines -lowerCase`, then seventeen
punctuation tokens out. Departures, for safety: the text goes through standard input, where theirs goes through a file
in the installed package; whatever the program takes for a line break is a space first, where theirs replaces the line
feed alone and then moves all later captions to wrong images; and the lines that come back are counted.
"""

from __future__ import annotations

from collections.abc import Sequence

from vlpbench.errors import UserError
from vlpbench.metrics.external.java import Unavailable, run_java
from vlpbench.metrics.external.meteor import brought_by_pycocoevalcap

__all__ = ["java_tokenize"]

_BREAKS = str.maketrans(dict.fromkeys("\n\r\x0b\x0c\u2028\u2029", " "))
# Seen by giving it every code point below U+3000 and some above: these six alone end a line.
_PUNCTUATION = frozenset("'' ' `` ` -LRB- -RRB- -LCB- -RCB- . ? ! , : - -- ... ;".split())
# Brackets are out in capitals only, and come in small letters: they stay, as in pycocoevalcap.


def java_tokenize(captions: Sequence[str], seconds: float = 600) -> list[str]:
    """The tokens of each caption joined by spaces, as pycocoevalcap gives them for one file of these in this order.

    The neighbours matter: after a single letter and a period, the program looks at the next caption's first word.
    Unavailable without Java, without pycocoevalcap's jar, when `seconds` are over, and if lines were lost or won.
    """
    if isinstance(captions, str):
        raise UserError("the Java tokenizer needs a list of captions, not a string", remedy="put it into a list")
    if not captions:
        return []
    jar = brought_by_pycocoevalcap("tokenizer/stanford-corenlp-3.4.1.jar")
    program = ["-cp", str(jar), "edu.stanford.nlp.process.PTBTokenizer", "-preserveLines", "-lowerCase"]
    printed = run_java(program, "\n".join(map(_one_line, captions)), seconds)
    lines = printed.split("\n")
    if len(lines) != len(captions):
        raise Unavailable(
            f"the Java tokenizer gave {len(lines)} lines for {len(captions)} captions",
            "use the Python tokenizer, which takes each caption for itself",
        )
    return [" ".join(word for word in line.rstrip().split(" ") if word not in _PUNCTUATION) for line in lines]


def _one_line(caption: str) -> str:
    """The caption without line breaks."""
    return caption.translate(_BREAKS)
