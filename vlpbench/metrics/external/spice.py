"""SPICE from a folder of jars that the user names; nothing is ever downloaded.

SPICE (arXiv 1607.08822) compares scene graphs. Its program needs two jars of 380 MB that pip does not bring, so it was
never run by this project's tests: its command line, time limit and parsing are tested with a stand-in program. The
command line is that of `pycocoevalcap/spice/spice.py`, less its cache of parses (an option, and a library that not
every machine has). Scores are found by image id: there they are sorted and then given to images in another order.
"""

from __future__ import annotations

import json
import math
import os
import statistics
import tempfile
from collections.abc import Sequence
from pathlib import Path

from vlpbench.metrics.external.java import Unavailable, run_java
from vlpbench.metrics.external.segments import check_segments

__all__ = ["VARIABLE", "spice_scores"]

VARIABLE = "VLPBENCH_SPICE"
"""The environment variable that names the folder of jars, where no argument does."""
NEEDED = ("spice-1.0.jar", "lib/stanford-corenlp-3.6.0.jar", "lib/stanford-corenlp-3.6.0-models.jar")
_JARS = (
    "copy pycocoevalcap's spice folder (spice-1.0.jar and lib/), put stanford-corenlp-3.6.0.jar and "
    "stanford-corenlp-3.6.0-models.jar (of stanford-corenlp-full-2015-12-09) into its lib/, "
    f"and name that folder in the environment variable {VARIABLE}"
)
_JAVA = (
    "SPICE needs Java 8, so set JAVA_HOME to one: Java 16 and later fail with InaccessibleObjectException, "
    "and 9 to 15 are unknown"
)


def spice_scores(
    said: Sequence[str], given: Sequence[Sequence[str]], folder: Path | None, seconds: float = 1800
) -> tuple[float, list[float]]:
    """SPICE of the set and of each caption, 0 to 1: `said[i]` against the references `given[i]`.

    `folder` holds the jars; None is the folder that VLPBENCH_SPICE names. A caption's score is the F of all its tuples,
    nan where the program gives none, and the set's is their mean, as in pycocoevalcap. Unavailable without jars or
    Java, if the program fails, leaves a caption out or takes more than `seconds`; UserError for captions that do not
    fit or have no reference.
    """
    check_segments("SPICE", said, given)
    jars = _folder(folder)
    rows = [
        {"image_id": number, "test": caption, "refs": list(references)}
        for number, (caption, references) in enumerate(zip(said, given, strict=True))
    ]
    with tempfile.TemporaryDirectory(prefix="vlpbench-spice-") as place:
        asked, answered = Path(place, "captions.json"), Path(place, "scores.json")
        asked.write_text(json.dumps(rows), encoding="utf-8")
        arguments = ["-Xmx8G", "-jar", str(jars / NEEDED[0]), str(asked), "-out", str(answered), "-subset", "-silent"]
        run_java(arguments, None, seconds, jars, remedy=_JAVA)
        each = _parsed(answered, len(said))
    return statistics.fmean(each), each


def _folder(folder: Path | None) -> Path:
    """The folder of jars; Unavailable if none is named or a jar is missing."""
    named = folder or os.environ.get(VARIABLE)
    if not named:
        raise Unavailable("SPICE runs only from a folder of jars that you name, and none is named", _JARS)
    found = Path(named).expanduser().absolute()
    missing = [jar for jar in NEEDED if not (found / jar).is_file()]
    if missing:
        raise Unavailable(f"the folder {found} lacks SPICE's {' and '.join(missing)}", _JARS)
    return found


def _parsed(path: Path, count: int) -> list[float]:
    """The F of all tuples of captions 0 to count - 1, by their ids, in whatever order the program wrote them."""
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))
        by_id = {int(row["image_id"]): _number(row["scores"]["All"]["f"]) for row in rows}
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise Unavailable(f"SPICE left no scores that can be read ({error!r})", _JAVA) from error
    if sorted(by_id) != list(range(count)) or len(rows) != count:
        raise Unavailable(f"SPICE scored {len(rows)} captions where {count} were given, or some of them twice", _JAVA)
    return [by_id[number] for number in range(count)]


def _number(value: object) -> float:
    """The score, nan for null or what else is no number: the program has none where there is nothing to compare."""
    return float(value) if isinstance(value, (int, float)) else math.nan
