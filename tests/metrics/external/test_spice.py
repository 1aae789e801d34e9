"""SPICE's command line, input, time limit and parsing, with a stand-in: the program itself was never run here."""

from __future__ import annotations

import json
import math
import socket
import urllib.request
from pathlib import Path

import pytest

from vlpbench.errors import UserError
from vlpbench.metrics.captions import METRICS, PURE, caption_scores
from vlpbench.metrics.external.java import Unavailable
from vlpbench.metrics.external.spice import NEEDED, VARIABLE, spice_scores

SAID = ["a dog", "café \ud83d ||| two\nlines", ""]
GIVEN = [["a dog runs", "dogs"], ["a bar"], ["nothing", ""]]

ANSWERS = """
words = sys.argv[1:]
words = words[words.index("-Xmx8G"):]
with open(words[3], encoding="utf-8") as file:
    rows = json.load(file)
with open("seen", "w") as file:
    json.dump([words, rows], file)
answers = [{"image_id": r["image_id"], "scores": {"All": {"f": FS[r["image_id"]]}}} for r in rows]
with open(words[words.index("-out") + 1], "w") as file:
    json.dump(ORDER(answers), file)
"""


@pytest.fixture
def jars(tmp_path: Path) -> Path:
    """A folder with files named as the jars are."""
    folder = tmp_path / "my jars"
    for name in NEEDED:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return folder


def answering(scores: str, order: str = "lambda rows: rows") -> str:
    return f"FS = {scores}\nORDER = {order}\n{ANSWERS}"


def test_the_command_line_and_the_input(stand_in, jars):
    stand_in(answering("[0.5, 0.25, 0]"))
    assert spice_scores(SAID, GIVEN, jars) == (0.25, [0.5, 0.25, 0.0])
    words, rows = json.loads((jars / "seen").read_text())  # the program is started in the folder of jars
    asked, answered = Path(words[3]), Path(words[5])
    assert words == ["-Xmx8G", "-jar", str(jars / NEEDED[0]), str(asked), "-out", str(answered), "-subset", "-silent"]
    assert [row["image_id"] for row in rows] == [0, 1, 2]
    assert ([row["test"] for row in rows], [row["refs"] for row in rows]) == (SAID, GIVEN)
    assert not asked.parent.exists() and not answered.exists() and jars not in asked.parents


def test_scores_go_to_their_captions_whatever_the_order_of_the_answers(stand_in, jars):
    # Ids that are sorted as text would come as 0, 1, 10, 11, 2, ...: there pycocoevalcap gives scores to wrong images.
    stand_in(answering("[i / 16 for i in range(12)]", "lambda rows: sorted(rows, key=lambda r: str(r['image_id']))"))
    whole, each = spice_scores(["a"] * 12, [["b"]] * 12, jars)
    assert each == [i / 16 for i in range(12)] and whole == sum(each) / 12


def test_no_number_is_nan_for_the_caption_and_the_set(stand_in, jars):
    stand_in(answering("[0.5, None, 'NaN']"))
    whole, each = spice_scores(SAID, GIVEN, jars)
    assert each[0] == 0.5 and all(map(math.isnan, [*each[1:], whole]))


def test_a_set_whose_mean_is_nan_has_no_spice_and_says_why(stand_in, jars):
    stand_in(answering("[0.5, None]"))
    found = caption_scores({4: "a dog", 9: ""}, {4: ["a dog"], 9: [""]}, ["SPICE", "ROUGE_L"], spice=jars)
    assert found.scores["SPICE"] is None and found.scores["ROUGE_L"] == 1
    assert "nothing to compare in 1 of 2 captions" in found.reasons["SPICE"] and "SPICE" not in found.per_image


