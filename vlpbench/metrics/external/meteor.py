"""METEOR 1.5 by the jar that pycocoevalcap brings: one start of Java for any number of sets of captions.

The numbers are those of `pycocoevalcap/meteor/meteor.py` (`-l en -norm`: English, exact, stem, synonym and paraphrase
matches; Denkowski and Lavie 2014). The program reads lines. To "SCORE", the references and the candidate, set apart by
"|||", it answers with the statistics of that segment; to "EVAL" and the statistics of a set, with the score of each
segment and last the score of the set, which comes from the summed statistics and is no mean of the segments.

What differs from pycocoevalcap, none of it for captions as a tokenizer gives them: "|||" is cut from candidates there
and from references too here, where it would make two of one; line breaks become spaces, where they would shift all
later answers; the paraphrase table is named by its path, since the program itself cannot find it behind a space. A
locale, a full pipe, a failing or a hanging program cannot stall or change a score: see `java`.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from pathlib import Path

from vlpbench.metrics.external.java import JavaProgram, Unavailable, java_program
from vlpbench.metrics.external.segments import check_segments

__all__ = ["brought_by_pycocoevalcap", "meteor_scores", "meteor_sets"]

Captions = tuple[Sequence[str], Sequence[Sequence[str]]]
"""Predicted captions, and for each of them its references: all tokenised, tokens joined by spaces."""


def meteor_scores(
    said: Sequence[str], given: Sequence[Sequence[str]], seconds: float = 600
) -> tuple[float, list[float]]:
    """METEOR of the set and of each caption, 0 to 1: `said[i]` against the references `given[i]`, all tokenised.

    Unavailable without Java, without pycocoevalcap's files, or when `seconds` are over; UserError for captions that do
    not fit or have no reference.
    """
    return meteor_sets([(said, given)], seconds)[0]


def meteor_sets(sets: Sequence[Captions], seconds: float = 600) -> list[tuple[float, list[float]]]:
    """`meteor_scores` of several sets with one start of Java, which takes longer than hundreds of captions.

    `seconds` is the limit for all of it, the start included.
    """
    lines = [_score_lines(said, given) for said, given in sets]
    if not lines:
        return []
    jar = brought_by_pycocoevalcap("meteor/meteor-1.5.jar")
    table = brought_by_pycocoevalcap("meteor/data/paraphrase-en.gz")
    arguments = ["-Xmx2G", "-jar", str(jar), "-", "-", "-stdio", "-l", "en", "-norm", "-a", str(table)]
    with java_program(arguments, seconds) as program:
        return [_evaluate(program, program.ask(one, len(one))) for one in lines]


def brought_by_pycocoevalcap(name: str) -> Path:
    """The path of a file inside the installed pycocoevalcap, which is not imported; Unavailable if it is not there."""
    found = importlib.util.find_spec("pycocoevalcap")
    for folder in (found and found.submodule_search_locations) or ():
        if (path := Path(folder).absolute() / name).is_file():
            return path
    raise Unavailable(
        f"pycocoevalcap's file {name} was not found", "install it with `pip install --force-reinstall pycocoevalcap`"
    )


def _score_lines(said: Sequence[str], given: Sequence[Sequence[str]]) -> list[str]:
    """One line a caption, as the program reads them."""
    check_segments("METEOR", said, given)
    return [
        " ||| ".join(["SCORE", *map(_one_line, references), _one_line(caption).replace("  ", " ")])
        for caption, references in zip(said, given, strict=True)
    ]


def _one_line(text: str) -> str:
    """The text without what the protocol is made of: line breaks and "|||"."""
    return text.replace("\n", " ").replace("\r", " ").replace("|||", "")


def _evaluate(program: JavaProgram, statistics: Sequence[str]) -> tuple[float, list[float]]:
    """The score of a set and of each of its segments, from the statistics of the segments."""
    answers = program.ask([" ||| ".join(["EVAL", *statistics])], len(statistics) + 1)
    try:
        *segments, whole = map(float, answers)
    except ValueError as error:
        raise Unavailable(f"METEOR answered what is no number ({error})", "look whether its jar is whole") from error
    return whole, segments