def test_the_folder_may_come_from_the_environment_and_the_argument_goes_first(stand_in, jars, tmp_path, monkeypatch):
    stand_in(answering("[1]"))
    monkeypatch.setenv(VARIABLE, str(jars))
    assert spice_scores(["a"], [["a"]], None) == (1.0, [1.0])
    with pytest.raises(Unavailable, match=r"lacks SPICE's spice-1\.0\.jar and lib/stanford"):
        spice_scores(["a"], [["a"]], tmp_path)
    monkeypatch.chdir(jars.parent)
    assert spice_scores(["a"], [["a"]], Path(jars.name))[0] == 1.0  # a relative path is relative to here


def test_without_a_folder_the_remedy_names_the_jars(monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)
    with pytest.raises(Unavailable) as caught:
        spice_scores(["a"], [["a"]], None)
    for word in ("spice-1.0.jar", "stanford-corenlp-3.6.0.jar", "stanford-corenlp-3.6.0-models.jar", VARIABLE):
        assert word in caught.value.remedy


def test_nothing_is_fetched_and_all_else_scores_offline(monkeypatch):
    """pycocoevalcap's Spice() downloads 385 MB as soon as it is built, used or not."""
    tried = []

    def no_network(*address, **more):
        tried.append(address)
        raise OSError("offline")

    for name in ("connect", "connect_ex"):
        monkeypatch.setattr(socket.socket, name, no_network)
    for name in ("getaddrinfo", "create_connection"):
        monkeypatch.setattr(socket, name, no_network)
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setenv("VLPBENCH_JAVA", "none")  # METEOR is local too, but slow
    with pytest.raises(OSError, match="offline"):
        urllib.request.urlopen("http://nlp.stanford.edu/")
    tried.clear()
    found = caption_scores({1: "a dog", 2: "a cat"}, {1: ["a dog runs"], 2: ["a cat"]}, METRICS)
    assert tried == [] and set(found.reasons) == {"METEOR", "SPICE"}
    assert all(found.scores[name] is not None for name in PURE)


def test_a_missing_jar_is_named(jars):
    (jars / NEEDED[2]).unlink()
    with pytest.raises(Unavailable, match=r"my jars lacks SPICE's lib/stanford-corenlp-3\.6\.0-models\.jar: copy"):
        spice_scores(["a"], [["a"]], jars)


def test_a_failure_says_that_java_8_is_needed(stand_in, jars):
    stand_in("sys.exit('java.lang.reflect.InaccessibleObjectException: Unable to make field')")
    with pytest.raises(Unavailable, match=r"InaccessibleObjectException: Unable.*\): SPICE needs Java 8, so set JAVA_"):
        spice_scores(["a"], [["a"]], jars)


def test_the_time_limit(stand_in, jars, ends):
    stand_in("open('number', 'w').write(str(os.getpid())); time.sleep(300)")
    with pytest.raises(Unavailable, match=r"spice-1\.0\.jar did not finish within 3 s"):
        spice_scores(["a"], [["a"]], jars, seconds=3)
    assert ends(int((jars / "number").read_text()))


@pytest.mark.parametrize(
    ("order", "words"),
    [
        ("lambda rows: rows[1:]", "scored 2 captions where 3"),
        ("lambda rows: rows + rows[:1]", "scored 4 captions where 3"),
        ("lambda rows: rows[:2] + rows[:1]", "or some of them twice"),
        ("lambda rows: [{'image_id': 0}] * 3", "no scores that can be read.*KeyError"),
        ("lambda rows: 7", "no scores that can be read"),
    ],
)
def test_answers_that_do_not_fit_are_no_scores(stand_in, jars, order, words):
    stand_in(answering("[1, 1, 1]", order))
    with pytest.raises(Unavailable, match=words):
        spice_scores(SAID, GIVEN, jars)


def test_no_answer_at_all(stand_in, jars):
    stand_in("")
    with pytest.raises(Unavailable, match=r"no scores that can be read.*FileNotFound"):
        spice_scores(SAID, GIVEN, jars)


def test_captions_are_checked_first(monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)
    with pytest.raises(UserError, match="caption 0"):
        spice_scores(["a"], [[]], None)
